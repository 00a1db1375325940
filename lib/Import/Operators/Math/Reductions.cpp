//===- Reductions.cpp - Reduce* -------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Axes are an attribute or, later, an input that has to be known.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// What to reduce, and how.
struct Reduction {
  SmallVector<int64_t> axes;
  bool keepDims;
};
} // namespace

static std::optional<Reduction> readReduction(Node &n) {
  Reduction reduction;
  int64_t rank = n.input(0)->rank();
  bool asInput =
      n.opset >= (StringRef(n.proto.op_type()) == "ReduceSum" ? 13 : 18);
  reduction.keepDims = n.integer("keepdims", 1);
  bool nothing = asInput && n.integer("noop_with_empty_axes", 0);
  SmallVector<int64_t> stated;
  if (!asInput) {
    stated = n.integers("axes");
  } else if (n.input(1)) {
    std::optional<SmallVector<int64_t>> given = n.constants(1);
    if (!given)
      return std::nullopt;
    stated = *given;
  }
  std::optional<SmallVector<int64_t>> axes = n.axes(stated, rank);
  if (!axes)
    return std::nullopt;
  reduction.axes = *axes;
  if (axes->empty() && !nothing)
    reduction.axes = range(0, rank);
  return reduction;
}

static Value multiply(Scalar &s, ValueRange v) { return s.mul(v[0], v[1]); }
static Value least(Scalar &s, ValueRange v) { return s.min(v[0], v[1]); }

static Tensor *square(Node &n, Tensor *x) {
  return n.map(x, x->type,
               [](Scalar &s, ValueRange v) { return s.mul(v[0], v[0]); });
}

/// max + log(sum(exp(x - max))), with an infinite max left out.
static Tensor *logSumExp(Node &n, Tensor *x, const Reduction &reduction) {
  Tensor *top = n.greatest(x, reduction.axes, true);
  if (!top)
    return nullptr;
  top = n.map(top, x->type, [](Scalar &s, ValueRange v) {
    Type type = v[0].getType();
    Value finite = s.compare(Order::LT, s.abs(v[0]), s.extreme(type, true));
    return s.select(finite, v[0], s.constant(type, 0));
  });
  Tensor *sums = n.sum(n.unary("Exp", n.sub(x, top)), reduction.axes, true);
  Tensor *result = n.add(n.unary("Log", sums), top);
  return reduction.keepDims || !result ? result
                                       : n.squeeze(result, reduction.axes);
}

static Tensor *reduceBy(Node &n, StringRef name, Tensor *x,
                        const Reduction &r) {
  auto sum = [&](Tensor *of) { return n.sum(of, r.axes, r.keepDims); };
  if (name == "ReduceSum")
    return sum(x);
  if (name == "ReduceMean")
    return n.mean(x, r.axes, r.keepDims);
  if (name == "ReduceMax")
    return n.greatest(x, r.axes, r.keepDims);
  if (name == "ReduceMin")
    return n.reduce(x, r.axes, r.keepDims, n.extreme(x->type, true), least);
  if (name == "ReduceProd")
    return n.reduce(x, r.axes, r.keepDims, n.attribute(x->type, 1), multiply);
  if (name == "ReduceL1")
    return sum(
        n.map(x, x->type, [](Scalar &s, ValueRange v) { return s.abs(v[0]); }));
  if (name == "ReduceSumSquare")
    return sum(square(n, x));
  if (name == "ReduceL2")
    return n.unary("Sqrt", sum(square(n, x)));
  if (name == "ReduceLogSum")
    return n.unary("Log", sum(x));
  return logSumExp(n, x, r);
}

/// The reduction of known elements, all of them: sizes and counts.
static Tensor *reduceSizes(Node &n, StringRef name, Tensor *x,
                           const Reduction &r) {
  if (!x->contents || x->rank() != 1 || r.axes.size() != 1 ||
      x->type != DataType::Int64)
    return nullptr;
  bool product = name == "ReduceProd";
  if (!product && name != "ReduceSum")
    return nullptr;
  AffineExpr result = n.size(product);
  for (AffineExpr element : x->contents->ints)
    result = product ? result * element : result + element;
  return n.makeInts(x->type, r.keepDims ? Sizes{n.size(1)} : Sizes{}, result);
}

static LogicalResult importReduce(Node &n) {
  StringRef name = n.proto.op_type();
  Tensor *x = n.input(0);
  std::optional<Reduction> reduction = readReduction(n);
  if (!reduction)
    return failure();
  bool needsFloat = name == "ReduceL2" || name.starts_with("ReduceLog");
  if (needsFloat && !n.isFloating(0))
    return failure();
  if (x->type == DataType::Bool && name != "ReduceMax" && name != "ReduceMin")
    return n.error() << "expects numbers, but got booleans";
  bool changes = needsFloat || name == "ReduceL1" || name == "ReduceSumSquare";
  if (reduction->axes.empty() && x->rank() != 0) {
    if (changes)
      return n.error() << "noop_with_empty_axes is not supported";
    return n.output(x);
  }
  if (Tensor *folded = reduceSizes(n, name, x, *reduction))
    return n.output(folded);
  // The sum of many narrow floats needs a wider one.
  n.computeWide();
  return n.output(reduceBy(n, name, n.input(0), *reduction));
}

ArrayRef<Operator> mlir::prune::onnx_import::reductionOperators() {
  static constexpr StringLiteral kAxes = "axes are constants";
  static constexpr StringLiteral kAxesThatAreThere =
      "axes are constants; no noop_with_empty_axes";
  static const Operator operators[] = {
      {"ReduceL1", 1, kNewest, 1, ChannelRule::Reduction, importReduce,
       kAxesThatAreThere},
      {"ReduceL2", 1, kNewest, 1, ChannelRule::Reduction, importReduce,
       kAxesThatAreThere},
      {"ReduceLogSum", 1, kNewest, 1, ChannelRule::Keep, importReduce,
       kAxesThatAreThere},
      {"ReduceLogSumExp", 1, kNewest, 1, ChannelRule::Keep, importReduce,
       kAxesThatAreThere},
      {"ReduceMax", 1, kNewest, 1, ChannelRule::Reduction, importReduce, kAxes},
      {"ReduceMean", 1, kNewest, 1, ChannelRule::Reduction, importReduce,
       kAxes},
      {"ReduceMin", 1, kNewest, 1, ChannelRule::Reduction, importReduce, kAxes},
      {"ReduceProd", 1, kNewest, 1, ChannelRule::Reduction, importReduce,
       kAxes},
      {"ReduceSum", 1, kNewest, 1, ChannelRule::Reduction, importReduce, kAxes},
      {"ReduceSumSquare", 1, kNewest, 1, ChannelRule::Reduction, importReduce,
       kAxesThatAreThere},
  };
  return operators;
}
