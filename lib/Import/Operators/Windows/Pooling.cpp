//===- Pooling.cpp - Pools ------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maxima, averages and norms of windows. The padding of a maximum is the least
// value; an average is a sum over zeros divided by the number of elements that
// count, which at the borders depends on the position.
//
//===----------------------------------------------------------------------===//

#include "Window.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

static std::optional<Window> readPool(Node &n) {
  Tensor *x = n.input(0);
  if (!n.hasRank(0, 3))
    return std::nullopt;
  SmallVector<int64_t> kernel = n.integers("kernel_shape");
  if (kernel.size() + 2 != x->dims.size()) {
    n.error() << "expects a kernel_shape of " << x->rank() - 2 << " numbers";
    return std::nullopt;
  }
  return readWindow(n, ArrayRef(x->dims).drop_front(2), kernel,
                    n.integer("ceil_mode", 0));
}

/// The positions of a window whose indices are asked for are unrolled.
static constexpr int64_t kMaxIndexedWindow = 1024;

/// Where the greatest element of each window is, in the whole input.
static Tensor *findGreatest(Node &n, Tensor *padded, const Window &window,
                            bool columnMajor) {
  Tensor *x = n.input(0);
  Sizes dims = {x->dims[0], x->dims[1]};
  llvm::append_range(dims, window.out);
  unsigned rank = window.rank();
  SmallVector<int64_t> steps(rank, 1);
  // The window unrolled: such pools are small, or their indices are not used.
  int64_t count = 1;
  for (int64_t size : window.kernel)
    count = std::min(count, kMaxIndexedWindow + 1) *
            std::min(size, kMaxIndexedWindow + 1);
  if (count > kMaxIndexedWindow) {
    n.error() << "the indices of windows of more than " << kMaxIndexedWindow
              << " elements are not supported";
    return nullptr;
  }
  SmallVector<SmallVector<int64_t>> offsets;
  forEachPosition(window.kernel, [&](ArrayRef<int64_t> at) {
    offsets.emplace_back(at.begin(), at.end());
  });
  Value source = n.value(padded);
  SmallVector<Value> extents, lows;
  for (AffineExpr dim : x->dims)
    extents.push_back(n.index(dim));
  for (AffineExpr low : window.low)
    lows.push_back(n.index(low));
  bool natural = isUnsigned(x->type);
  return n.generate(dims, DataType::Int64, [&](Scalar &s, ValueRange at) {
    s.isUnsigned = natural;
    Value best, position;
    for (ArrayRef<int64_t> offset : offsets) {
      SmallVector<Value> from = {at[0], at[1]};
      for (unsigned dim = 0; dim < rank; ++dim)
        from.push_back(s.add(s.mul(at[dim + 2], s.index(window.strides[dim])),
                             s.index(offset[dim] * window.dilations[dim])));
      Value element = s.extract(source, from);
      Value flat = s.add(s.mul(at[0], extents[1]), at[1]);
      auto append = [&](unsigned dim) {
        flat = s.add(s.mul(flat, extents[dim + 2]),
                     s.sub(from[dim + 2], lows[dim]));
      };
      if (columnMajor)
        for (unsigned dim = rank; dim-- > 0;)
          append(dim);
      else
        for (unsigned dim = 0; dim < rank; ++dim)
          append(dim);
      Value wins = best ? s.compare(Order::GT, element, best) : nullptr;
      best = best ? s.select(wins, element, best) : element;
      position = position ? s.select(wins, flat, position) : flat;
    }
    return s.fromIndex(position, s.b.getI64Type());
  });
}

static LogicalResult importMaxPool(Node &n) {
  Tensor *x = n.input(0);
  bool columnMajor = n.integer("storage_order", 0);
  std::optional<Window> window = readPool(n);
  if (!window)
    return failure();
  TypedAttr least = n.extreme(x->type, /*greatest=*/false);
  Tensor *padded = padSpatial(n, x, *window, least);
  if (failed(n.output(0, foldWindows(n, padded, *window, Pool::Maximum))))
    return failure();
  if (!n.wants(1))
    return success();
  return n.output(1, findGreatest(n, padded, *window, columnMajor));
}

