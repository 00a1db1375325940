//===- PackedConvolution.cpp - Build packed convolutions ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each image is written down with its padding, which takes one copy, or none
// where the convolution reads single positions without padding. Columns of the
// product are the positions of the padded image, row after row: the last few of
// each row are windows over its end, which are computed and left out. Behind
// channels of zeros follow the image, for the windows of the last columns to
// reach into.
//
// Whatever order the convolution has its dimensions in, the product has
// features and channels first, and transposes stand around it where that
// differs.
//
//===----------------------------------------------------------------------===//

#include "PackedConvolution.h"

#include "Conversion/Weights/Epilogue.h"
#include "Lowering/Tensors/CastElements.h"
#include "prune/Analysis/Fills.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune;

/// Elements of images that are cleared as a whole before they are written: they
/// stay in a near cache, and narrow borders take longer.
static constexpr int64_t kSmallImage = int64_t(1) << 17;

/// Phases that are copied one by one; more are separated by a transpose, which
/// is another walk through memory but no more code.
static constexpr int64_t kFewPhases = 16;

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

namespace {
/// An input without the zeros around it, and how many stood before it in each
/// dimension.
struct Padded {
  Value source;
  SmallVector<int64_t> low;
};
} // namespace

/// What a tensor is the padding of with zeros, along other dimensions than
/// `batch`.
static std::optional<Padded> matchPad(Value value,
                                      std::optional<unsigned> batch) {
  auto pad = value.getDefiningOp<tensor::PadOp>();
  if (!pad || !pad.getConstantPaddingValue() ||
      !isZero(pad.getConstantPaddingValue()) ||
      ShapedType::isDynamicShape(pad.getStaticLow()) ||
      ShapedType::isDynamicShape(pad.getStaticHigh()))
    return std::nullopt;
  auto isNegative = [](int64_t size) { return size < 0; };
  if (llvm::any_of(pad.getStaticLow(), isNegative) ||
      llvm::any_of(pad.getStaticHigh(), isNegative) ||
      (batch && (pad.getStaticLow()[*batch] || pad.getStaticHigh()[*batch])))
    return std::nullopt;
  return Padded{pad.getSource(), llvm::to_vector(pad.getStaticLow())};
}

/// The same for a tensor that was put into zeros, which is what padding is
/// lowered to.
static std::optional<Padded> matchInsert(Value value,
                                         std::optional<unsigned> batch) {
  auto insert = value.getDefiningOp<tensor::InsertSliceOp>();
  if (!insert || !isZero(insert.getDest()) ||
      insert.getSourceType().getRank() != insert.getType().getRank() ||
      ShapedType::isDynamicShape(insert.getStaticOffsets()) ||
      llvm::any_of(insert.getStaticStrides(), [](int64_t s) { return s != 1; }))
    return std::nullopt;
  if (batch) {
    // As many images as there are in the zeros.
    auto zeros = insert.getDest().getDefiningOp<linalg::LinalgOp>();
    auto empty = zeros ? zeros.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>()
                       : tensor::EmptyOp();
    bool isStatic = !insert.getSourceType().isDynamicDim(*batch) &&
                    insert.getSourceType().getDimSize(*batch) ==
                        insert.getType().getDimSize(*batch);
    bool isSame = empty && empty.getMixedSizes()[*batch] ==
                               insert.getMixedSizes()[*batch];
    if (insert.getStaticOffsets()[*batch] != 0 || (!isStatic && !isSame))
      return std::nullopt;
  }
  return Padded{insert.getSource(), llvm::to_vector(insert.getStaticOffsets())};
}

/// Whether all sizes but the number of images are known, and none but those in
/// space differ with the padding.
static bool isSpatial(const Padded &padded, RankedTensorType whole,
                      AffineMap map, std::optional<unsigned> batch) {
  auto type = cast<RankedTensorType>(padded.source.getType());
  for (unsigned dim = 0; dim != type.getRank(); ++dim) {
    if (batch && dim == *batch)
      continue;
    if (type.isDynamicDim(dim) || type.getDimSize(dim) == 0)
      return false;
    bool isChannel = isa<AffineDimExpr>(map.getResult(dim));
    if (isChannel && type.getDimSize(dim) != whole.getDimSize(dim))
      return false;
  }
  return true;
}

