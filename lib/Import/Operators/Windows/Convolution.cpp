//===- Convolution.cpp - Conv and ConvTranspose ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transposed convolution is an ordinary one: the input is spread with zeros
// between its elements and padded, the filter reversed in space and its channel
// dims exchanged. A constant filter is reversed once, at import.
//
//===----------------------------------------------------------------------===//

#include "Import/Operators/Math/Activation.h"
#include "Reverse.h"
#include "Window.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// The kernel's sizes: those of the filter, which an attribute may repeat.
static std::optional<SmallVector<int64_t>> readKernel(Node &n, Tensor *filter) {
  auto kernel = Emitter::known(ArrayRef(filter->dims).drop_front(2));
  SmallVector<int64_t> stated = n.integers("kernel_shape");
  if (!kernel) {
    if (stated.size() + 2 != filter->dims.size()) {
      n.error() << "expects a filter of known sizes, but got "
                << n.text(filter->dims);
      return std::nullopt;
    }
    return stated;
  }
  if (!stated.empty() && stated != *kernel) {
    n.error() << "expects kernel_shape to be the filter's "
              << n.text(ArrayRef(filter->dims).drop_front(2));
    return std::nullopt;
  }
  return kernel;
}

/// Adds a bias of one number for each feature.
static Tensor *addBias(Node &n, Tensor *x, Tensor *bias) {
  if (!x || !bias)
    return x;
  if (bias->rank() != 1 || bias->type != x->type ||
      !n.requireEqual(bias->dims[0], x->dims[1], "features and biases")) {
    if (!n.state.failed)
      n.error() << "expects a bias of rank 1 and the input's type";
    return nullptr;
  }
  Sizes dims = {x->dims[1]};
  dims.append(x->rank() - 2, n.size(1));
  return n.add(x, n.reshape(bias, dims));
}

/// Ranks, types and channels that both convolutions ask for; returns the number
/// of groups or 0.
static int64_t checkOperands(Node &n, unsigned channelsOfFilter) {
  int64_t groups = n.integer("group", 1);
  Tensor *x = n.input(0), *filter = n.input(1);
  if (!n.hasRank(0, 3, 5) || !n.hasRank(1, x->rank(), x->rank()) ||
      !n.sameTypes({0, 1}) || !n.isFloating(0))
    return 0;
  if (groups < 1 || groups > (int64_t(1) << 31)) {
    n.error() << "expects a positive number of groups, but got " << groups;
    return 0;
  }
  AffineExpr channels =
      channelsOfFilter == 1 ? filter->dims[1] * groups : filter->dims[0];
  if (!n.requireEqual(x->dims[1], channels, "channels of input and filter"))
    return 0;
  AffineExpr others = filter->dims[0];
  if (groups > 1 &&
      (!Emitter::known(others) || *Emitter::known(others) % groups != 0)) {
    n.error() << "cannot divide " << n.text(others) << " features into "
              << groups << " groups";
    return 0;
  }
  return groups;
}

static LogicalResult importConv(Node &n) {
  int64_t groups = checkOperands(n, 1);
  if (!groups)
    return failure();
  Tensor *x = n.input(0), *filter = n.input(1);
  std::optional<SmallVector<int64_t>> kernel = readKernel(n, filter);
  if (!kernel)
    return failure();
  std::optional<Window> window =
      readWindow(n, ArrayRef(x->dims).drop_front(2), *kernel, false);
  if (!window)
    return failure();
  Tensor *padded = padSpatial(n, x, *window, n.attribute(x->type, 0));
  return n.output(activate(
      n, addBias(n, convolve(n, padded, filter, *window, groups), n.input(2))));
}

//===----------------------------------------------------------------------===//
// Transposed
//===----------------------------------------------------------------------===//

/// Zeros between the elements: each dim grows to (size - 1) * stride + 1.
static Tensor *spread(Node &n, Tensor *x, ArrayRef<int64_t> strides) {
  if (llvm::all_of(strides, [](int64_t stride) { return stride == 1; }))
    return x;
  Sizes dims = {x->dims[0], x->dims[1]};
  SmallVector<int64_t> steps = {1, 1};
  for (auto [at, stride] : llvm::enumerate(strides)) {
    dims.push_back((x->dims[at + 2] - 1) * stride + 1);
    steps.push_back(stride);
  }
  Value zeros = n.splat(dims, x->type, 0.0);
  Sizes offsets(x->rank(), n.size(0));
  Value source = n.value(x);
  if (n.state.failed)
    return nullptr;
  return n.make(tensor::InsertSliceOp::create(n.b, n.loc, source, zeros,
                                              n.fold(offsets), n.fold(x->dims),
                                              n.fold(ArrayRef<int64_t>(steps))),
                x->type, dims);
}

/// `[C, F / groups, kernel...]` as `[F, C / groups, kernel...]`.
static Tensor *exchangeChannels(Node &n, Tensor *filter, int64_t groups) {
  if (!filter)
    return nullptr;
  SmallVector<int64_t> order = {1, 0};
  if (groups == 1) {
    llvm::append_range(order, llvm::seq<int64_t>(2, filter->rank()));
    return n.transpose(filter, order);
  }
  AffineExpr perGroup = filter->dims[0].floorDiv(groups);
  Sizes split = {n.size(groups), perGroup};
  llvm::append_range(split, ArrayRef(filter->dims).drop_front(1));
  Tensor *parts = n.reshape(filter, split);
  if (!parts)
    return nullptr;
  order = {0, 2, 1};
  llvm::append_range(order, llvm::seq<int64_t>(3, parts->rank()));
  Sizes dims = {filter->dims[1] * groups, perGroup};
  llvm::append_range(dims, ArrayRef(filter->dims).drop_front(2));
  return n.reshape(n.transpose(parts, order), dims);
}