/// Larger tables of numbers that follow from sizes are computed by the network.
static constexpr int64_t kMaxCounts = 1 << 16;

/// Of `kernel` positions from `start` on, those in [first, last).
static int64_t countWithin(int64_t start, int64_t dilation, int64_t kernel,
                           int64_t first, int64_t last) {
  auto before = [&](int64_t end) {
    int64_t room = std::max<int64_t>(end - start, 0);
    return std::min<int64_t>(kernel, llvm::divideCeilSigned(room, dilation));
  };
  return before(last) - before(first);
}

/// The counts as a constant; null if sizes are open or it would be large.
static Tensor *countKnown(Node &n, const Window &window, DataType type,
                          ArrayRef<AffineExpr> first,
                          ArrayRef<AffineExpr> last) {
  auto begin = Emitter::known(first), end = Emitter::known(last),
       shape = Emitter::known(window.out);
  int64_t total = 1;
  for (int64_t size : shape.value_or(SmallVector<int64_t>(1, kMaxCounts + 1)))
    total = std::min(total * std::clamp<int64_t>(size, 0, kMaxCounts + 1),
                     kMaxCounts + 1);
  if (!begin || !end || total > kMaxCounts)
    return nullptr;
  SmallVector<double> counts;
  forEachPosition(*shape, [&](ArrayRef<int64_t> at) {
    double &count = counts.emplace_back(1);
    for (unsigned dim = 0; dim < window.rank(); ++dim)
      count *= countWithin(at[dim] * window.strides[dim], window.dilations[dim],
                           window.kernel[dim], (*begin)[dim], (*end)[dim]);
  });
  return n.makeFloats(type, window.out, counts);
}

/// How many elements of each window count, as a tensor of the result's spatial
/// sizes: those of the input, and of the padding if it counts.
static Tensor *countElements(Node &n, const Window &window, DataType type,
                             bool countPads) {
  ArrayRef<AffineExpr> spatial = ArrayRef(n.input(0)->dims).drop_front(2);
  Sizes begin, end;
  for (unsigned dim = 0; dim < window.rank(); ++dim) {
    begin.push_back(countPads ? n.size(0) : window.low[dim]);
    end.push_back(window.low[dim] + spatial[dim]);
    if (countPads)
      end.back() = end.back() + window.high[dim];
  }
  if (Tensor *known = countKnown(n, window, type, begin, end))
    return known;
  SmallVector<Value> first, last;
  for (unsigned dim = 0; dim < window.rank(); ++dim) {
    first.push_back(n.index(begin[dim]));
    last.push_back(n.index(end[dim]));
  }
  return n.generate(window.out, type, [&](Scalar &s, ValueRange at) {
    // Of start, start + dilation, ...: those in [first, last).
    Value count = s.index(1);
    for (unsigned dim = 0; dim < window.rank(); ++dim) {
      Value dilation = s.index(window.dilations[dim]);
      Value start = s.mul(at[dim], s.index(window.strides[dim]));
      Value before = s.max(s.sub(first[dim], start), s.index(0));
      Value from = s.div(s.add(before, s.sub(dilation, s.index(1))), dilation);
      Value room = s.max(s.sub(last[dim], start), s.index(0));
      Value to =
          s.min(s.div(s.add(room, s.sub(dilation, s.index(1))), dilation),
                s.index(window.kernel[dim]));
      count = s.mul(count, s.sub(to, from));
    }
    return s.fromIndex(count, elementType(type, n.state.context));
  });
}

Tensor *mlir::prune::onnx_import::averagePool(Node &n, Tensor *x) {
  bool countPads = n.integer("count_include_pad", 0);
  std::optional<Window> window = readPool(n);
  if (!window || !x)
    return nullptr;
  Tensor *padded = padSpatial(n, x, *window, n.attribute(x->type, 0));
  Tensor *sums = foldWindows(n, padded, *window, Pool::Sum);
  if (!sums)
    return nullptr;
  bool rounded = llvm::any_of(window->ceiling,
                              [&](AffineExpr pad) { return pad != n.size(0); });
  if (rounded || (window->pads(n) && !countPads))
    return n.div(sums, countElements(n, *window, x->type, countPads));
  double count = 1;
  for (int64_t size : window->kernel)
    count *= size;
  return n.div(sums, n.Emitter::number(x->type, count));
}

