//===- PackedConvolution.cpp - Convolutions as packed products ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each image is written down with its padding, which takes one copy, or none
// where the convolution reads single positions without padding.
// Columns of the product are the positions of the padded image, row after row:
// the last few of each row are windows over its end, which are computed and left
// out. Behind the image stand channels of zeros for the windows of the last
// columns to reach into.
//
// Whatever order the convolution has its dimensions in, the product has features
// and channels first, and transposes stand around it where that differs.
//
//===----------------------------------------------------------------------===//

#include "PackedConvolution.h"

#include "Epilogue.h"
#include "SparseContraction.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cstring>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// What offsets and sizes of buffers stay below.
static constexpr int64_t kMaxElements = int64_t(1) << 31;

/// Elements of images that are cleared as a whole before they are written: they
/// stay in a near cache, and narrow borders take longer.
static constexpr int64_t kSmallImage = int64_t(1) << 17;

static int64_t getProduct(ArrayRef<int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1),
                         std::multiplies<>());
}

int64_t Convolution::columns() const {
  return groups * channels * getProduct(kernel);
}

SmallVector<int64_t> Convolution::phaseSizes() const {
  SmallVector<int64_t> sizes;
  for (auto [size, stride] : llvm::zip_equal(inputSizes, strides))
    sizes.push_back(llvm::divideCeil(size, stride));
  return sizes;
}

int64_t Convolution::planeSize() const {
  return getProduct(strides) * getProduct(phaseSizes());
}

int64_t Convolution::pitch() const {
  return outputSizes[0] * getProduct(ArrayRef(phaseSizes()).drop_front());
}

std::vector<uint32_t> Convolution::getOffsets() const {
  SmallVector<int64_t> sizes = phaseSizes();
  int64_t phase = getProduct(sizes);
  // Of one channel, by the elements of the filter.
  std::vector<int64_t> plane{0};
  // Steps from one index to the next within a phase, and between phases.
  int64_t step = phase, phaseStep = planeSize();
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    step /= size;
    phaseStep /= strides[dim];
    std::vector<int64_t> outer = std::move(plane);
    plane.clear();
    for (int64_t offset : outer)
      for (int64_t i = 0; i != kernel[dim]; ++i) {
        int64_t at = i * dilations[dim];
        plane.push_back(offset + at % strides[dim] * phaseStep +
                        at / strides[dim] * step);
      }
  }
  std::vector<uint32_t> offsets;
  offsets.reserve(columns());
  for (int64_t channel = 0; channel != groups * channels; ++channel)
    for (int64_t offset : plane)
      offsets.push_back(channel * planeSize() + offset);
  return offsets;
}

//===----------------------------------------------------------------------===//
// Recognition
//===----------------------------------------------------------------------===//

namespace {
/// Reads the sizes of a convolution off its maps and types.
class ConvolutionMatcher {
public:
  ConvolutionMatcher(Convolution &match, std::string &reason)
      : match(match), reason(reason) {}

  bool run() { return matchLoops() && matchSpatial() && checkSizes(); }

private:
  bool fail(StringRef text) {
    reason = text.str();
    return false;
  }
  bool matchLoops();
  bool matchSpatial();
  bool checkSizes();

  Convolution &match;
  std::string &reason;
};
} // namespace

/// Where the map reads `loop`, alone or in a sum.
static std::optional<unsigned> findResult(AffineMap map, unsigned loop) {
  for (auto [at, expr] : llvm::enumerate(map.getResults()))
    if (expr.isFunctionOfDim(loop))
      return at;
  return std::nullopt;
}

bool ConvolutionMatcher::matchLoops() {
  linalg::LinalgOp op = match.op;
  FailureOr<linalg::ConvolutionDimensions> dims =
      linalg::inferConvolutionDims(op);
  assert(succeeded(dims) && "not a convolution");
  auto takeOne = [](ArrayRef<unsigned> loops, std::optional<unsigned> &loop) {
    if (loops.size() == 1)
      loop = loops.front();
    return loops.size() <= 1;
  };
  size_t found = dims->batch.size() + dims->depth.size() +
                 dims->outputChannel.size() + dims->inputChannel.size() +
                 dims->outputImage.size() + dims->filterLoop.size();
  if (!takeOne(dims->batch, match.batch) || !takeOne(dims->depth, match.group) ||
      !takeOne(dims->outputChannel, match.feature) ||
      !takeOne(dims->inputChannel, match.channel) ||
      dims->outputImage.size() != dims->filterLoop.size() ||
      found != op.getNumLoops() || (!match.group && !match.feature))
    return fail("its loops are not images, groups, features, channels and "
                "positions");
  match.outer.assign(dims->outputImage.begin(), dims->outputImage.end());
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  auto getSize = [&](std::optional<unsigned> loop) {
    return loop ? sizes[*loop] : 1;
  };
  match.groups = getSize(match.group);
  match.features = getSize(match.feature);
  match.channels = getSize(match.channel);
  // A position of the filter belongs to the dimension that both are read in.
  AffineMap input = op.getMatchingIndexingMap(match.input);
  for (unsigned loop : match.outer) {
    unsigned dim = *findResult(input, loop);
    SmallVector<int64_t> coefficients;
    if (failed(getFlattenedAffineExpr(input.getResult(dim), op.getNumLoops(), 0,
                                      &coefficients)) ||
        coefficients.size() != op.getNumLoops() + 1 || coefficients.back() != 0)
      return fail("its input is read with an offset");
    auto inner = llvm::find_if(dims->filterLoop, [&](unsigned other) {
      return coefficients[other] != 0;
    });
    if (inner == dims->filterLoop.end())
      return fail("a position of the filter is not one of the input");
    match.inner.push_back(*inner);
    match.strides.push_back(coefficients[loop]);
    match.dilations.push_back(coefficients[*inner]);
    match.kernel.push_back(sizes[*inner]);
    match.outputSizes.push_back(sizes[loop]);
    match.inputSizes.push_back(
        cast<RankedTensorType>(match.input->get().getType()).getDimSize(dim));
  }
  return true;
}