static Padded findPadding(const Convolution &conv) {
  Value value = conv.input->get();
  AffineMap map = conv.op.getMatchingIndexingMap(conv.input);
  std::optional<unsigned> batch;
  if (conv.batch)
    batch = findResult(map, *conv.batch);
  std::optional<Padded> found = matchPad(value, batch);
  if (!found)
    found = matchInsert(value, batch);
  auto type = cast<RankedTensorType>(value.getType());
  if (found && isSpatial(*found, type, map, batch))
    return *found;
  return {value, SmallVector<int64_t>(map.getNumResults(), 0)};
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

namespace {
/// Builds the product of one image after another.
class ImageProduct {
public:
  ImageProduct(RewriterBase &b, const Convolution &convolution,
               KernelAttr kernel, const PackedWeightValues &weight);

  Value createBatch(Epilogue &epilogue);

  PackedMatmulOp packed;

private:
  Value createImage(Value number, Epilogue &epilogue);
  Value widen(Value image);
  Value takeImage(Value number);
  Value createZeros(Value like);
  Value fillAround(Value image, ArrayRef<int64_t> begin, ArrayRef<int64_t> end);
  Value arrangeImage(Value image);
  Value copyPhases(Value image);
  Value transposePhases(Value image);
  Value arrangeResult(Value result);
  Value transpose(Value value, ArrayRef<int64_t> order);
  Value reshape(Value value, ArrayRef<int64_t> shape);
  Value slice(Value value, ArrayRef<int64_t> sizes);

  /// Part of a tensor.
  struct Box {
    SmallVector<OpFoldResult> offsets, sizes, steps;
  };
  Box getBox(ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
             ArrayRef<int64_t> steps = {}) {
    SmallVector<int64_t> ones(sizes.size(), 1);
    MLIRContext *context = b.getContext();
    return {getAsIndexOpFoldResult(context, offsets),
            getAsIndexOpFoldResult(context, sizes),
            getAsIndexOpFoldResult(context, steps.empty() ? ones : steps)};
  }

  RewriterBase &b;
  Location loc;
  const Convolution &conv;
  KernelAttr kernel;
  const PackedWeightValues &weight;
  AffineMap inputMap, outputMap;
  Padded input;
  /// Channels of an image and those of zeros behind it; columns of the product.
  int64_t channels, allChannels, columns;
};
} // namespace

ImageProduct::ImageProduct(RewriterBase &b, const Convolution &convolution,
                           KernelAttr kernel, const PackedWeightValues &weight)
    : b(b), loc(convolution.op.getLoc()), conv(convolution), kernel(kernel),
      weight(weight),
      inputMap(convolution.op.getMatchingIndexingMap(convolution.input)),
      outputMap(convolution.op.getMatchingIndexingMap(
          convolution.op.getDpsInitOperand(0))),
      input(findPadding(convolution)), channels(conv.groups * conv.channels),
      columns(llvm::alignTo(conv.pitch(), kernel.getTileColumns())) {
  // Of what was rounded as it was stored, there is a wider copy.
  if (Value wide = getExact(input.source))
    input.source = wide;
  int64_t reach = conv.numOffsets - 1 + columns;
  allChannels =
      std::max<int64_t>(channels, llvm::divideCeil(reach, conv.planeSize()));
}

Value ImageProduct::transpose(Value value, ArrayRef<int64_t> order) {
  if (llvm::is_sorted(order))
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape;
  for (int64_t dim : order)
    shape.push_back(type.getDimSize(dim));
  Value init = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(b, loc, value, init, order)->getResult(0);
}

/// Splits or joins neighbouring dimensions.
Value ImageProduct::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  auto target = type.clone(shape);
  if (type == target)
    return value;
  bool joins = target.getRank() < type.getRank();
  auto groups = joins ? getReassociationIndicesForReshape(type, target)
                      : getReassociationIndicesForReshape(target, type);
  assert(groups && "dimensions are split or joined");
  return joins ? tensor::CollapseShapeOp::create(b, loc, target, value, *groups)
                     .getResult()
               : tensor::ExpandShapeOp::create(b, loc, target, value, *groups)
                     .getResult();
}

/// The first `sizes` elements of each dimension.
Value ImageProduct::slice(Value value, ArrayRef<int64_t> sizes) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == sizes)
    return value;
  Box box = getBox(SmallVector<int64_t>(sizes.size(), 0), sizes);
  return tensor::ExtractSliceOp::create(b, loc, value, box.offsets, box.sizes,
                                        box.steps);
}

Value ImageProduct::createZeros(Value like) {
  Type element = getElementTypeOrSelf(like.getType());
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return linalg::FillOp::create(b, loc, zero, like).getResult(0);
}

/// An image in the type of the sums.
Value ImageProduct::widen(Value image) {
  Type element = getElementTypeOrSelf(conv.op.getDpsInits()[0].getType());
  return castElements(b, loc, image, element);
}