static LogicalResult importAveragePool(Node &n) {
  if (!n.isFloating(0))
    return failure();
  n.computeWide();
  return n.output(averagePool(n, n.input(0)));
}

/// The p-th root of a sum of p-th powers.
static Tensor *norm(Node &n, Tensor *x, int64_t p,
                    function_ref<Tensor *(Tensor *)> sum) {
  DataType type = x->type;
  auto power = [&](Tensor *of, double exponent) {
    return n.map({of, n.Emitter::number(type, exponent)}, type,
                 [](Scalar &s, ValueRange v) { return s.pow(v[0], v[1]); });
  };
  Tensor *sizes =
      n.map(x, type, [](Scalar &s, ValueRange v) { return s.abs(v[0]); });
  if (p == 2)
    return n.unary("Sqrt", sum(n.mul(x, x)));
  Tensor *sums = sum(p == 1 || !sizes ? sizes : power(sizes, p));
  return p == 1 || !sums ? sums : power(sums, 1.0 / p);
}

static LogicalResult importLpPool(Node &n) {
  Tensor *x = n.input(0);
  int64_t p = n.integer("p", 2);
  std::optional<Window> window = readPool(n);
  if (!window || !n.isFloating(0))
    return failure();
  if (p < 1)
    return n.error() << "expects a positive p, but got " << p;
  n.computeWide();
  x = n.input(0);
  TypedAttr zero = n.attribute(x->type, 0);
  Tensor *padded = padSpatial(n, x, *window, zero);
  if (!padded)
    return failure();
  return n.output(norm(n, padded, p, [&](Tensor *powers) {
    return foldWindows(n, powers, *window, Pool::Sum);
  }));
}

/// The axes after batch and channel.
static SmallVector<int64_t> spatialAxes(Tensor *x) {
  return range(2, x->rank());
}

static LogicalResult importGlobalAverage(Node &n) {
  if (!n.hasRank(0, 3) || !n.isFloating(0))
    return failure();
  n.computeWide();
  return n.output(n.mean(n.input(0), spatialAxes(n.input(0)), true));
}

static LogicalResult importGlobalMax(Node &n) {
  if (!n.hasRank(0, 3))
    return failure();
  return n.output(n.greatest(n.input(0), spatialAxes(n.input(0)), true));
}

static LogicalResult importGlobalLp(Node &n) {
  int64_t p = n.integer("p", 2);
  if (!n.hasRank(0, 3) || !n.isFloating(0))
    return failure();
  if (p < 1)
    return n.error() << "expects a positive p, but got " << p;
  n.computeWide();
  return n.output(norm(n, n.input(0), p, [&](Tensor *powers) {
    return n.sum(powers, spatialAxes(n.input(0)), true);
  }));
}

ArrayRef<Operator> mlir::prune::onnx_import::poolingOperators() {
  static const Operator operators[] = {
      {"AveragePool", 1, kNewest, 1, ChannelRule::Pooling, importAveragePool,
       "ceil_mode needs known sizes"},
      {"GlobalAveragePool", 1, kNewest, 1, ChannelRule::Pooling,
       importGlobalAverage},
      {"GlobalLpPool", 2, kNewest, 1, ChannelRule::Pooling, importGlobalLp},
      {"GlobalMaxPool", 1, kNewest, 1, ChannelRule::Pooling, importGlobalMax},
      {"LpPool", 2, kNewest, 1, ChannelRule::Pooling, importLpPool,
       "ceil_mode needs known sizes"},
      {"MaxPool", 1, kNewest, 1, ChannelRule::Pooling, importMaxPool,
       "ceil_mode needs known sizes; indices of windows of up to 1024 "
       "elements"},
  };
  return operators;
}