bool ConvolutionMatcher::matchSpatial() {
  int64_t filterSizes[] = {match.groups, match.features, match.channels};
  for (ArrayRef<int64_t> sizes :
       {ArrayRef(match.inputSizes), ArrayRef(match.outputSizes),
        ArrayRef(match.kernel), ArrayRef(filterSizes)})
    for (int64_t size : sizes) {
      if (ShapedType::isDynamic(size))
        return fail("its spatial size is dynamic");
      if (size == 0)
        return fail("it is empty");
    }
  for (ArrayRef<int64_t> steps :
       {ArrayRef(match.strides), ArrayRef(match.dilations)})
    if (llvm::any_of(steps, [](int64_t step) { return step < 1; }))
      return fail("its input is read backwards");
  for (auto [dim, size] : llvm::enumerate(match.inputSizes))
    if ((match.outputSizes[dim] - 1) * match.strides[dim] +
            (match.kernel[dim] - 1) * match.dilations[dim] >=
        size)
      return fail("its windows stand over the input's edge");
  return true;
}

bool ConvolutionMatcher::checkSizes() {
  double image = double(match.groups) * match.channels;
  for (auto [size, stride] : llvm::zip_equal(match.phaseSizes(), match.strides))
    image *= double(size) * stride;
  double matrix = double(match.groups) * match.features * match.groups *
                  match.channels;
  for (int64_t size : match.kernel)
    matrix *= size;
  double result = double(match.groups) * match.features * match.pitch();
  // A few more channels and columns are added to what is counted here.
  if (std::max({image, matrix, result}) > double(kMaxElements) / 2)
    return fail("it is too large for 31-bit offsets");
  return true;
}

std::optional<Convolution>
mlir::prune::matchConvolution(const WeightUse &use, std::string &reason) {
  Convolution match;
  match.op = cast<linalg::LinalgOp>(use.operand->getOwner());
  match.filter = use.operand;
  match.input = match.op.getDpsInputOperand(0);
  if (match.input == match.filter) {
    reason = "its weight slides over its input";
    return std::nullopt;
  }
  if (!match.op.hasPureTensorSemantics() ||
      !isMultiplyAdd(*match.op.getBlock())) {
    reason = "its body is not a plain multiply-add";
    return std::nullopt;
  }
  if (!ConvolutionMatcher(match, reason).run())
    return std::nullopt;
  if (startsFromTensor(match.op, match.rowLoop())) {
    reason = "its sums start neither from zero nor from a bias";
    return std::nullopt;
  }
  return match;
}

