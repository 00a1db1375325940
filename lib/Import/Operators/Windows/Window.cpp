//===- Window.cpp - Sliding windows of convolutions and pools -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads what convolutions and pools have in common, and emits them: named
// linalg operations where there is one, else generics with the same maps. The
// padding is a tensor.pad before them.
//
//===----------------------------------------------------------------------===//

#include "Window.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

bool Window::pads(Node &n) const {
  auto isZero = [&](AffineExpr pad) { return pad == n.size(0); };
  return !llvm::all_of(low, isZero) || !llvm::all_of(high, isZero);
}

/// A list attribute of one positive number for each spatial dim.
static bool readSteps(Node &n, StringRef name, unsigned rank,
                      SmallVector<int64_t> &steps) {
  steps = n.integers(name);
  if (steps.empty())
    steps.assign(rank, 1);
  bool valid = steps.size() == rank && llvm::all_of(steps, [](int64_t step) {
                 return step > 0 && step < (int64_t(1) << 31);
               });
  if (!valid)
    n.error() << "expects " << rank << " positive numbers in '" << name << "'";
  return valid;
}

/// Pads so that ceil(size / stride) windows fit; the odd one goes first or
/// last.
static void padSame(Node &n, Window &window, ArrayRef<AffineExpr> spatial,
                    bool oddFirst) {
  for (unsigned dim = 0; dim < window.rank(); ++dim) {
    AffineExpr windows = spatial[dim].ceilDiv(window.strides[dim]);
    AffineExpr total =
        (windows - 1) * window.strides[dim] + window.extent(dim) - spatial[dim];
    if (std::optional<int64_t> amount = Emitter::known(total)) {
      total = n.size(std::max<int64_t>(*amount, 0));
    } else {
      Scalar s(n.b, n.loc);
      total = n.symbol(s.max(n.index(total), s.index(0)));
    }
    AffineExpr half = total.floorDiv(2);
    window.low.push_back(oddFirst ? total - half : half);
    window.high.push_back(oddFirst ? half : total - half);
  }
}

/// The number of windows, and the padding that rounding it up asks for.
static bool countWindows(Node &n, Window &window, ArrayRef<AffineExpr> spatial,
                         bool ceilMode) {
  for (unsigned dim = 0; dim < window.rank(); ++dim) {
    int64_t stride = window.strides[dim];
    AffineExpr padded = spatial[dim] + window.low[dim] + window.high[dim];
    AffineExpr last = padded - window.extent(dim);
    AffineExpr out = last.floorDiv(stride) + 1;
    AffineExpr ceiling = n.size(0);
    if (ceilMode) {
      std::optional<int64_t> size = Emitter::known(spatial[dim]);
      std::optional<int64_t> low = Emitter::known(window.low[dim]);
      std::optional<int64_t> span = Emitter::known(last);
      if (!size || !low || !span) {
        n.error() << "needs known sizes for ceil_mode; fix them with --dim";
        return false;
      }
      int64_t count = llvm::divideCeilSigned(*span, stride) + 1;
      // A window that begins in the padding after the input is left out.
      if ((count - 1) * stride >= *size + *low)
        --count;
      out = n.size(count);
      ceiling = n.size(std::max<int64_t>(
          (count - 1) * stride + window.extent(dim) - *Emitter::known(padded),
          0));
    }
    if (std::optional<int64_t> count = Emitter::known(out);
        count && *count < 1) {
      n.error() << "a window of " << window.extent(dim)
                << " does not fit into a padded input of " << n.text(padded);
      return false;
    }
    window.out.push_back(out);
    window.ceiling.push_back(ceiling);
  }
  return true;
}

std::optional<Window>
mlir::prune::onnx_import::readWindow(Node &n, ArrayRef<AffineExpr> spatial,
                                     ArrayRef<int64_t> kernel, bool ceilMode) {
  Window window;
  unsigned rank = kernel.size();
  window.kernel.assign(kernel.begin(), kernel.end());
  if (!llvm::all_of(kernel, [](int64_t size) {
        return size > 0 && size < (int64_t(1) << 31);
      })) {
    n.error() << "expects a kernel of known, positive sizes";
    return std::nullopt;
  }
  if (!readSteps(n, "strides", rank, window.strides) ||
      !readSteps(n, "dilations", rank, window.dilations))
    return std::nullopt;
  std::string automatic = n.string("auto_pad", "NOTSET");
  SmallVector<int64_t> pads = n.integers("pads");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    padSame(n, window, spatial, automatic == "SAME_LOWER");
  } else if (automatic == "NOTSET" || automatic == "VALID" ||
             automatic.empty()) {
    if (pads.empty() || automatic == "VALID")
      pads.assign(2 * rank, 0);
    bool valid = pads.size() == 2 * rank && llvm::all_of(pads, [](int64_t pad) {
                   return std::abs(pad) < (int64_t(1) << 31);
                 });
    if (!valid) {
      n.error() << "expects " << 2 * rank << " numbers in 'pads'";
      return std::nullopt;
    }
    for (unsigned dim = 0; dim < rank; ++dim) {
      window.low.push_back(n.size(pads[dim]));
      window.high.push_back(n.size(pads[dim + rank]));
    }
  } else {
    n.error() << "has an unknown auto_pad, '" << automatic << "'";
    return std::nullopt;
  }
  if (!countWindows(n, window, spatial, ceilMode))
    return std::nullopt;
  return window;
}