/// One image as `channels x spatial...`, without padding.
Value ImageProduct::takeImage(Value number) {
  Value image = input.source;
  auto type = cast<RankedTensorType>(image.getType());
  SmallVector<int64_t> shape(type.getShape());
  std::optional<unsigned> batch;
  if (conv.batch) {
    batch = findResult(inputMap, *conv.batch);
    shape[*batch] = 1;
    Box box = getBox(SmallVector<int64_t>(shape.size(), 0), shape);
    box.offsets[*batch] = getAsOpFoldResult(number);
    shape.erase(shape.begin() + *batch);
    image = tensor::ExtractSliceOp::create(b, loc, type.clone(shape), image,
                                           box.offsets, box.sizes, box.steps);
  }
  SmallVector<int64_t> order;
  auto add = [&](std::optional<unsigned> loop) {
    if (!loop)
      return;
    unsigned dim = *findResult(inputMap, *loop);
    order.push_back(dim - (batch && dim > *batch));
  };
  add(conv.group);
  add(conv.channel);
  for (unsigned loop : conv.outer)
    add(loop);
  image = transpose(image, order);
  SmallVector<int64_t> target{channels};
  llvm::append_range(target, cast<RankedTensorType>(image.getType())
                                 .getShape()
                                 .take_back(conv.outer.size()));
  return widen(reshape(image, target));
}

/// Writes zeros into `image` before `begin` and from `end` on, in every
/// dimension.
Value ImageProduct::fillAround(Value image, ArrayRef<int64_t> begin,
                               ArrayRef<int64_t> end) {
  auto type = cast<RankedTensorType>(image.getType());
  SmallVector<int64_t> offsets(type.getRank(), 0), sizes(type.getShape());
  auto fill = [&](int64_t dim, int64_t from, int64_t to) {
    if (from == to)
      return;
    offsets[dim] = from;
    sizes[dim] = to - from;
    Box box = getBox(offsets, sizes);
    Value part = tensor::ExtractSliceOp::create(b, loc, image, box.offsets,
                                                box.sizes, box.steps);
    image = tensor::InsertSliceOp::create(b, loc, createZeros(part), image,
                                          box.offsets, box.sizes, box.steps);
  };
  for (int64_t dim = 0; dim != type.getRank(); ++dim) {
    fill(dim, 0, begin[dim]);
    fill(dim, end[dim], type.getDimSize(dim));
    // Later dimensions need not fill what this one has.
    offsets[dim] = begin[dim];
    sizes[dim] = end[dim] - begin[dim];
  }
  return image;
}

namespace {
/// The elements along one dimension of an image whose index in the padded image
/// is `number` modulo the stride.
struct Phase {
  Phase(int64_t number, int64_t stride, int64_t low, int64_t size)
      : at(low > number ? llvm::divideCeil(low - number, stride) : 0),
        from(at * stride + number - low),
        count(from < size ? llvm::divideCeil(size - from, stride) : 0) {}
  /// Where in the phase the first of them stands, where in the image, and how
  /// many there are.
  int64_t at, from, count;
};
} // namespace

/// Copies an image into another with its padding and more channels, phase by
/// phase.
Value ImageProduct::copyPhases(Value image) {
  auto type = cast<RankedTensorType>(image.getType());
  SmallVector<int64_t> sizes = conv.phaseSizes();
  int64_t numPhases = conv.numPhases();
  SmallVector<int64_t> shape{allChannels, numPhases};
  llvm::append_range(shape, sizes);
  Value all = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  bool isPadded = type.getShape().drop_front() != ArrayRef(sizes);
  bool isCleared = numPhases > 1 ||
                   (isPadded && allChannels * conv.planeSize() <= kSmallImage);
  if (isCleared)
    all = createZeros(all);
  for (int64_t number = 0; number != numPhases; ++number) {
    SmallVector<int64_t> from{0}, count{channels}, steps{1};
    SmallVector<int64_t> begin{0, number}, end{channels, number + 1};
    int64_t rest = number, phases = numPhases;
    for (auto [dim, stride] : llvm::enumerate(conv.strides)) {
      phases /= stride;
      int64_t low = input.low[*findResult(inputMap, conv.outer[dim])];
      Phase phase(rest / phases, stride, low, type.getDimSize(dim + 1));
      rest %= phases;
      from.push_back(phase.from);
      count.push_back(phase.count);
      steps.push_back(stride);
      begin.push_back(phase.at);
      end.push_back(phase.at + phase.count);
    }
    if (!isCleared)
      all = fillAround(all, begin, end);
    if (llvm::is_contained(count, 0))
      continue;
    Box source = getBox(from, count, steps);
    Value part = tensor::ExtractSliceOp::create(b, loc, type.clone(count),
                                                image, source.offsets,
                                                source.sizes, source.steps);
    count.insert(count.begin() + 1, 1);
    Box target = getBox(begin, count);
    all = tensor::InsertSliceOp::create(b, loc, part, all, target.offsets,
                                        target.sizes, target.steps);
  }
  return all;
}

