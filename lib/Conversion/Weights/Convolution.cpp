//===- Convolution.cpp - A convolution as a matrix and windows ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which loops there are is upstream's to say; sizes, strides and dilations are
// read off the input's map here, dimension by dimension.
//
//===----------------------------------------------------------------------===//

#include "Convolution.h"

#include "Epilogue.h"
#include "WeightContraction.h"

#include "prune/Core/TensorView.h"

#include <cstring>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// What offsets and sizes of buffers stay below.
static constexpr int64_t kMaxElements = int64_t(1) << 31;

int64_t Convolution::columns() const {
  return groups * channels * countElements(kernel);
}

SmallVector<int64_t> Convolution::phaseSizes() const {
  SmallVector<int64_t> sizes;
  for (auto [size, stride] : llvm::zip_equal(inputSizes, strides))
    sizes.push_back(llvm::divideCeil(size, stride));
  return sizes;
}

int64_t Convolution::numPhases() const { return countElements(strides); }

int64_t Convolution::planeSize() const {
  return numPhases() * countElements(phaseSizes());
}

int64_t Convolution::pitch() const {
  return outputSizes[0] * countElements(ArrayRef(phaseSizes()).drop_front());
}

/// The offset of the window of each column.
static std::vector<uint32_t> getOffsets(const Convolution &conv) {
  SmallVector<int64_t> sizes = conv.phaseSizes();
  int64_t phase = countElements(sizes);
  // Of one channel, by the elements of the filter.
  std::vector<int64_t> plane{0};
  // Steps from one index to the next within a phase, and between phases.
  int64_t step = phase, phaseStep = conv.planeSize();
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    step /= size;
    phaseStep /= conv.strides[dim];
    std::vector<int64_t> outer = std::move(plane);
    plane.clear();
    for (int64_t offset : outer)
      for (int64_t i = 0; i != conv.kernel[dim]; ++i) {
        int64_t at = i * conv.dilations[dim];
        plane.push_back(offset + at % conv.strides[dim] * phaseStep +
                        at / conv.strides[dim] * step);
      }
  }
  std::vector<uint32_t> offsets;
  offsets.reserve(conv.columns());
  for (int64_t channel = 0; channel != conv.groups * conv.channels; ++channel)
    for (int64_t offset : plane)
      offsets.push_back(channel * conv.planeSize() + offset);
  return offsets;
}

//===----------------------------------------------------------------------===//
// Recognition
//===----------------------------------------------------------------------===//

namespace {
/// Reads the sizes of a convolution off its maps and types.
class ConvolutionMatcher {
public:
  ConvolutionMatcher(Convolution &match,
                     const linalg::ConvolutionDimensions &dims,
                     std::string &reason)
      : match(match), dims(dims), reason(reason) {}

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
  const linalg::ConvolutionDimensions &dims;
  std::string &reason;
};
} // namespace

std::optional<unsigned> mlir::prune::findResult(AffineMap map, unsigned loop) {
  for (auto [at, expr] : llvm::enumerate(map.getResults()))
    if (expr.isFunctionOfDim(loop))
      return at;
  return std::nullopt;
}

bool ConvolutionMatcher::matchLoops() {
  linalg::LinalgOp op = match.op;
  auto takeOne = [](ArrayRef<unsigned> loops, std::optional<unsigned> &loop) {
    if (loops.size() == 1)
      loop = loops.front();
    return loops.size() <= 1;
  };
  size_t found = dims.batch.size() + dims.depth.size() +
                 dims.outputChannel.size() + dims.inputChannel.size() +
                 dims.outputImage.size() + dims.filterLoop.size();
  if (!takeOne(dims.batch, match.batch) || !takeOne(dims.depth, match.group) ||
      !takeOne(dims.outputChannel, match.feature) ||
      !takeOne(dims.inputChannel, match.channel) ||
      dims.outputImage.size() != dims.filterLoop.size() ||
      found != op.getNumLoops() || (!match.group && !match.feature))
    return fail("its loops are not images, groups, features, channels and "
                "positions");
  match.outer.assign(dims.outputImage.begin(), dims.outputImage.end());
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
    auto coefficients = getCoefficients(input.getResult(dim), op.getNumLoops());
    if (!coefficients || (*coefficients)[loop] == 0)
      return fail("its input is read with an offset, or backwards");
    auto inner = llvm::find_if(dims.filterLoop, [&](unsigned other) {
      return (*coefficients)[other] != 0;
    });
    if (inner == dims.filterLoop.end())
      return fail("a position of the filter is not one of the input");
    match.inner.push_back(*inner);
    match.strides.push_back((*coefficients)[loop]);
    match.dilations.push_back((*coefficients)[*inner]);
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
  double matrix =
      double(match.groups) * match.features * match.groups * match.channels;
  for (int64_t size : match.kernel)
    matrix *= size;
  double result = double(match.groups) * match.features * match.pitch();
  // A few more channels and columns are added to what is counted here.
  if (std::max({image, matrix, result}) > double(kMaxElements) / 2)
    return fail("it is too large for 31-bit offsets");
  return true;
}

std::optional<Convolution>
mlir::prune::matchConvolution(const WeightUse &use,
                              const linalg::ConvolutionDimensions &dims,
                              std::string &reason) {
  Convolution match;
  match.op = cast<linalg::LinalgOp>(use.operand->getOwner());
  match.filter = use.operand;
  match.input = match.op.getDpsInputOperand(0);
  if (match.input == match.filter) {
    reason = "its weight slides over its input";
    return std::nullopt;
  }
  if (!isMultiplyAdd(*match.op.getBlock())) {
    reason = "its body is not a plain multiply-add";
    return std::nullopt;
  }
  if (!ConvolutionMatcher(match, dims, reason).run())
    return std::nullopt;
  if (startsFromTensor(match.op, match.rowLoop())) {
    reason = "its sums start neither from zero nor from a bias";
    return std::nullopt;
  }
  match.offsets = getOffsets(match);
  match.numOffsets = int64_t(*llvm::max_element(match.offsets)) + 1;
  return match;
}

ByteBuffer mlir::prune::readFilterMatrix(const Convolution &convolution,
                                         const WeightView &filter) {
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
