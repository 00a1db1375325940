//===- Control.cpp - If and Loop ------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A condition that is known at import leaves one branch, in line; otherwise If
// is scf.if, and a size that the branches disagree on is known at run time
// only. Loop is scf.while; a carried tensor whose size changes is made dynamic
// and the body imported again, which ends because sizes only get less known.
//
//===----------------------------------------------------------------------===//

#include "Control.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

FailureOr<SmallVector<Tensor *>>
mlir::prune::onnx_import::importBody(Node &n, onnx::GraphProto &proto,
                                     function_ref<void(Graph &)> bind) {
  Graph graph(proto, n.state, n.graph.reader, n.graph.opsets, &n.graph);
  if (bind)
    bind(graph);
  if (failed(checkOperators(graph)) || failed(graph.readInitializers()) ||
      failed(graph.importNodes(n.b)))
    return failure();
  return graph.results();
}

/// A type that values of both shapes have.
static RankedTensorType join(RankedTensorType x, RankedTensorType y) {
  SmallVector<int64_t> shape(x.getShape());
  for (auto [size, other] : llvm::zip(shape, y.getShape()))
    if (size != other)
      size = ShapedType::kDynamic;
  return RankedTensorType::get(shape, x.getElementType());
}

static Value castTo(Node &n, Value x, Type type) {
  if (x.getType() == type)
    return x;
  return tensor::CastOp::create(n.b, n.loc, type, x);
}

