//===- Einsum.cpp - Einstein sums -----------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An equation is a linalg.generic already: letters are loops, operands'
// indexing maps their subscripts, and letters that the result lacks are
// reductions. An ellipsis stands for leading batch letters, aligned at the
// right.
//
//===----------------------------------------------------------------------===//

#include "Einsum.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// Letters in the order of loops; an ellipsis is letters '0', '1', ... counted
/// from the right.
struct ParsedEquation {
  SmallVector<std::string> operands;
  std::string result;
};
} // namespace

/// Replaces "..." by as many letters as the rank leaves.
static std::optional<std::string> spell(Node &n, StringRef term,
                                        std::optional<int64_t> rank,
                                        unsigned &ellipsis) {
  size_t dots = term.find("...");
  std::string letters = term.str();
  if (dots != StringRef::npos) {
    if (rank) {
      int64_t count = *rank - static_cast<int64_t>(term.size() - 3);
      if (count < 0 || count > 9)
        return n.error() << "has a term '" << term << "' for rank " << *rank,
               std::nullopt;
      ellipsis = std::max<unsigned>(ellipsis, count);
      rank.reset();
      letters.replace(dots, 3, StringRef("9876543210").take_back(count).str());
    } else {
      letters.replace(dots, 3,
                      StringRef("9876543210").take_back(ellipsis).str());
    }
  }
  for (char letter : letters)
    if (!llvm::isAlnum(letter))
      return n.error() << "has an equation with '" << StringRef(&letter, 1)
                       << "'",
             std::nullopt;
  if (rank && static_cast<int64_t>(letters.size()) != *rank)
    return n.error() << "has a term '" << term << "' for rank " << *rank,
           std::nullopt;
  return letters;
}

static std::optional<ParsedEquation> readEquation(Node &n) {
  std::string text = n.string("equation", "");
  llvm::erase(text, ' ');
  StringRef rest(text);
  bool isExplicit = rest.contains("->");
  auto [left, right] = rest.split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != n.numInputs()) {
    n.error() << "has " << terms.size() << " terms, but " << n.numInputs()
              << " inputs";
    return std::nullopt;
  }
  ParsedEquation equation;
  unsigned ellipsis = 0;
  for (auto [at, term] : llvm::enumerate(terms)) {
    if (!n.input(at))
      return n.error() << "input " << at << " is missing", std::nullopt;
    auto letters = spell(n, term, n.input(at)->rank(), ellipsis);
    if (!letters)
      return std::nullopt;
    equation.operands.push_back(*letters);
  }
  if (isExplicit) {
    auto letters = spell(n, right, std::nullopt, ellipsis);
    if (!letters)
      return std::nullopt;
    equation.result = *letters;
    return equation;
  }
  // Batch letters, then those that occur once, sorted.
  equation.result = StringRef("9876543210").take_back(ellipsis).str();
  std::string all = llvm::join(equation.operands, "");
  std::string once;
  for (char letter : all)
    if (llvm::isAlpha(letter) && llvm::count(all, letter) == 1)
      once += letter;
  llvm::sort(once);
  equation.result += once;
  return equation;
}

LogicalResult mlir::prune::onnx_import::importEinsum(Node &n) {
  std::optional<ParsedEquation> equation = readEquation(n);
  if (!equation)
    return failure();
  // Loops: the result's letters, then the others.
  std::string loops = equation->result;
  for (const std::string &term : equation->operands)
    for (char letter : term)
      if (!StringRef(loops).contains(letter))
        loops += letter;
  Sizes sizes(loops.size(), nullptr);
  DataType type = n.input(0)->type;
  SmallVector<Tensor *> operands;
  SmallVector<SmallVector<unsigned>> subscripts;
  for (auto [at, term] : llvm::enumerate(equation->operands)) {
    if (n.input(at)->type != type)
      return n.error() << "expects inputs of equal types";
    // Batch sizes of one stretch: they leave the operand.
    SmallVector<int64_t> ones;
    SmallVector<unsigned> &dims = subscripts.emplace_back();
    for (auto [dim, letter] : llvm::enumerate(term)) {
      unsigned loop = StringRef(loops).find(letter);
      AffineExpr size = n.input(at)->dims[dim];
      if (llvm::isDigit(letter) && size == n.size(1)) {
        ones.push_back(dim);
        sizes[loop] = sizes[loop] ? sizes[loop] : size;
        continue;
      }
      if (sizes[loop] && !(llvm::isDigit(letter) && sizes[loop] == n.size(1)) &&
          !n.requireEqual(sizes[loop], size, "sizes of a letter"))
        return failure();
      sizes[loop] = size;
      dims.push_back(loop);
    }
    operands.push_back(n.squeeze(n.input(at), ones));
  }
  unsigned numResult = equation->result.size();
  for (unsigned at = 0; at < numResult; ++at)
    if (!sizes[at] || equation->result.find(equation->result[at]) != at)
      return n.error() << "has a result '" << equation->result
                       << "' that the operands do not give";
  // A loop that only stretched sizes name would have no extent.
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  auto mapOf = [&](ArrayRef<unsigned> dims) {
    SmallVector<AffineExpr> exprs = llvm::map_to_vector(
        dims, [&](unsigned dim) { return n.b.getAffineDimExpr(dim); });
    return AffineMap::get(loops.size(), 0, exprs, n.state.context);
  };
  for (auto [operand, dims] : llvm::zip(operands, subscripts)) {
    if (!operand)
      return failure();
    maps.push_back(mapOf(dims));
    inputs.push_back(n.value(operand));
  }
  for (unsigned loop = numResult; loop < loops.size(); ++loop)
    if (llvm::none_of(subscripts, [&](ArrayRef<unsigned> dims) {
          return llvm::is_contained(dims, loop);
        }))
      return n.error() << "sums over a size of one that an ellipsis stretches";
  Sizes dims(ArrayRef(sizes).take_front(numResult));
  SmallVector<unsigned> resultDims;
  for (unsigned loop = 0; loop < numResult; ++loop)
    resultDims.push_back(loop);
  maps.push_back(mapOf(resultDims));
  SmallVector<utils::IteratorType> iterators(numResult,
                                             utils::IteratorType::parallel);
  iterators.append(loops.size() - numResult, utils::IteratorType::reduction);
  Value init = n.splat(dims, type, 0.0);
  if (n.state.failed)
    return failure();
  auto generic = linalg::GenericOp::create(
      n.b, n.loc, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &nested, Location at, ValueRange v) {
        Scalar s(nested, at, isUnsigned(type));
        Value product = v[0];
        for (Value factor : v.drop_front().drop_back())
          product = s.mul(product, factor);
        linalg::YieldOp::create(nested, at, s.add(v.back(), product));
      });
  return n.output(n.make(generic.getResult(0), type, dims));
}
