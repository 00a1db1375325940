//===- Matrix.cpp - Gemm and MatMul ---------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of two matrices and sums over products, by name and by equation.
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Einsum.h"
#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// alpha * A * B + beta * C.
static LogicalResult importGemm(Node &n) {
  double alpha = n.number("alpha", 1.0), beta = n.number("beta", 1.0);
  bool transposeA = n.integer("transA", 0), transposeB = n.integer("transB", 0);
  if (n.opset < 7)
    (void)n.integer("broadcast", 0);
  if (!n.hasRank(0, 2, 2) || !n.hasRank(1, 2, 2) || !n.sameTypes({0, 1, 2}))
    return failure();
  Tensor *result = n.gemm(n.input(0), n.input(1), transposeA, transposeB);
  if (!result)
    return failure();
  DataType type = result->type;
  if (type != n.input(0)->type)
    return n.error() << "expects elements of 32 bits or more, but got "
                     << nameOf(n.input(0)->type);
  Tensor *c = n.input(2);
  // Factors are too good for a rounding of their own.
  if (c && isHalf(type) && (alpha != 1.0 || beta != 1.0)) {
    Sizes dims = result->dims;
    result = n.map({result, c}, type, [&](Scalar &s, ValueRange v) {
      auto scale = [&](Value x, double by) {
        return s.mul(x, s.constant(x.getType(), by));
      };
      return s.add(scale(v[0], alpha), scale(v[1], beta));
    });
    if (result && result->dims != dims)
      return n.error() << "expects input 2 to broadcast to " << n.text(dims)
                       << ", but got " << n.text(c->dims);
    return n.output(activate(n, result));
  }
  if (alpha != 1.0)
    result = n.mul(result, n.Emitter::number(type, alpha));
  if (c && beta != 0.0) {
    if (beta != 1.0)
      c = n.mul(c, n.Emitter::number(type, beta));
    Sizes dims = result->dims;
    result = n.add(result, c);
    if (result && result->dims != dims)
      return n.error() << "expects input 2 to broadcast to " << n.text(dims)
                       << ", but got " << n.text(c->dims);
  }
  return n.output(activate(n, result));
}

static LogicalResult importMatMul(Node &n) {
  if (!n.hasRank(0, 1) || !n.hasRank(1, 1) || !n.sameTypes({0, 1}))
    return failure();
  Tensor *result = n.matmul(n.input(0), n.input(1));
  if (result && result->type != n.input(0)->type)
    return n.error() << "expects elements of 32 bits or more, but got "
                     << nameOf(n.input(0)->type);
  return n.output(result);
}

/// alpha * A * B, either of them read transposed.
static LogicalResult importFusedMatMul(Node &n) {
  double alpha = n.number("alpha", 1.0);
  if (n.integer("transBatchA", 0) || n.integer("transBatchB", 0))
    return n.error() << "the attributes transBatchA and transBatchB are not "
                        "supported";
  if (!n.hasRank(0, 1) || !n.hasRank(1, 1) || !n.sameTypes({0, 1}) ||
      !n.isFloating(0))
    return failure();
  n.computeWide();
  auto read = [&](unsigned at, StringRef isTransposed) {
    Tensor *x = n.input(at);
    // A vector has nothing to exchange.
    if (!n.integer(isTransposed, 0) || x->rank() < 2)
      return x;
    SmallVector<int64_t> order = range(0, x->rank());
    std::swap(order[x->rank() - 2], order[x->rank() - 1]);
    return n.transpose(x, order);
  };
  Tensor *x = read(0, "transA"), *y = read(1, "transB");
  Tensor *result = n.matmul(x, y);
  if (result && alpha != 1.0)
    result = n.mul(result, n.Emitter::number(result->type, alpha));
  return n.output(result);
}

ArrayRef<Operator> mlir::prune::onnx_import::matrixOperators() {
  static const Operator operators[] = {
      {"Einsum", 12, kNewest, 1, ChannelRule::Einsum, importEinsum},
      {"FusedGemm", 1, 1, 2, ChannelRule::Keep, importGemm, "", kRuntimeDomain},
      {"FusedMatMul", 1, 1, 2, ChannelRule::Keep, importFusedMatMul,
       "no transBatchA and transBatchB", kRuntimeDomain},
      {"Gemm", 1, kNewest, 2, ChannelRule::Gemm, importGemm,
       "no integers of 8 or 16 bits"},
      {"MatMul", 1, kNewest, 2, ChannelRule::MatMul, importMatMul,
       "no integers of 8 or 16 bits"},
  };
  return operators;
}