/// A tensor that comes out of a region: sizes that are not static are new.
static Tensor *fromRegion(Node &n, Value value, DataType type) {
  Sizes dims;
  auto tensorType = cast<RankedTensorType>(value.getType());
  for (auto [at, size] : llvm::enumerate(tensorType.getShape()))
    dims.push_back(ShapedType::isDynamic(size)
                       ? n.symbol(tensor::DimOp::create(n.b, n.loc, value, at))
                       : n.size(size));
  return n.make(value, type, dims);
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// Imports a branch into a region and leaves it without a terminator.
static FailureOr<SmallVector<Tensor *>>
importBranch(Node &n, Region &region, onnx::GraphProto &proto,
             SmallVectorImpl<Value> &values) {
  OpBuilder::InsertionGuard guard(n.b);
  n.b.createBlock(&region);
  FailureOr<SmallVector<Tensor *>> results = importBody(n, proto);
  if (succeeded(results))
    for (Tensor *tensor : *results)
      values.push_back(n.value(tensor));
  return results;
}

/// The types that both branches can give; empty after a diagnostic.
static std::optional<SmallVector<Type>>
joinTypes(Node &n, ArrayRef<Tensor *> yes, ArrayRef<Value> yesValues,
          ArrayRef<Tensor *> no, ArrayRef<Value> noValues) {
  if (yes.size() != no.size() || yes.size() < n.numOutputs()) {
    n.error() << "has branches with " << yes.size() << " and " << no.size()
              << " outputs";
    return std::nullopt;
  }
  SmallVector<Type> types;
  for (unsigned at = 0; at < yes.size(); ++at) {
    if (yes[at]->type != no[at]->type || yes[at]->rank() != no[at]->rank()) {
      n.error() << "has branches whose output " << at
                << " has different types or ranks, " << nameOf(yes[at]->type)
                << n.text(yes[at]->dims) << " and " << nameOf(no[at]->type)
                << n.text(no[at]->dims)
                << "; if the condition depends on sizes, fix them with --dim";
      return std::nullopt;
    }
    types.push_back(join(cast<RankedTensorType>(yesValues[at].getType()),
                         cast<RankedTensorType>(noValues[at].getType())));
  }
  return types;
}

/// Ends the block of a branch.
static void yield(Node &n, Region &region, ArrayRef<Value> values,
                  ArrayRef<Type> types) {
  OpBuilder::InsertionGuard guard(n.b);
  n.b.setInsertionPointToEnd(&region.front());
  SmallVector<Value> results;
  for (auto [value, type] : llvm::zip(values, types))
    results.push_back(castTo(n, value, type));
  scf::YieldOp::create(n.b, n.loc, results);
}

/// Leaves a branch to the graph, whose nodes come next.
static LogicalResult takeBranch(Node &n, onnx::GraphProto &branch,
                                bool condition) {
  if (failed(checkOperators(
          Graph(branch, n.state, n.graph.reader, n.graph.opsets, &n.graph))))
    return failure();
  if (branch.output_size() < static_cast<int>(n.numOutputs()))
    return n.error() << "has a branch with " << branch.output_size()
                     << " outputs";
  n.graph.takeBranch(n.proto, condition);
  return success();
}

static LogicalResult importIf(Node &n) {
  onnx::GraphProto *thenGraph = n.subgraph("then_branch");
  onnx::GraphProto *elseGraph = n.subgraph("else_branch");
  if (!thenGraph || !elseGraph)
    return failure();
  Tensor *condition = n.input(0);
  if (condition->type != DataType::Bool)
    return n.error() << "expects a boolean condition, but got "
                     << nameOf(condition->type);
  for (AffineExpr dim : condition->dims)
    if (dim != n.size(1))
      return n.error() << "expects a condition of one element, but got "
                       << n.text(condition->dims);
  if (std::optional<double> known = n.scalarOf(condition)) {
    onnx::GraphProto &branch = *known != 0 ? *thenGraph : *elseGraph;
    if (n.graph.isOutermost())
      return takeBranch(n, branch, *known != 0);
    auto results = importBody(n, branch);
    if (failed(results))
      return failure();
    if (results->size() < n.numOutputs())
      return n.error() << "has a branch with " << results->size() << " outputs";
    for (unsigned at = 0; at < n.numOutputs(); ++at)
      if (failed(n.output(at, (*results)[at])))
        return failure();
    return success();
  }
  Value which = n.value(n.reshape(condition, {}));
  which = Scalar(n.b, n.loc).extract(which, {});
  Region thenRegion, elseRegion;
  SmallVector<Value> thenValues, elseValues;
  auto yes = importBranch(n, thenRegion, *thenGraph, thenValues);
  if (failed(yes))
    return failure();
  auto no = importBranch(n, elseRegion, *elseGraph, elseValues);
  if (failed(no))
    return failure();
  auto types = joinTypes(n, *yes, thenValues, *no, elseValues);
  if (!types)
    return failure();
  yield(n, thenRegion, thenValues, *types);
  yield(n, elseRegion, elseValues, *types);
  auto op = scf::IfOp::create(n.b, n.loc, *types, which, false, false);
  op.getThenRegion().takeBody(thenRegion);
  op.getElseRegion().takeBody(elseRegion);
  for (unsigned at = 0; at < n.numOutputs(); ++at)
    if (failed(n.output(at, fromRegion(n, op.getResult(at), (*yes)[at]->type))))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

namespace {
/// A loop while its body's types are found.
struct LoopImport {
  onnx::GraphProto &body;
  unsigned numCarried, numScans;
  /// Types of carried tensors and of what the scans have gathered.
  SmallVector<RankedTensorType> types;
  SmallVector<DataType> elements;
  Value limit;
};
} // namespace

/// Fills the body of the loop, whose arguments are: iteration, condition,
/// carried tensors, gathered scans. Types that do not hold are widened.
static LogicalResult importLoopBody(Node &n, LoopImport &loop, Region &region,
                                    bool &stable) {
  OpBuilder::InsertionGuard guard(n.b);
  SmallVector<Type> types = {n.b.getI64Type(), n.b.getI1Type()};
  types.append(loop.types.begin(), loop.types.end());
  SmallVector<Location> locations(types.size(), n.loc);
  Block *block = n.b.createBlock(&region, {}, types, locations);
  unsigned carried = loop.numCarried;
  auto bind = [&](Graph &graph) {
    auto asTensor = [&](Value scalar, DataType type) {
      return n.make(
          tensor::FromElementsOp::create(
              n.b, n.loc, RankedTensorType::get({}, scalar.getType()), scalar),
          type, {});
    };
    (void)graph.define(loop.body.input(0).name(),
                       asTensor(block->getArgument(0), DataType::Int64));
    (void)graph.define(loop.body.input(1).name(),
                       asTensor(block->getArgument(1), DataType::Bool));
    for (unsigned at = 0; at < carried; ++at)
      (void)graph.define(
          loop.body.input(at + 2).name(),
          fromRegion(n, block->getArgument(at + 2), loop.elements[at]));
  };
  FailureOr<SmallVector<Tensor *>> results = importBody(n, loop.body, bind);
  if (failed(results))
    return failure();
  Tensor *condition = n.reshape((*results)[0], {});
  if (!condition || condition->type != DataType::Bool)
    return n.error() << "expects a body whose first output is a condition";
  Scalar s(n.b, n.loc);
  SmallVector<Value> yielded = {
      s.add(block->getArgument(0), s.integer(n.b.getI64Type(), 1)),
      s.extract(n.value(condition), {})};
  for (unsigned at = 0; at < loop.types.size(); ++at) {
    Tensor *tensor = (*results)[at + 1];
    if (at >= carried) {
      // Scans grow by one along a new leading dim.
      Tensor *old = fromRegion(n, block->getArgument(at + 2), tensor->type);
      tensor = n.unsqueeze(tensor, int64_t(0));
      if (old->rank() != tensor->rank())
        return n.error() << "has a scan output whose rank changes";
      Sizes dims = {old->dims[0] + 1};
      llvm::append_range(dims, ArrayRef(tensor->dims).drop_front());
      Value parts[] = {n.value(old), n.value(tensor)};
      tensor = n.make(tensor::ConcatOp::create(
                          n.b, n.loc, n.typeOf(dims, tensor->type), 0, parts),
                      tensor->type, dims);
    }
    if (tensor->type != loop.elements[at] ||
        tensor->rank() != loop.types[at].getRank())
      return n.error() << "carries a tensor whose type or rank changes";
    Value value = n.value(tensor);
    RankedTensorType joined =
        join(loop.types[at], cast<RankedTensorType>(value.getType()));
    stable &= joined == loop.types[at];
    loop.types[at] = joined;
    yielded.push_back(castTo(n, value, joined));
  }
  if (stable)
    scf::YieldOp::create(n.b, n.loc, yielded);
  return success();
}

/// Types of the scans: found from the first import of the body, in which they
/// are unknown. Returns the element types and ranks.
static LogicalResult findScanTypes(Node &n, LoopImport &loop) {
  Region scratch;
  OpBuilder::InsertionGuard guard(n.b);
  SmallVector<Type> types = {n.b.getI64Type(), n.b.getI1Type()};
  types.append(loop.types.begin(), loop.types.end());
  SmallVector<Location> locations(types.size(), n.loc);
  Block *block = n.b.createBlock(&scratch, {}, types, locations);
  auto bind = [&](Graph &graph) {
    for (unsigned at = 0; at < 2; ++at) {
      Value scalar = block->getArgument(at);
      Value tensor = tensor::FromElementsOp::create(
          n.b, n.loc, RankedTensorType::get({}, scalar.getType()), scalar);
      (void)graph.define(
          loop.body.input(at).name(),
          n.make(tensor, at ? DataType::Bool : DataType::Int64, {}));
    }
    for (unsigned at = 0; at < loop.numCarried; ++at)
      (void)graph.define(
          loop.body.input(at + 2).name(),
          fromRegion(n, block->getArgument(at + 2), loop.elements[at]));
  };
  FailureOr<SmallVector<Tensor *>> results = importBody(n, loop.body, bind);
  if (failed(results))
    return failure();
  for (unsigned at = 0; at < loop.numScans; ++at) {
    Tensor *tensor = (*results)[1 + loop.numCarried + at];
    SmallVector<int64_t> shape = {ShapedType::kDynamic};
    for (AffineExpr dim : tensor->dims)
      shape.push_back(Emitter::known(dim).value_or(ShapedType::kDynamic));
    loop.types.push_back(RankedTensorType::get(
        shape, elementType(tensor->type, n.state.context)));
    loop.elements.push_back(tensor->type);
  }
  return success();
}

/// Builds scf.while around a finished body.
static scf::WhileOp buildWhile(Node &n, LoopImport &loop, Region &body,
                               ArrayRef<Value> initial) {
  SmallVector<Value> operands(initial);
  SmallVector<Type> types = {n.b.getI64Type(), n.b.getI1Type()};
  types.append(loop.types.begin(), loop.types.end());
  for (auto [operand, type] : llvm::zip(operands, types))
    if (isa<RankedTensorType>(type))
      operand = castTo(n, operand, type);
  auto op = scf::WhileOp::create(n.b, n.loc, types, operands);
  SmallVector<Location> locations(types.size(), n.loc);
  OpBuilder::InsertionGuard guard(n.b);
  Block *before = n.b.createBlock(&op.getBefore(), {}, types, locations);
  Value more = before->getArgument(1);
  Scalar s(n.b, n.loc);
  if (loop.limit)
    more = s.bitAnd(more,
                    s.compare(Order::LT, before->getArgument(0), loop.limit));
  scf::ConditionOp::create(n.b, n.loc, more, before->getArguments());
  op.getAfter().takeBody(body);
  return op;
}

static LogicalResult importLoop(Node &n) {
  onnx::GraphProto *body = n.subgraph("body");
  if (!body)
    return failure();
  unsigned carried = n.numInputs() > 2 ? n.numInputs() - 2 : 0;
  if (body->input_size() != static_cast<int>(carried + 2) ||
      body->output_size() < static_cast<int>(carried + 1) ||
      n.numOutputs() > static_cast<unsigned>(body->output_size() - 1))
    return n.error() << "has a body with " << body->input_size()
                     << " inputs and " << body->output_size() << " outputs for "
                     << n.numInputs() << " inputs and " << n.numOutputs()
                     << " outputs";
  Scalar s(n.b, n.loc);
  LoopImport loop{*body, carried, body->output_size() - 1 - carried,
                  {},    {},      nullptr};
  auto scalar = [&](Tensor *tensor) -> Value {
    Tensor *flat = n.reshape(tensor, {});
    return flat ? s.extract(n.value(flat), {}) : nullptr;
  };
  auto isScalar = [&](unsigned at, DataType type) {
    Tensor *x = n.input(at);
    if (!x || (x->type == type && llvm::all_of(x->dims, [&](AffineExpr dim) {
                 return dim == n.size(1);
               })))
      return true;
    n.error() << "expects input " << at << " to be one " << nameOf(type);
    return false;
  };
  if (!isScalar(0, DataType::Int64) || !isScalar(1, DataType::Bool))
    return failure();
  if (n.input(0))
    loop.limit = scalar(n.input(0));
  SmallVector<Value> initial = {s.integer(n.b.getI64Type(), 0),
                                n.input(1) ? scalar(n.input(1))
                                           : s.integer(n.b.getI1Type(), 1)};
  for (unsigned at = 0; at < carried; ++at) {
    if (!n.input(at + 2))
      return n.error() << "input " << at + 2 << " is missing";
    initial.push_back(n.value(n.input(at + 2)));
    loop.types.push_back(cast<RankedTensorType>(initial.back().getType()));
    loop.elements.push_back(n.input(at + 2)->type);
  }
  if (failed(findScanTypes(n, loop)))
    return failure();
  for (unsigned at = carried; at < loop.types.size(); ++at) {
    SmallVector<int64_t> shape(loop.types[at].getShape());
    Sizes dims;
    for (auto [position, size] : llvm::enumerate(shape))
      dims.push_back(
          n.size(position == 0 || ShapedType::isDynamic(size) ? 0 : size));
    initial.push_back(n.empty(dims, loop.elements[at]));
  }
  // Each round that is not stable widens a size.
  while (true) {
    Region region;
    bool stable = true;
    if (failed(importLoopBody(n, loop, region, stable)))
      return failure();
    if (!stable)
      continue;
    scf::WhileOp op = buildWhile(n, loop, region, initial);
    for (unsigned at = 0; at < n.numOutputs(); ++at)
      if (n.wants(at) && failed(n.output(at, fromRegion(n, op.getResult(at + 2),
                                                        loop.elements[at]))))
        return failure();
    return success();
  }
}

ArrayRef<Operator> mlir::prune::onnx_import::controlOperators() {
  static const Operator operators[] = {
      {"If", 1, kNewest, 1, ChannelRule::Keep, importIf,
       "branches give equal types and ranks"},
      {"Loop", 1, kNewest, 0, ChannelRule::Keep, importLoop,
       "carried tensors keep type and rank"},
  };
  return operators;
}