/// The padding of the result, from pads, output_shape or auto_pad.
static bool readResultPads(Node &n, const Window &window,
                           ArrayRef<AffineExpr> spatial, Sizes &low,
                           Sizes &high) {
  unsigned rank = window.rank();
  SmallVector<int64_t> extra = n.integers("output_padding");
  SmallVector<int64_t> shape = n.integers("output_shape");
  SmallVector<int64_t> pads = n.integers("pads");
  std::string automatic = n.string("auto_pad", "NOTSET");
  if (extra.empty())
    extra.assign(rank, 0);
  if (pads.empty())
    pads.assign(2 * rank, 0);
  // Some models repeat batch and features.
  if (shape.size() == rank + 2)
    shape.erase(shape.begin(), shape.begin() + 2);
  if (extra.size() != rank || pads.size() != 2 * rank ||
      (!shape.empty() && shape.size() != rank)) {
    n.error() << "expects pads, output_padding and output_shape for " << rank
              << " dims";
    return false;
  }
  bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!same && automatic != "NOTSET" && automatic != "VALID" &&
      !automatic.empty()) {
    n.error() << "has an unknown auto_pad, '" << automatic << "'";
    return false;
  }
  for (unsigned dim = 0; dim < rank; ++dim) {
    AffineExpr full =
        (spatial[dim] - 1) * window.strides[dim] + window.extent(dim);
    if (shape.empty() && !same) {
      low.push_back(n.size(pads[dim]));
      high.push_back(n.size(pads[dim + rank] - extra[dim]));
      continue;
    }
    AffineExpr size =
        shape.empty() ? spatial[dim] * window.strides[dim] : n.size(shape[dim]);
    AffineExpr total = full + extra[dim] - size;
    // Definition, reference and runtimes disagree about negative padding.
    if (std::optional<int64_t> amount = Emitter::known(total);
        shape.empty() && amount && *amount < 0) {
      n.error() << "auto_pad asks for a result of size " << n.text(size)
                << ", but its windows reach to " << n.text(full + extra[dim]);
      return false;
    }
    AffineExpr half = total.floorDiv(2);
    bool oddLast = automatic == "SAME_UPPER";
    low.push_back(oddLast ? half : total - half);
    high.push_back((oddLast ? total - half : half) - extra[dim]);
  }
  return true;
}

static LogicalResult importConvTranspose(Node &n) {
  int64_t groups = checkOperands(n, 0);
  if (!groups)
    return failure();
  Tensor *x = n.input(0), *filter = n.input(1);
  std::optional<SmallVector<int64_t>> kernel = readKernel(n, filter);
  if (!kernel)
    return failure();
  if (llvm::is_contained(*kernel, 0))
    return n.error() << "expects a kernel of positive sizes";
  ArrayRef<AffineExpr> spatial = ArrayRef(x->dims).drop_front(2);
  Window window;
  window.kernel = *kernel;
  unsigned rank = kernel->size();
  auto read = [&](StringRef name) {
    SmallVector<int64_t> steps = n.integers(name);
    return steps.empty() ? SmallVector<int64_t>(rank, 1) : steps;
  };
  window.strides = read("strides");
  window.dilations = read("dilations");
  for (ArrayRef<int64_t> steps :
       {ArrayRef<int64_t>(window.strides), ArrayRef<int64_t>(window.dilations)})
    if (steps.size() != rank || llvm::any_of(steps, [](int64_t step) {
          return step < 1 || step >= (int64_t(1) << 31);
        }))
      return n.error() << "expects " << rank
                       << " positive strides and dilations";
  Sizes cropLow, cropHigh;
  if (!readResultPads(n, window, spatial, cropLow, cropHigh))
    return failure();

  x = spread(n, x, window.strides);
  if (!x)
    return failure();
  window.strides.assign(rank, 1);
  for (unsigned dim = 0; dim < rank; ++dim) {
    AffineExpr reach = n.size(window.extent(dim) - 1);
    window.low.push_back(reach - cropLow[dim]);
    window.high.push_back(reach - cropHigh[dim]);
    window.ceiling.push_back(n.size(0));
    window.out.push_back(x->dims[dim + 2] + reach - cropLow[dim] -
                         cropHigh[dim]);
    if (std::optional<int64_t> size = Emitter::known(window.out.back());
        size && *size < 1)
      return n.error() << "pads leave nothing of the result";
  }
  Tensor *padded = padSpatial(n, x, window, n.attribute(x->type, 0));
  Tensor *weights = exchangeChannels(n, reverseKernel(n, filter), groups);
  return n.output(
      addBias(n, convolve(n, padded, weights, window, groups), n.input(2)));
}

ArrayRef<Operator> mlir::prune::onnx_import::convolutionOperators() {
  static const Operator operators[] = {
      {"Conv", 1, kNewest, 2, ChannelRule::Convolution, importConv,
       "1-D to 3-D"},
      {"ConvTranspose", 1, kNewest, 2, ChannelRule::TransposedConvolution,
       importConvTranspose,
       "1-D to 3-D; no auto_pad that would need negative padding"},
      {"FusedConv", 1, 1, 2, ChannelRule::Keep, importConv, "1-D to 3-D",
       kRuntimeDomain},
  };
  return operators;
}
