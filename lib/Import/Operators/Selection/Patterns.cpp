//===- Patterns.cpp - Tensors made from positions -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators whose result is a pattern: one-hot rows, a diagonal, a triangle.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

static LogicalResult importOneHot(Node &n) {
  Tensor *indices = n.input(0), *values = n.input(2);
  std::optional<int64_t> axis =
      n.axis(n.integer("axis", -1), indices->rank() + 1);
  if (!axis || !n.hasRank(2, 1, 1) ||
      !n.requireEqual(values->dims[0], n.size(2), "number of values and 2"))
    return failure();
  AffineExpr depth;
  if (std::optional<double> number = n.scalarOf(n.input(1))) {
    depth = n.size(toInteger(*number));
  } else {
    if (isFloat(n.input(1)->type))
      return n.error() << "expects a depth that is a constant or an integer";
    auto elements = n.elements(1);
    if (!elements || elements->size() != 1)
      return n.state.failed ? failure()
                            : LogicalResult(n.error() << "expects one depth");
    depth = elements->front();
  }
  Sizes dims(indices->dims);
  dims.insert(dims.begin() + *axis, depth);
  Value which = n.value(indices), choice = n.value(values),
        size = n.index(depth);
  DataType from = indices->type;
  return n.output(n.generate(dims, values->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> position(at);
    position.erase(position.begin() + *axis);
    Scalar plain(s.b, s.loc);
    Value element = plain.cast(s.extract(which, position), s.b.getI64Type(),
                               isUnsigned(from));
    Value hot = plain.toIndex(element);
    hot = plain.select(plain.compare(Order::LT, hot, plain.index(0)),
                       plain.add(hot, size), hot);
    Value isHot = plain.compare(Order::EQ, hot, at[*axis]);
    return s.extract(choice,
                     plain.select(isHot, plain.index(1), plain.index(0)));
  }));
}

static LogicalResult importEyeLike(Node &n) {
  Tensor *x = n.input(0);
  int64_t diagonal = n.integer("k", 0);
  auto type =
      static_cast<DataType>(n.integer("dtype", static_cast<int64_t>(x->type)));
  if (!n.hasRank(0, 2, 2))
    return failure();
  if (!elementType(type, n.state.context))
    return n.error() << "cannot make elements of type " << nameOf(type);
  return n.output(n.generate(x->dims, type, [&](Scalar &s, ValueRange at) {
    Scalar plain(s.b, s.loc);
    Value on =
        plain.compare(Order::EQ, plain.add(at[0], s.index(diagonal)), at[1]);
    Type element = elementType(type, n.state.context);
    return s.select(on, s.constant(element, 1), s.constant(element, 0));
  }));
}

static LogicalResult importTrilu(Node &n) {
  Tensor *x = n.input(0);
  bool upper = n.integer("upper", 1);
  if (!n.hasRank(0, 2))
    return failure();
  AffineExpr diagonal = n.size(0);
  if (n.input(1)) {
    auto elements = n.elements(1);
    if (!elements || elements->size() != 1)
      return n.state.failed
                 ? failure()
                 : LogicalResult(n.error() << "expects one diagonal");
    diagonal = elements->front();
  }
  Value source = n.value(x), offset = n.index(diagonal);
  return n.output(n.generate(x->dims, x->type, [&](Scalar &s, ValueRange at) {
    Scalar plain(s.b, s.loc);
    Value start = plain.add(at[at.size() - 2], offset);
    Value keep = plain.compare(upper ? Order::GE : Order::LE, at.back(), start);
    Value element = s.extract(source, at);
    return s.select(keep, element, s.constant(element.getType(), 0));
  }));
}

ArrayRef<Operator> mlir::prune::onnx_import::patternOperators() {
  static const Operator operators[] = {
      {"EyeLike", 9, kNewest, 1, ChannelRule::Keep, importEyeLike},
      {"OneHot", 9, kNewest, 3, ChannelRule::Keep, importOneHot,
       "a depth that is no integer is a constant"},
      {"Trilu", 14, kNewest, 1, ChannelRule::Keep, importTrilu},
  };
  return operators;
}