Tensor *mlir::prune::onnx_import::padSpatial(Node &n, Tensor *x,
                                             const Window &window,
                                             TypedAttr value) {
  if (!x)
    return nullptr;
  // A negative pad crops.
  Sizes low(2, n.size(0)), high(2, n.size(0));
  for (unsigned dim = 0; dim < window.rank(); ++dim) {
    auto positive = [&](AffineExpr pad) {
      std::optional<int64_t> amount = Emitter::known(pad);
      return amount && *amount < 0 ? n.size(0) : pad;
    };
    low.push_back(positive(window.low[dim]));
    AffineExpr after = window.high[dim] + window.ceiling[dim];
    high.push_back(positive(after));
    AffineExpr cropLow = low.back() - window.low[dim];
    AffineExpr cropHigh = high.back() - after;
    if (cropLow != n.size(0) || cropHigh != n.size(0))
      x = n.slice(x, dim + 2, cropLow, x->dims[dim + 2] - cropLow - cropHigh);
    if (!x)
      return nullptr;
  }
  return n.pad(x, low, high, value);
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// Strides and dilations as the attributes of named operations.
static SmallVector<NamedAttribute> stepsOf(Node &n, const Window &window) {
  return {
      n.b.getNamedAttr("strides", n.b.getI64TensorAttr(window.strides)),
      n.b.getNamedAttr("dilations", n.b.getI64TensorAttr(window.dilations))};
}

/// Builds a generic over the loops `parallel..., out..., reduced...,
/// kernel...`. `element` maps loops of a window to the input's dims.
static AffineExpr positionIn(Node &n, const Window &window, unsigned dim,
                             unsigned firstOut, unsigned firstKernel) {
  return n.b.getAffineDimExpr(firstOut + dim) * window.strides[dim] +
         n.b.getAffineDimExpr(firstKernel + dim) * window.dilations[dim];
}

static SmallVector<utils::IteratorType> iterators(unsigned parallel,
                                                  unsigned reduction) {
  SmallVector<utils::IteratorType> types(parallel,
                                         utils::IteratorType::parallel);
  types.append(reduction, utils::IteratorType::reduction);
  return types;
}

/// The named operation of a pool, or null if there is none.
static Value emitPool(Node &n, Value x, Value shape, Value init,
                      const Window &window, Pool kind) {
  SmallVector<Value> operands = {x, shape};
  auto emit = [&](auto op) -> Value {
    return decltype(op)::create(n.b, n.loc, init.getType(), operands, init,
                                stepsOf(n, window))
        .getResult(0);
  };
  bool max = kind == Pool::Maximum;
  if (max && isUnsigned(n.input(0)->type))
    return nullptr;
  if (window.rank() == 1)
    return max ? emit(linalg::PoolingNcwMaxOp())
               : emit(linalg::PoolingNcwSumOp());
  if (window.rank() == 2)
    return max ? emit(linalg::PoolingNchwMaxOp())
               : emit(linalg::PoolingNchwSumOp());
  return nullptr;
}

Tensor *mlir::prune::onnx_import::foldWindows(Node &n, Tensor *x,
                                              const Window &window, Pool kind) {
  if (!x)
    return nullptr;
  DataType type = x->type;
  TypedAttr start = kind == Pool::Maximum ? n.extreme(type, /*greatest=*/false)
                                          : n.attribute(type, 0);
  Sizes dims = {x->dims[0], x->dims[1]};
  llvm::append_range(dims, window.out);
  Value init = n.splat(dims, type, start);
  Value source = n.value(x);
  Sizes kernel = llvm::map_to_vector(
      window.kernel, [&](int64_t size) { return n.size(size); });
  Value shape = n.empty(kernel, type);
  if (n.state.failed)
    return nullptr;
  unsigned rank = window.rank();
  unsigned loops = 2 + 2 * rank;
  SmallVector<AffineExpr> from = {n.b.getAffineDimExpr(0),
                                  n.b.getAffineDimExpr(1)};
  SmallVector<AffineExpr> over;
  for (unsigned dim = 0; dim < rank; ++dim) {
    from.push_back(positionIn(n, window, dim, 2, 2 + rank));
    over.push_back(n.b.getAffineDimExpr(2 + rank + dim));
  }
  SmallVector<AffineMap> maps = {
      AffineMap::get(loops, 0, from, n.state.context),
      AffineMap::get(loops, 0, over, n.state.context),
      AffineMap::getMultiDimIdentityMap(loops, n.state.context)
          .getMajorSubMap(2 + rank)};
  if (Value named = emitPool(n, source, shape, init, window, kind))
    return n.make(named, type, dims);
  auto generic = linalg::GenericOp::create(
      n.b, n.loc, init.getType(), ValueRange{source, shape}, init, maps,
      iterators(2 + rank, rank),
      [&](OpBuilder &nested, Location at, ValueRange v) {
        Scalar s(nested, at, isUnsigned(type));
        linalg::YieldOp::create(nested, at,
                                kind == Pool::Maximum ? s.max(v[0], v[2])
                                                      : s.add(v[0], v[2]));
      });
  return n.make(generic.getResult(0), type, dims);
}

/// A grouped convolution as a generic: `[N, G, C, ...]` with `[G, F, C, ...]`.
/// Without groups the group loop is left out.
static Value emitGeneric(Node &n, Value x, Value filter, Value init,
                         const Window &window, bool grouped) {
  unsigned rank = window.rank(), lead = grouped ? 3 : 2;
  // Loops: n, [g,] f, out..., c, kernel...
  unsigned firstOut = lead, channel = lead + rank, firstKernel = channel + 1;
  unsigned loops = firstKernel + rank;
  auto dim = [&](unsigned at) { return n.b.getAffineDimExpr(at); };
  SmallVector<AffineExpr> from = {dim(0)}, weights;
  if (grouped) {
    from.push_back(dim(1));
    weights.push_back(dim(1));
  }
  from.push_back(dim(channel));
  weights.append({dim(lead - 1), dim(channel)});
  for (unsigned at = 0; at < rank; ++at) {
    from.push_back(positionIn(n, window, at, firstOut, firstKernel));
    weights.push_back(dim(firstKernel + at));
  }
  SmallVector<AffineMap> maps = {
      AffineMap::get(loops, 0, from, n.state.context),
      AffineMap::get(loops, 0, weights, n.state.context),
      AffineMap::getMultiDimIdentityMap(loops, n.state.context)
          .getMajorSubMap(channel)};
  auto generic = linalg::GenericOp::create(
      n.b, n.loc, init.getType(), ValueRange{x, filter}, init, maps,
      iterators(channel, rank + 1),
      [](OpBuilder &nested, Location at, ValueRange v) {
        Scalar s(nested, at);
        linalg::YieldOp::create(nested, at, s.add(v[2], s.mul(v[0], v[1])));
      });
  return generic.getResult(0);
}

static Value emitNamed(Node &n, StringRef name, Value x, Value filter,
                       Value init, const Window &window) {
  SmallVector<Value> operands = {x, filter};
#define NAMED(NAME, OP)                                                        \
  if (name == NAME)                                                            \
    return linalg::OP::create(n.b, n.loc, init.getType(), operands, init,      \
                              stepsOf(n, window))                              \
        .getResult(0);
  NAMED("1", Conv1DNcwFcwOp)
  NAMED("2", Conv2DNchwFchwOp)
  NAMED("3", Conv3DNcdhwFcdhwOp)
  NAMED("depthwise 1", DepthwiseConv1DNcwCwOp)
  NAMED("depthwise 2", DepthwiseConv2DNchwChwOp)
  NAMED("depthwise 3", DepthwiseConv3DNcdhwCdhwOp)
  NAMED("grouped 2", Conv2DNgchwGfchwOp)
#undef NAMED
  return nullptr;
}

Tensor *mlir::prune::onnx_import::convolve(Node &n, Tensor *x, Tensor *filter,
                                           const Window &window,
                                           int64_t groups) {
  if (!x || !filter)
    return nullptr;
  AffineExpr features = filter->dims[0];
  Sizes dims = {x->dims[0], features};
  llvm::append_range(dims, window.out);
  std::string rank = std::to_string(window.rank());
  bool depthwise =
      groups > 1 && filter->dims[1] == n.size(1) && features == n.size(groups);
  auto emit = [&](StringRef name, Tensor *input, Tensor *weights,
                  ArrayRef<AffineExpr> sizes, bool grouped) -> Tensor * {
    if (!input || !weights)
      return nullptr;
    Value init = n.splat(sizes, x->type, 0.0);
    Value from = n.value(input), by = n.value(weights);
    if (n.state.failed)
      return nullptr;
    Value result = emitNamed(n, name, from, by, init, window);
    if (!result)
      result = emitGeneric(n, from, by, init, window, grouped);
    return n.make(result, x->type, sizes);
  };
  if (groups == 1)
    return emit(rank, x, filter, dims, false);
  if (depthwise && window.rank() <= 3)
    return emit("depthwise " + rank, x, n.squeeze(filter, int64_t(1)), dims,
                false);

  AffineExpr perGroup = features.floorDiv(groups);
  Sizes split = {x->dims[0], n.size(groups), filter->dims[1]};
  llvm::append_range(split, ArrayRef(x->dims).drop_front(2));
  Sizes weights = {n.size(groups), perGroup};
  llvm::append_range(weights, ArrayRef(filter->dims).drop_front(1));
  Sizes sizes = {x->dims[0], n.size(groups), perGroup};
  llvm::append_range(sizes, window.out);
  return n.reshape(emit("grouped " + rank, n.reshape(x, split),
                        n.reshape(filter, weights), sizes, true),
                   dims);
}
