//===- MovementOperators.cpp - Transpose, Concat, Slice, Pad and more -----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

static LogicalResult importTranspose(Node &n) {
  Tensor *x = n.input(0);
  SmallVector<int64_t> order = n.integers("perm");
  if (order.empty())
    order = range(0, x->rank());
  if (!n.has("perm"))
    std::reverse(order.begin(), order.end());
  std::optional<SmallVector<int64_t>> permutation = n.axes(order, x->rank());
  if (!permutation)
    return failure();
  if (static_cast<int64_t>(permutation->size()) != x->rank())
    return n.error() << "expects a permutation of " << x->rank() << " axes";
  return n.output(n.transpose(x, *permutation));
}

static LogicalResult importConcat(Node &n) {
  Tensor *first = n.input(0);
  if (n.opset >= 4 && !n.has("axis"))
    return n.error() << "expects an axis";
  if (!n.hasRank(0, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", 1), first->rank());
  if (!axis)
    return failure();
  SmallVector<Tensor *> parts;
  for (unsigned at = 0; at < n.numInputs(); ++at) {
    if (!n.input(at))
      return n.error() << "input " << at << " is missing";
    if (!n.hasRank(at, first->rank(), first->rank()) || !n.sameTypes({0, at}))
      return failure();
    // Empty parts add nothing.
    if (n.input(at)->dims[*axis] != n.size(0) || n.numInputs() == 1)
      parts.push_back(n.input(at));
  }
  if (parts.empty())
    return n.output(first);
  return n.output(n.concat(parts, *axis));
}

/// The sizes of the parts: stated, or as equal as possible.
static std::optional<SmallVector<int64_t>> readParts(Node &n, AffineExpr dim) {
  std::optional<int64_t> size = Emitter::known(dim);
  SmallVector<int64_t> parts;
  if (n.opset < 13) {
    parts = n.integers("split");
  } else if (n.input(1)) {
    std::optional<SmallVector<int64_t>> given = n.constants(1);
    if (!given)
      return std::nullopt;
    parts = *given;
  }
  int64_t total = 0;
  if (parts.empty()) {
    int64_t count = n.opset >= 18 ? n.integer("num_outputs", n.numOutputs())
                                  : n.numOutputs();
    if (!size) {
      n.error() << "cannot divide an open size; fix it with --dim";
      return std::nullopt;
    }
    if (count < 1 || count > 100000 || (n.opset < 18 && *size % count != 0)) {
      n.error() << "cannot divide " << *size << " into " << count
                << " equal parts";
      return std::nullopt;
    }
    int64_t part = llvm::divideCeil(*size, count);
    for (int64_t at = 0; at < count; ++at) {
      parts.push_back(std::clamp<int64_t>(*size - total, 0, part));
      total += parts.back();
    }
  } else {
    for (int64_t part : parts)
      total =
          part < 0 || total < 0 ? -1 : total + std::min(part, int64_t(1) << 40);
  }
  if (!n.requireEqual(n.size(total), dim, "sum of the parts and size"))
    return std::nullopt;
  return parts;
}

static LogicalResult importSplit(Node &n) {
  Tensor *x = n.input(0);
  if (!n.hasRank(0, 1))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", 0), x->rank());
  if (!axis)
    return failure();
  std::optional<SmallVector<int64_t>> parts = readParts(n, x->dims[*axis]);
  if (!parts)
    return failure();
  if (parts->size() < n.numOutputs())
    return n.error() << "has " << n.numOutputs() << " outputs, but "
                     << parts->size() << " parts";
  int64_t offset = 0;
  for (unsigned at = 0; at < n.numOutputs(); ++at) {
    if (failed(n.output(
            at, n.slice(x, *axis, n.size(offset), n.size((*parts)[at])))))
      return failure();
    offset += (*parts)[at];
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// An end of a slice along a dim: counted from the end if negative, and kept
/// within [low, size + high].
static AffineExpr clampBound(Node &n, AffineExpr bound, AffineExpr size,
                             int64_t low, int64_t high) {
  std::optional<int64_t> value = Emitter::known(bound);
  std::optional<int64_t> extent = Emitter::known(size);
  if (value && extent) {
    int64_t at = *value < 0 ? *value + *extent : *value;
    return n.size(std::clamp<int64_t>(at, low, *extent + high));
  }
  // Common ways to say "all", and short heads of open sizes.
  if (value && *value >= (int64_t(1) << 31) - 1)
    return size + high;
  if (value && *value == 0)
    return n.size(std::max<int64_t>(0, low));
  if (bound == size)
    return size + high;
  Scalar s(n.b, n.loc);
  Value at = n.index(bound), all = n.index(size);
  at = s.select(s.compare(Order::LT, at, s.index(0)), s.add(at, all), at);
  at = s.max(at, s.index(low));
  return n.symbol(s.min(at, s.add(all, s.index(high))));
}

static LogicalResult importSlice(Node &n) {
  Tensor *x = n.input(0);
  std::optional<SmallVector<AffineExpr>> starts, ends;
  SmallVector<int64_t> axes, steps;
  auto asSizes = [&](ArrayRef<int64_t> values) {
    return llvm::map_to_vector(values, [&](int64_t v) { return n.size(v); });
  };
  auto read = [&](unsigned at, SmallVector<int64_t> &values) {
    if (!n.input(at))
      return true;
    std::optional<SmallVector<int64_t>> given = n.constants(at);
    if (given)
      values = *given;
    return given.has_value();
  };
  if (n.opset < 10) {
    starts = asSizes(n.integers("starts"));
    ends = asSizes(n.integers("ends"));
    axes = n.integers("axes");
  } else {
    if (!n.input(1) || !n.input(2))
      return n.error() << "expects starts and ends";
    starts = n.elements(1);
    ends = n.elements(2);
    if (!starts || !ends || !read(3, axes) || !read(4, steps))
      return failure();
  }
  size_t count = starts->size();
  if (axes.empty())
    axes = range(0, count);
  if (steps.empty())
    steps.assign(count, 1);
  std::optional<SmallVector<int64_t>> positions = n.axes(axes, x->rank());
  if (!positions)
    return failure();
  if (ends->size() != count || axes.size() != count || steps.size() != count)
    return n.error() << "expects starts, ends, axes and steps of equal lengths";

  Sizes offsets(x->rank(), n.size(0)), sizes(x->dims);
  SmallVector<int64_t> strides(x->rank(), 1);
  for (size_t at = 0; at < count; ++at) {
    int64_t axis = (*positions)[at], step = steps[at];
    AffineExpr dim = x->dims[axis];
    if (step == 0)
      return n.error() << "has a step of zero";
    step = std::clamp<int64_t>(step, -(int64_t(1) << 40), int64_t(1) << 40);
    AffineExpr from, extent;
    if (step > 0) {
      from = clampBound(n, (*starts)[at], dim, 0, 0);
      AffineExpr to = clampBound(n, (*ends)[at], dim, 0, 0);
      extent = (to - from).ceilDiv(step);
    } else {
      from = clampBound(n, (*starts)[at], dim, 0, -1);
      // An end before the first element is below -size.
      std::optional<int64_t> end = Emitter::known((*ends)[at]);
      AffineExpr to = end && *end <= -(int64_t(1) << 31)
                          ? n.size(-1)
                          : clampBound(n, (*ends)[at], dim, -1, -1);
      extent = (from - to).ceilDiv(-step);
    }
    if (std::optional<int64_t> size = Emitter::known(extent)) {
      extent = n.size(std::max<int64_t>(*size, 0));
    } else if (extent != dim) {
      Scalar s(n.b, n.loc);
      extent = n.symbol(s.max(n.index(extent), s.index(0)));
    }
    offsets[axis] = from;
    sizes[axis] = extent;
    strides[axis] = step;
  }
  return n.output(n.slice(x, offsets, sizes, strides));
}

//===----------------------------------------------------------------------===//
// Pad and Tile
//===----------------------------------------------------------------------===//

/// The position in a dim of `size` that a position outside stands for.
static Value reflect(Scalar &s, StringRef mode, Value at, Value size) {
  Value one = s.index(1), zero = s.index(0);
  if (mode == "edge")
    return s.max(s.min(at, s.sub(size, one)), zero);
  if (mode == "wrap") {
    Value rest = s.rem(at, size);
    return s.select(s.compare(Order::LT, rest, zero), s.add(rest, size), rest);
  }
  // Forth and back again: a period of twice the size, less the ends.
  Value last = s.sub(size, one);
  Value period = s.max(s.mul(last, s.index(2)), one);
  Value rest = s.rem(at, period);
  rest = s.select(s.compare(Order::LT, rest, zero), s.add(rest, period), rest);
  return s.min(rest, s.sub(period, rest));
}

static LogicalResult importPad(Node &n) {
  Tensor *x = n.input(0);
  std::string mode = n.string("mode", "constant");
  std::optional<SmallVector<AffineExpr>> pads;
  TypedAttr fill = n.attribute(x->type, 0);
  Tensor *value = nullptr;
  if (n.opset < 11) {
    SmallVector<int64_t> given = n.integers(n.opset < 2 ? "paddings" : "pads");
    pads = llvm::map_to_vector(given, [&](int64_t v) { return n.size(v); });
    fill = n.attribute(x->type, n.number("value", 0));
  } else {
    if (!n.input(1))
      return n.error() << "expects pads";
    pads = n.elements(1);
    value = n.input(2);
  }
  if (!pads)
    return failure();
  SmallVector<int64_t> axes = range(0, x->rank());
  if (n.opset >= 18 && n.input(3)) {
    auto given = n.constants(3);
    auto positions = given ? n.axes(*given, x->rank()) : std::nullopt;
    if (!positions)
      return failure();
    axes = *positions;
  }
  if (pads->size() != 2 * axes.size())
    return n.error() << "expects " << 2 * axes.size() << " pads, but got "
                     << pads->size();
  Sizes low(x->rank(), n.size(0)), high(low);
  for (auto [at, axis] : llvm::enumerate(axes)) {
    low[axis] = (*pads)[at];
    high[axis] = (*pads)[at + axes.size()];
  }
  // Negative pads crop.
  for (int64_t dim = 0; dim < x->rank(); ++dim) {
    auto crop = [&](AffineExpr &pad) {
      std::optional<int64_t> amount = Emitter::known(pad);
      if (!amount || *amount >= 0)
        return n.size(0);
      AffineExpr cropped = -pad;
      pad = n.size(0);
      return cropped;
    };
    AffineExpr first = crop(low[dim]), last = crop(high[dim]);
    if (first != n.size(0) || last != n.size(0))
      x = n.slice(x, dim, first, x->dims[dim] - first - last);
    if (!x)
      return failure();
  }
  if (mode == "constant") {
    if (value) {
      std::optional<double> number = n.scalarOf(value);
      if (!number || value->type != x->type)
        return n.error() << "expects the padding value to be a constant of the "
                            "input's type";
      fill = n.attribute(x->type, *number);
      // A double does not hold every integer.
      if (!isFloat(x->type))
        fill = n.b.getIntegerAttr(
            elementType(x->type, n.state.context),
            integerOf(elementType(x->type, n.state.context),
                      *Emitter::known(value->contents->ints[0])));
    }
    return n.output(n.pad(x, low, high, fill));
  }
  if (mode != "edge" && mode != "reflect" && mode != "wrap")
    return n.error() << "has an unknown mode, '" << mode << "'";
  Sizes dims;
  SmallVector<Value> lows, extents;
  for (int64_t dim = 0; dim < x->rank(); ++dim) {
    dims.push_back(low[dim] + x->dims[dim] + high[dim]);
    if (x->dims[dim] == n.size(0))
      return n.error() << "cannot pad an empty tensor by its elements";
    lows.push_back(n.index(low[dim]));
    extents.push_back(n.index(x->dims[dim]));
  }
  Value source = n.value(x);
  return n.output(n.generate(dims, x->type, [&](Scalar &s, ValueRange at) {
    SmallVector<Value> from;
    Scalar indices(s.b, s.loc);
    for (unsigned dim = 0; dim < at.size(); ++dim)
      from.push_back(dims[dim] == x->dims[dim] && low[dim] == n.size(0)
                         ? at[dim]
                         : reflect(indices, mode,
                                   indices.sub(at[dim], lows[dim]),
                                   extents[dim]));
    return s.extract(source, from);
  }));
}

static LogicalResult importTile(Node &n) {
  Tensor *x = n.input(0);
  if (n.opset < 6)
    return n.error() << "is supported since opset 6";
  auto repeats = n.elements(1);
  if (!repeats)
    return failure();
  if (static_cast<int64_t>(repeats->size()) != x->rank())
    return n.error() << "expects " << x->rank() << " repeats";
  // [A, B] as [r, A, s, B], folded again.
  Sizes split, wide, dims;
  for (auto [dim, count] : llvm::zip(x->dims, *repeats)) {
    split.append({n.size(1), dim});
    wide.append({count, dim});
    dims.push_back(dim * count);
  }
  n.typeOf(dims, x->type);
  if (n.state.failed)
    return failure();
  if (x->rank() == 0)
    return n.output(x);
  return n.output(n.reshape(n.expand(n.reshape(x, split), wide), dims));
}

//===----------------------------------------------------------------------===//
// Depth and space
//===----------------------------------------------------------------------===//

static bool readBlock(Node &n, int64_t &block, bool divides) {
  block = n.integer("blocksize", 0);
  if (!n.hasRank(0, 4, 4))
    return false;
  Tensor *x = n.input(0);
  if (block < 1 || block > 65536) {
    n.error() << "expects a positive blocksize, but got " << block;
    return false;
  }
  for (unsigned dim = divides ? 1 : 2; dim < (divides ? 2u : 4u); ++dim) {
    std::optional<int64_t> size = Emitter::known(x->dims[dim]);
    if (size && *size % (divides ? block * block : block) == 0)
      continue;
    n.error() << "cannot divide size " << n.text(x->dims[dim])
              << " into blocks of " << block
              << (size ? "" : "; fix it with --dim");
    return false;
  }
  return true;
}

static LogicalResult importDepthToSpace(Node &n) {
  int64_t block;
  std::string mode = n.string("mode", "DCR");
  if (!readBlock(n, block, true))
    return failure();
  if (mode != "DCR" && mode != "CRD")
    return n.error() << "has an unknown mode, '" << mode << "'";
  Tensor *x = n.input(0);
  AffineExpr b = n.size(block);
  AffineExpr depth = x->dims[1].floorDiv(block * block);
  bool depthFirst = mode == "CRD";
  Sizes split = depthFirst ? Sizes{x->dims[0], depth, b, b}
                           : Sizes{x->dims[0], b, b, depth};
  split.append({x->dims[2], x->dims[3]});
  Tensor *parts = n.reshape(x, split);
  if (!parts)
    return failure();
  parts = n.transpose(parts, depthFirst ? ArrayRef<int64_t>{0, 1, 4, 2, 5, 3}
                                        : ArrayRef<int64_t>{0, 3, 4, 1, 5, 2});
  return n.output(n.reshape(
      parts, {x->dims[0], depth, x->dims[2] * block, x->dims[3] * block}));
}

static LogicalResult importSpaceToDepth(Node &n) {
  int64_t block;
  if (!readBlock(n, block, false))
    return failure();
  Tensor *x = n.input(0);
  AffineExpr b = n.size(block);
  AffineExpr rows = x->dims[2].floorDiv(block);
  AffineExpr columns = x->dims[3].floorDiv(block);
  Tensor *parts = n.reshape(x, {x->dims[0], x->dims[1], rows, b, columns, b});
  if (!parts)
    return failure();
  parts = n.transpose(parts, {0, 3, 5, 1, 2, 4});
  return n.output(n.reshape(
      parts, {x->dims[0], x->dims[1] * block * block, rows, columns}));
}

ArrayRef<Operator> mlir::prune::onnx_import::movementOperators() {
  static const Operator operators[] = {
      {"Concat", 1, kNewest, 1, ChannelRule::Concat, importConcat},
      {"DepthToSpace", 1, kNewest, 1, ChannelRule::DepthToSpace,
       importDepthToSpace},
      {"Pad", 1, kNewest, 1, ChannelRule::Pad, importPad,
       "the padding value and the axes are constants"},
      {"Slice", 1, kNewest, 1, ChannelRule::Slice, importSlice,
       "axes and steps are constants"},
      {"SpaceToDepth", 1, kNewest, 1, ChannelRule::SpaceToDepth,
       importSpaceToDepth},
      {"Split", 2, kNewest, 1, ChannelRule::Split, importSplit,
       "the split is a constant"},
      {"Tile", 6, kNewest, 2, ChannelRule::Tile, importTile},
      {"Transpose", 1, kNewest, 1, ChannelRule::Transpose, importTranspose},
  };
  return operators;
}
