//===- Placement.cpp - MaxUnpool, Col2Im, CenterCropPad -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that put elements, or all of a tensor, into a larger one: what a
// pool took out goes back to its place, windows are added where they overlap,
// an image is centered in a frame.
//
//===----------------------------------------------------------------------===//

#include "Window.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// The size, or zero if it is negative.
static AffineExpr atLeastZero(Node &n, AffineExpr size) {
  if (std::optional<int64_t> known = Emitter::known(size))
    return n.size(std::max<int64_t>(*known, 0));
  Scalar s(n.b, n.loc);
  return n.symbol(s.max(n.index(size), s.index(0)));
}

//===----------------------------------------------------------------------===//
// MaxUnpool
//===----------------------------------------------------------------------===//

/// The sizes of what the pool read, without what its padding hides.
static std::optional<Sizes> unpooledSizes(Node &n) {
  Tensor *x = n.input(0);
  unsigned rank = x->rank() - 2;
  SmallVector<int64_t> kernel = n.integers("kernel_shape");
  SmallVector<int64_t> strides =
      n.integers("strides", SmallVector<int64_t>(rank, 1));
  SmallVector<int64_t> pads =
      n.integers("pads", SmallVector<int64_t>(2 * rank, 0));
  auto isValid = [](ArrayRef<int64_t> values, size_t count, int64_t least) {
    return values.size() == count && llvm::all_of(values, [&](int64_t value) {
             return value >= least && value < (int64_t(1) << 31);
           });
  };
  if (!isValid(kernel, rank, 1) || !isValid(strides, rank, 1) ||
      !isValid(pads, 2 * rank, 0)) {
    n.error() << "expects " << rank << " positive numbers in 'kernel_shape' "
              << "and 'strides', and " << 2 * rank << " in 'pads'";
    return std::nullopt;
  }
  Sizes dims = {x->dims[0], x->dims[1]};
  for (unsigned dim = 0; dim < rank; ++dim)
    dims.push_back((x->dims[dim + 2] - 1) * strides[dim] + kernel[dim] -
                   pads[dim] - pads[dim + rank]);
  return dims;
}

/// Widens a tensor at the ends to the sizes in input 2.
static Tensor *enlarge(Node &n, Tensor *x) {
  auto shape = n.elements(2);
  if (!x || !shape)
    return nullptr;
  if (shape->size() != x->dims.size()) {
    n.error() << "expects an output_shape of " << x->rank()
              << " numbers, but got " << shape->size();
    return nullptr;
  }
  Sizes low(x->rank(), n.size(0)), high;
  for (auto [from, to] : llvm::zip(x->dims, *shape)) {
    high.push_back(atLeastZero(n, to - from));
    if (!n.requireEqual(from + high.back(), to,
                        "unpooled size and one that "
                        "output_shape covers"))
      return nullptr;
  }
  return n.pad(x, low, high);
}

static LogicalResult importMaxUnpool(Node &n) {
  Tensor *x = n.input(0), *indices = n.input(1);
  if (!n.hasRank(0, 3) || !n.hasRank(1, x->rank(), x->rank()))
    return failure();
  if (indices->type != DataType::Int64)
    return n.error() << "expects indices of type int64, but got "
                     << nameOf(indices->type);
  for (auto [dim, other] : llvm::zip(x->dims, indices->dims))
    if (!n.requireEqual(dim, other, "sizes of input and indices"))
      return failure();
  std::optional<Sizes> dims = unpooledSizes(n);
  if (!dims)
    return failure();
  // Before their product is taken.
  (void)n.typeOf(*dims, x->type);
  if (n.state.failed)
    return failure();
  AffineExpr count = n.product(*dims);
  Tensor *zeros = n.make(n.splat(count, x->type, 0.0), x->type, count);
  Value source = n.value(x), which = n.value(indices), size = n.index(count);
  Tensor *flat = n.loopOver(
      x->dims, zeros, [&](Scalar &s, ValueRange at, Value whole) -> Value {
        Value to = indexWithin(s, s.extract(which, at), size);
        return tensor::InsertOp::create(s.b, s.loc, s.extract(source, at),
                                        whole, to);
      });
  Tensor *result = n.reshape(flat, *dims);
  return n.output(n.input(2) ? enlarge(n, result) : result);
}

//===----------------------------------------------------------------------===//
// Col2Im
//===----------------------------------------------------------------------===//

namespace {
/// The windows of the image, and how many channels a column has.
struct Columns {
  Window window;
  AffineExpr channels;
};
} // namespace

static std::optional<Columns> readColumns(Node &n, ArrayRef<AffineExpr> image,
                                          ArrayRef<int64_t> kernel) {
  Tensor *x = n.input(0);
  if (image.empty() || image.size() != kernel.size()) {
    n.error() << "expects image_shape and block_shape of equal lengths, but "
              << "got " << image.size() << " and " << kernel.size();
    return std::nullopt;
  }
  if (llvm::any_of(n.integers("pads"), [](int64_t pad) { return pad < 0; })) {
    n.error() << "expects no negative pads";
    return std::nullopt;
  }
  // Windows in general have one; this operator does not.
  if (n.has("auto_pad")) {
    n.error() << "attribute 'auto_pad' is not supported";
    return std::nullopt;
  }
  std::optional<Window> window = readWindow(n, image, kernel, false);
  if (!window)
    return std::nullopt;
  AffineExpr block = n.size(1);
  for (int64_t size : kernel)
    block = block * size;
  AffineExpr channels = x->dims[1].floorDiv(block);
  std::optional<int64_t> rows = Emitter::known(x->dims[1]),
                         step = Emitter::known(block);
  if (!step || (rows && *rows % *step != 0)) {
    n.error() << "expects a multiple of the block's size, " << n.text(block)
              << ", as number of rows, but got " << n.text(x->dims[1]);
    return std::nullopt;
  }
  if (!n.requireEqual(channels * block, x->dims[1],
                      "numbers of rows and of elements of blocks") ||
      !n.requireEqual(n.product(window->out), x->dims[2],
                      "numbers of blocks and columns"))
    return std::nullopt;
  return Columns{*window, channels};
}