/// The same as a whole, with the phases in order afterwards.
Value ImageProduct::transposePhases(Value image) {
  auto type = cast<RankedTensorType>(image.getType());
  SmallVector<int64_t> shape{allChannels}, low{0};
  SmallVector<int64_t> split{allChannels}, order{0};
  for (auto [dim, size] : llvm::enumerate(conv.phaseSizes())) {
    int64_t stride = conv.strides[dim];
    shape.push_back(size * stride);
    low.push_back(input.low[*findResult(inputMap, conv.outer[dim])]);
    split.append({size, stride});
    order.push_back(2 * dim + 2);
  }
  for (size_t dim = 0; dim != conv.strides.size(); ++dim)
    order.push_back(2 * dim + 1);
  Value empty = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  Box box = getBox(low, type.getShape());
  Value all = tensor::InsertSliceOp::create(b, loc, image, createZeros(empty),
                                            box.offsets, box.sizes, box.steps);
  return transpose(reshape(all, split), order);
}

/// An image with its padding and more channels, the elements of each phase
/// together, as a vector.
Value ImageProduct::arrangeImage(Value image) {
  auto type = cast<RankedTensorType>(image.getType());
  bool isWhole = conv.numPhases() == 1 && allChannels == channels &&
                 type.getShape().drop_front() == ArrayRef(conv.phaseSizes());
  if (!isWhole)
    image = conv.numPhases() <= kFewPhases ? copyPhases(image)
                                           : transposePhases(image);
  return reshape(image, {allChannels * conv.planeSize()});
}

/// The result in the order of the convolution, without windows over an edge.
Value ImageProduct::arrangeResult(Value result) {
  int64_t rows = conv.rows();
  result = slice(result, {rows, conv.pitch()});
  SmallVector<int64_t> shape{rows, conv.outputSizes[0]};
  llvm::append_range(shape, ArrayRef(conv.phaseSizes()).drop_front());
  result = reshape(result, shape);
  shape.resize(1);
  llvm::append_range(shape, conv.outputSizes);
  result = slice(result, shape);
  if (conv.group && conv.feature) {
    shape[0] = conv.features;
    shape.insert(shape.begin(), conv.groups);
    result = reshape(result, shape);
  }
  SmallVector<unsigned> loops;
  for (std::optional<unsigned> loop : {conv.group, conv.feature})
    if (loop)
      loops.push_back(*loop);
  llvm::append_range(loops, conv.outer);
  SmallVector<int64_t> order;
  for (AffineExpr expr : outputMap.getResults()) {
    auto at = llvm::find(loops, cast<AffineDimExpr>(expr).getPosition());
    if (at != loops.end())
      order.push_back(at - loops.begin());
  }
  return transpose(result, order);
}

Value ImageProduct::createImage(Value number, Epilogue &epilogue) {
  Value image = arrangeImage(takeImage(number));
  Type element = getElementTypeOrSelf(image.getType());
  Value init = tensor::EmptyOp::create(
      b, loc, ArrayRef<int64_t>{conv.rows(), columns}, element);
  packed = PackedMatmulOp::create(
      b, loc, init.getType(), kernel, weight.values, weight.indices,
      weight.positions, image, epilogue.createBias(), /*residual=*/Value(),
      init, weight.rowChunks, weight.parallelPanels);
  epilogue.build(packed.getEpilogue());
  return arrangeResult(packed.getResult());
}

Value ImageProduct::createBatch(Epilogue &epilogue) {
  Value like = conv.op.getDpsInits()[0];
  auto type = cast<RankedTensorType>(like.getType());
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  if (!conv.batch)
    return createImage(zero, epilogue);
  unsigned batch = *findResult(outputMap, *conv.batch);
  if (type.getDimSize(batch) == 1)
    return reshape(createImage(zero, epilogue), type.getShape());

  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, like);
  Value all = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  Value count = getValueOrCreateConstantIndexOp(b, loc, sizes[batch]);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, count, one, all);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value image = createImage(loop.getInductionVar(), epilogue);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
      steps(sizes.size(), b.getIndexAttr(1));
  offsets[batch] = loop.getInductionVar();
  sizes[batch] = b.getIndexAttr(1);
  Value inserted = tensor::InsertSliceOp::create(
      b, loc, image, loop.getRegionIterArg(0), offsets, sizes, steps);
  scf::YieldOp::create(b, loc, inserted);
  return loop.getResult(0);
}

PackedMatmulOp mlir::prune::replaceByPackedConvolution(
    RewriterBase &b, const Convolution &convolution, KernelAttr kernel,
    const PackedWeightValues &weight) {
  Epilogue epilogue(b, convolution.op, convolution.rowLoop(),
                    /*takesResidual=*/false);
  b.setInsertionPoint(epilogue.last);
  ImageProduct product(b, convolution, kernel, weight);
  Value result = product.createBatch(epilogue);
  epilogue.replaceBy(result);
  return product.packed;
}