ByteBuffer mlir::prune::readFilterMatrix(const Convolution &convolution,
                                         const FoldedWeight &filter) {
  AffineMap map = convolution.op.getMatchingIndexingMap(convolution.filter);
  SmallVector<int64_t> dims;
  auto add = [&](std::optional<unsigned> loop) {
    if (loop)
      dims.push_back(*findResult(map, *loop));
  };
  add(convolution.group);
  add(convolution.feature);
  add(convolution.channel);
  for (unsigned loop : convolution.inner)
    add(loop);
  ByteBuffer read = filter.read(dims);
  if (convolution.groups == 1)
    return read;
  int64_t rows = convolution.rows();
  size_t rowBytes = convolution.columns() * byteSize(filter.kind);
  size_t groupBytes = rowBytes / convolution.groups;
  ByteBuffer matrix(rows * rowBytes);
  llvm::fill(matrix, 0);
  for (int64_t row = 0; row != rows; ++row)
    std::memcpy(matrix.data() + row * rowBytes +
                    row / convolution.features * groupBytes,
                read.data() + row * groupBytes, groupBytes);
  return matrix;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
/// An input without the zeros around it, and how many stood before it in each
/// dimension.
struct Padded {
  Value source;
  SmallVector<int64_t> low;
};

/// Builds the product of one image after another.
class ImageProduct {
public:
  ImageProduct(RewriterBase &b, const Convolution &convolution,
               KernelAttr kernel, const PackedWeightValues &weight);

  Value createBatch(Epilogue &epilogue);

  PackedMatmulOp packed;

private:
  Padded findPadding() const;
  Value createImage(Value number, Epilogue &epilogue);
  Value takeImage(Value number);
  Value createZeros(Value like);
  Value fillAround(Value image, ArrayRef<int64_t> begin, ArrayRef<int64_t> end);
  Value arrangeImage(Value image);
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

static bool isZeroAttr(Attribute value) {
  auto number = dyn_cast_or_null<FloatAttr>(value);
  return number && number.getValue().isZero();
}

/// What a tensor is the padding of with zeros, along other dimensions than
/// `batch`.
static std::optional<Padded> matchPad(Value value, std::optional<unsigned> batch) {
  auto pad = value.getDefiningOp<tensor::PadOp>();
  Attribute zero;
  if (!pad || !pad.getConstantPaddingValue() ||
      !matchPattern(pad.getConstantPaddingValue(), m_Constant(&zero)) ||
      !isZeroAttr(zero) || ShapedType::isDynamicShape(pad.getStaticLow()) ||
      ShapedType::isDynamicShape(pad.getStaticHigh()))
    return std::nullopt;
  if (batch && (pad.getStaticLow()[*batch] || pad.getStaticHigh()[*batch]))
    return std::nullopt;
  return Padded{pad.getSource(), llvm::to_vector(pad.getStaticLow())};
}

/// The same for a tensor that was put into zeros, which is what padding is
/// lowered to.
static std::optional<Padded> matchInsert(Value value,
                                         std::optional<unsigned> batch) {
  auto insert = value.getDefiningOp<tensor::InsertSliceOp>();
  if (!insert || !isZeroAttr(getSplat(insert.getDest())) ||
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

Padded ImageProduct::findPadding() const {
  Value value = conv.input->get();
  std::optional<unsigned> batch;
  if (conv.batch)
    batch = findResult(inputMap, *conv.batch);
  std::optional<Padded> found = matchPad(value, batch);
  if (!found)
    found = matchInsert(value, batch);
  // All but the number of images must be known, and no channel may be added.
  auto isUseful = [&](const Padded &padded) {
    auto type = cast<RankedTensorType>(padded.source.getType());
    auto whole = cast<RankedTensorType>(value.getType());
    for (int64_t dim = 0; dim != type.getRank(); ++dim) {
      bool isChannel = isa<AffineDimExpr>(inputMap.getResult(dim)) &&
                       dim != int64_t(batch.value_or(type.getRank()));
      if (dim != int64_t(batch.value_or(type.getRank())) &&
          (type.isDynamicDim(dim) || type.getDimSize(dim) == 0))
        return false;
      if (isChannel && type.getDimSize(dim) != whole.getDimSize(dim))
        return false;
    }
    return true;
  };
  if (found && isUseful(*found))
    return *found;
  return {value, SmallVector<int64_t>(inputMap.getNumResults(), 0)};
}

ImageProduct::ImageProduct(RewriterBase &b, const Convolution &convolution,
                           KernelAttr kernel, const PackedWeightValues &weight)
    : b(b), loc(convolution.op.getLoc()), conv(convolution), kernel(kernel),
      weight(weight),
      inputMap(convolution.op.getMatchingIndexingMap(convolution.input)),
      outputMap(convolution.op.getMatchingIndexingMap(
          convolution.op.getDpsInitOperand(0))),
      input(findPadding()), channels(conv.groups * conv.channels),
      columns(llvm::alignTo(conv.pitch(), kernel.getTileColumns())) {
  std::vector<uint32_t> offsets = conv.getOffsets();
  int64_t reach = *llvm::max_element(offsets) + columns;
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
  return reshape(image, target);
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

/// An image with its padding and more channels, the elements of each phase
/// together, as a vector.
Value ImageProduct::arrangeImage(Value image) {
  auto type = cast<RankedTensorType>(image.getType());
  SmallVector<int64_t> sizes = conv.phaseSizes();
  int64_t numPhases = getProduct(conv.strides);
  int64_t flatSize = allChannels * conv.planeSize();
  if (numPhases == 1 && allChannels == channels &&
      type.getShape().drop_front() == ArrayRef(sizes))
    return reshape(image, {flatSize});

  SmallVector<int64_t> shape{allChannels, numPhases};
  llvm::append_range(shape, sizes);
  Value all = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  bool isPadded = type.getShape().drop_front() != ArrayRef(sizes);
  bool isCleared =
      numPhases > 1 || (isPadded && flatSize <= kSmallImage);
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
    Value part = tensor::ExtractSliceOp::create(
        b, loc, type.clone(count), image, source.offsets, source.sizes,
        source.steps);
    count.insert(count.begin() + 1, 1);
    Box target = getBox(begin, count);
    all = tensor::InsertSliceOp::create(b, loc, part, all, target.offsets,
                                        target.sizes, target.steps);
  }
  return reshape(all, {flatSize});
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
  packed = PackedMatmulOp::create(b, loc, init.getType(), kernel, weight.values,
                                  weight.indices, weight.positions, image,
                                  epilogue.createBias(), /*residual=*/Value(),
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