/// The row-major number of a position.
static Value flatten(Scalar &s, ValueRange at, ArrayRef<Value> sizes) {
  Value result = s.index(0);
  for (auto [position, size] : llvm::zip_equal(at, sizes))
    result = s.add(s.mul(result, size), position);
  return result;
}

/// Adds each column to its window of a padded image of zeros.
static Tensor *addColumns(Node &n, const Columns &columns,
                          ArrayRef<AffineExpr> padded) {
  Tensor *x = n.input(0);
  const Window &window = columns.window;
  unsigned rank = window.rank();
  Sizes parts = {x->dims[0], columns.channels};
  for (int64_t size : window.kernel)
    parts.push_back(n.size(size));
  llvm::append_range(parts, window.out);
  Tensor *zeros = n.make(n.splat(padded, x->type, 0.0), x->type, padded);
  if (n.state.failed)
    return nullptr;
  Value source = n.value(x);
  SmallVector<Value> sizes = llvm::map_to_vector(
      parts, [&](AffineExpr size) { return n.index(size); });
  return n.loopOver(
      parts, zeros, [&](Scalar &s, ValueRange at, Value whole) -> Value {
        Value row = flatten(s, at.slice(1, 1 + rank),
                            ArrayRef(sizes).slice(1, 1 + rank));
        Value column = flatten(s, at.drop_front(2 + rank),
                               ArrayRef(sizes).drop_front(2 + rank));
        SmallVector<Value> to(at.take_front(2));
        for (unsigned dim = 0; dim < rank; ++dim)
          to.push_back(
              s.add(s.mul(at[2 + rank + dim], s.index(window.strides[dim])),
                    s.mul(at[2 + dim], s.index(window.dilations[dim]))));
        Value element = s.extract(source, {at[0], row, column});
        Value sum = s.add(s.extract(whole, to), element);
        return tensor::InsertOp::create(s.b, s.loc, sum, whole, to);
      });
}

static LogicalResult importCol2Im(Node &n) {
  if (!n.hasRank(0, 3, 3))
    return failure();
  if (n.input(0)->type == DataType::Bool)
    return n.error() << "expects numbers, but got booleans";
  auto image = n.elements(1);
  if (!image)
    return failure();
  auto kernel = n.constants(2);
  if (!kernel)
    return failure();
  n.computeWide();
  std::optional<Columns> columns = readColumns(n, *image, *kernel);
  if (!columns)
    return failure();
  Sizes padded = {n.input(0)->dims[0], columns->channels}, sizes(padded);
  Sizes offsets(2, n.size(0));
  for (auto [dim, size] : llvm::enumerate(*image)) {
    const Window &window = columns->window;
    padded.push_back(size + window.low[dim] + window.high[dim]);
    offsets.push_back(window.low[dim]);
    sizes.push_back(size);
  }
  Tensor *sums = addColumns(n, *columns, padded);
  return n.output(sums ? n.slice(sums, offsets, sizes,
                                 SmallVector<int64_t>(sums->rank(), 1))
                       : nullptr);
}

//===----------------------------------------------------------------------===//
// CenterCropPad
//===----------------------------------------------------------------------===//

static LogicalResult importCenterCropPad(Node &n) {
  Tensor *x = n.input(0);
  auto shape = n.elements(1);
  if (!shape)
    return failure();
  auto axes = n.has("axes") ? n.axes(n.integers("axes"), x->rank())
                            : range(0, x->rank());
  if (!axes)
    return failure();
  if (axes->size() != shape->size())
    return n.error() << "expects a shape of " << axes->size()
                     << " numbers, but got " << shape->size();
  Sizes offsets(x->rank(), n.size(0)), sizes(x->dims), low(offsets),
      high(offsets);
  for (auto [axis, to] : llvm::zip(*axes, *shape)) {
    AffineExpr size = x->dims[axis];
    if (to == size)
      continue;
    AffineExpr lost = atLeastZero(n, size - to);
    AffineExpr gained = atLeastZero(n, to - size);
    offsets[axis] = lost.floorDiv(2);
    sizes[axis] = size - lost;
    low[axis] = gained.floorDiv(2);
    high[axis] = gained - low[axis];
  }
  Tensor *cropped =
      n.slice(x, offsets, sizes, SmallVector<int64_t>(x->rank(), 1));
  return n.output(cropped ? n.pad(cropped, low, high) : nullptr);
}

ArrayRef<Operator> mlir::prune::onnx_import::placementOperators() {
  static const Operator operators[] = {
      {"CenterCropPad", 18, kNewest, 2, ChannelRule::Keep, importCenterCropPad},
      {"Col2Im", 18, kNewest, 3, ChannelRule::Keep, importCol2Im,
       "the block's shape is constant"},
      {"MaxUnpool", 9, kNewest, 2, ChannelRule::Keep, importMaxUnpool},
  };
  return operators;
}
