//===- ExternalModels.cpp - Our interfaces on upstream operations ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How channels move through the operations of the tensor dialect. A dimension
// of dynamic size, or one cut with a dynamic offset or a stride, keeps all of
// its indices; the others of the same operation are not affected.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/ExternalModels.h"
#include "prune/IR/ChannelLinks.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::prune;

static constexpr StringLiteral kStrided =
    "is cut with a stride or at an offset that only the run knows";

/// The same constant at each of the given indices, or null.
static Attribute commonConstant(ArrayRef<Attribute> constants, int64_t begin,
                                int64_t count, int64_t step = 1) {
  if (count == 0 || constants.empty())
    return {};
  Attribute first = constants[begin];
  for (int64_t t = 1; t < count && first; ++t)
    if (constants[begin + t * step] != first)
      return {};
  return first;
}

static void copyConstants(ArrayRef<Attribute> from,
                          MutableArrayRef<Attribute> to) {
  if (from.size() == to.size())
    llvm::copy(from, to.begin());
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

namespace {
/// One dimension of the expanded shape, as seen from the collapsed one.
struct ReshapeFactor {
  int64_t dim;
  int64_t size, inner, outer;
};
} // namespace

/// The factors of a group other than 1, outermost first.
static SmallVector<ReshapeFactor> getFactors(ArrayRef<int64_t> group,
                                             ArrayRef<int64_t> shape) {
  SmallVector<ReshapeFactor> factors;
  int64_t outer = 1;
  for (int64_t dim : group) {
    if (shape[dim] != 1)
      factors.push_back({dim, shape[dim], 1, outer});
    outer *= shape[dim];
  }
  int64_t inner = 1;
  for (ReshapeFactor &factor : llvm::reverse(factors)) {
    factor.inner = inner;
    inner *= factor.size;
  }
  return factors;
}

/// `expanded` and `collapsed` make the ports of the two sides.
static ChannelLinks
getReshapeLinks(Operation *op, ArrayRef<ReassociationIndices> groups,
                ArrayRef<int64_t> shape,
                function_ref<ChannelPort(int64_t)> expanded,
                function_ref<ChannelPort(int64_t)> collapsed) {
  ChannelLinks links;
  // A scalar's unit dimensions belong to no group.
  if (groups.empty())
    links.freezeAll(op, "is reshaped from or to a scalar");
  for (auto [dim, group] : llvm::enumerate(groups)) {
    if (group.size() == 1) {
      links.couple(op, expanded(group[0]), collapsed(dim));
      continue;
    }
    if (llvm::any_of(group, [&](int64_t part) {
          return ShapedType::isDynamic(shape[part]);
        })) {
      links.freeze(op, collapsed(dim), "is reshaped with a dynamic size");
      for (int64_t part : group)
        links.freeze(op, expanded(part), "is reshaped with a dynamic size");
      continue;
    }
    SmallVector<ReshapeFactor> factors = getFactors(group, shape);
    for (int64_t part : group)
      if (shape[part] == 1)
        links.freeze(op, expanded(part), "has size 1");
    if (factors.empty()) {
      links.freeze(op, collapsed(dim), "has size 1");
      continue;
    }
    int choice = factors.size() > 1 ? links.numChoices++ : -1;
    for (const ReshapeFactor &factor : factors) {
      ChannelLink link{expanded(factor.dim), collapsed(dim), factor.size};
      link.inner = factor.inner;
      link.outer = factor.outer;
      link.choice = choice;
      links.links.push_back(link);
    }
  }
  return links;
}

namespace {
struct ExpandShapeModel
    : ChannelOpInterface::ExternalModel<ExpandShapeModel,
                                        tensor::ExpandShapeOp> {
  ChannelLinks getChannelLinks(Operation *op) const {
    auto expand = cast<tensor::ExpandShapeOp>(op);
    return getReshapeLinks(
        op, expand.getReassociationIndices(), expand.getResultType().getShape(),
        [](int64_t dim) { return ChannelPort::result(0, dim); },
        [](int64_t dim) { return ChannelPort::operand(0, dim); });
  }

  void propagateConstants(Operation *op, OperandConstants operands,
                          ResultConstants results) const {
    auto expand = cast<tensor::ExpandShapeOp>(op);
    ArrayRef<int64_t> shape = expand.getResultType().getShape();
    for (auto [dim, group] :
         llvm::enumerate(expand.getReassociationIndices())) {
      ArrayRef<Attribute> source = operands(0, dim);
      if (source.empty())
        continue;
      for (const ReshapeFactor &factor : getFactors(group, shape)) {
        MutableArrayRef<Attribute> target = results(0, factor.dim);
        int64_t step = factor.inner * factor.size;
        for (int64_t t = 0; t != factor.size; ++t) {
          Attribute first = source[t * factor.inner];
          for (int64_t o = 0; o != factor.outer && first; ++o)
            if (commonConstant(source, o * step + t * factor.inner,
                               factor.inner) != first)
              first = {};
          target[t] = first;
        }
      }
    }
  }

  void removeChannels(Operation *op, IsKept,
                      function_ref<int64_t(ChannelPort)>) const {
    auto expand = cast<tensor::ExpandShapeOp>(op);
    expand.setStaticOutputShape(expand.getResultType().getShape());
  }
};

struct CollapseShapeModel
    : ChannelOpInterface::ExternalModel<CollapseShapeModel,
                                        tensor::CollapseShapeOp> {
  ChannelLinks getChannelLinks(Operation *op) const {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    return getReshapeLinks(
        op, collapse.getReassociationIndices(),
        collapse.getSrcType().getShape(),
        [](int64_t dim) { return ChannelPort::operand(0, dim); },
        [](int64_t dim) { return ChannelPort::result(0, dim); });
  }

  void propagateConstants(Operation *op, OperandConstants operands,
                          ResultConstants results) const {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    ArrayRef<int64_t> shape = collapse.getSrcType().getShape();
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices())) {
      MutableArrayRef<Attribute> target = results(0, dim);
      if (target.empty())
        continue;
      if (group.size() == 1) {
        copyConstants(operands(0, group[0]), target);
        continue;
      }
      for (const ReshapeFactor &factor : getFactors(group, shape)) {
        ArrayRef<Attribute> source = operands(0, factor.dim);
        if (!source.empty())
          for (int64_t j = 0, e = target.size(); j != e; ++j)
            if (Attribute known = source[j / factor.inner % factor.size])
              target[j] = known;
      }
    }
  }
};

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// Along one dimension: `size` indices of the whole from `begin`; no value if
/// they are not a run that is known.
struct DimRun {
  int64_t begin, size;
};
} // namespace

template <typename OpTy>
static std::optional<DimRun> getRun(OpTy op, int64_t dim) {
  int64_t begin = op.getStaticOffset(dim), size = op.getStaticSize(dim);
  if (ShapedType::isDynamic(begin) || ShapedType::isDynamic(size) ||
      (op.getStaticStride(dim) != 1 && size != 1))
    return std::nullopt;
  return DimRun{begin, size};
}

/// Links between a whole and its part; `dropped` are the dimensions that the
/// part does not have.
template <typename OpTy>
static void linkPart(OpTy op, ChannelLinks &links,
                     const llvm::SmallBitVector &dropped,
                     function_ref<ChannelPort(int64_t)> whole,
                     function_ref<ChannelPort(int64_t)> part) {
  int64_t partDim = 0;
  for (int64_t dim = 0, e = dropped.size(); dim != e; ++dim) {
    std::optional<DimRun> run = getRun(op, dim);
    if (!run) {
      links.freeze(op, whole(dim), kStrided);
      if (!dropped[dim])
        links.freeze(op, part(partDim++), kStrided);
    } else if (dropped[dim]) {
      links.frozen.push_back(
          {whole(dim), run->begin, 1, "has an index that is cut out"});
    } else {
      links.links.push_back(
          {part(partDim++), whole(dim), run->size, 0, run->begin});
    }
  }
}

/// The new offsets and sizes of a slice. Dimensions that are not a known run
/// are frozen and stay.
template <typename OpTy>
static void shrinkSlice(OpTy op, bool wholeIsResult, unsigned wholeIndex,
                        IsKept isKept) {
  SmallVector<int64_t> offsets(op.getStaticOffsets());
  SmallVector<int64_t> sizes(op.getStaticSizes());
  for (size_t dim = 0; dim != offsets.size(); ++dim) {
    std::optional<DimRun> run = getRun(op, dim);
    if (!run)
      continue;
    ChannelPort port{wholeIsResult, wholeIndex, int64_t(dim)};
    int64_t before = 0, inside = 0;
    for (int64_t i = 0; i != run->begin + run->size; ++i)
      (i < run->begin ? before : inside) += isKept(port, i);
    offsets[dim] = before;
    sizes[dim] = inside;
  }
  op.setStaticOffsets(offsets);
  op.setStaticSizes(sizes);
}

namespace {
struct ExtractSliceModel
    : ChannelOpInterface::ExternalModel<ExtractSliceModel,
                                        tensor::ExtractSliceOp> {
  ChannelLinks getChannelLinks(Operation *op) const {
    auto slice = cast<tensor::ExtractSliceOp>(op);
    ChannelLinks links;
    linkPart(
        slice, links, slice.getDroppedDims(),
        [](int64_t dim) { return ChannelPort::operand(0, dim); },
        [](int64_t dim) { return ChannelPort::result(0, dim); });
    return links;
  }

  void propagateConstants(Operation *op, OperandConstants operands,
                          ResultConstants results) const {
    auto slice = cast<tensor::ExtractSliceOp>(op);
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int64_t resultDim = 0;
    for (int64_t dim = 0, e = dropped.size(); dim != e; ++dim) {
      ArrayRef<Attribute> source = operands(0, dim);
      int64_t begin = slice.getStaticOffset(dim);
      int64_t stride = slice.getStaticStride(dim);
      bool isKnown = !source.empty() && !ShapedType::isDynamic(begin) &&
                     !ShapedType::isDynamic(stride);
      if (dropped[dim]) {
        // The one index that is cut out may make all of the result constant.
        if (isKnown && source[begin])
          for (int64_t other = 0; other != slice.getType().getRank(); ++other)
            llvm::fill(results(0, other), source[begin]);
        continue;
      }
      MutableArrayRef<Attribute> target = results(0, resultDim++);
      if (isKnown)
        for (int64_t i = 0, n = target.size(); i != n; ++i)
          if (Attribute known = source[begin + i * stride])
            target[i] = known;
    }
  }

  void removeChannels(Operation *op, IsKept isKept,
                      function_ref<int64_t(ChannelPort)>) const {
    shrinkSlice(cast<tensor::ExtractSliceOp>(op), false, 0, isKept);
  }
};

struct InsertSliceModel
    : ChannelOpInterface::ExternalModel<InsertSliceModel,
                                        tensor::InsertSliceOp> {
  ChannelLinks getChannelLinks(Operation *op) const {
    auto slice = cast<tensor::InsertSliceOp>(op);
    ChannelLinks links;
    for (int64_t dim = 0; dim != slice.getType().getRank(); ++dim)
      links.couple(op, ChannelPort::result(0, dim),
                   ChannelPort::operand(1, dim));
    linkPart(
        slice, links, slice.getDroppedDims(),
        [](int64_t dim) { return ChannelPort::result(0, dim); },
        [](int64_t dim) { return ChannelPort::operand(0, dim); });
    return links;
  }

  void propagateConstants(Operation *op, OperandConstants operands,
                          ResultConstants results) const {
    auto slice = cast<tensor::InsertSliceOp>(op);
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int64_t partDim = 0;
    for (int64_t dim = 0, e = dropped.size(); dim != e; ++dim) {
      ArrayRef<Attribute> whole = operands(1, dim);
      ArrayRef<Attribute> part =
          dropped[dim] ? ArrayRef<Attribute>() : operands(0, partDim++);
      MutableArrayRef<Attribute> target = results(0, dim);
      std::optional<DimRun> run = getRun(slice, dim);
      if (target.empty() || whole.size() != target.size() || !run)
        continue;
      for (int64_t i = 0, n = target.size(); i != n; ++i) {
        bool isInside = i >= run->begin && i < run->begin + run->size;
        if (!isInside)
          target[i] = whole[i];
        else if (!part.empty() && (part[i - run->begin] == whole[i] ||
                                   isa_and_nonnull<UnitAttr>(whole[i])))
          target[i] = part[i - run->begin];
      }
    }
  }

  void removeChannels(Operation *op, IsKept isKept,
                      function_ref<int64_t(ChannelPort)>) const {
    shrinkSlice(cast<tensor::InsertSliceOp>(op), true, 0, isKept);
  }
};

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

struct PadModel : ChannelOpInterface::ExternalModel<PadModel, tensor::PadOp> {
  static bool isStatic(tensor::PadOp pad, int64_t dim) {
    int64_t low = pad.getStaticLow()[dim], high = pad.getStaticHigh()[dim];
    return !ShapedType::isDynamic(low) && !ShapedType::isDynamic(high) &&
           low >= 0 && high >= 0 && !pad.getSourceType().isDynamicDim(dim);
  }

  ChannelLinks getChannelLinks(Operation *op) const {
    auto pad = cast<tensor::PadOp>(op);
    ChannelLinks links;
    // A value that depends on the position would not survive a removal.
    bool usesPosition = llvm::any_of(pad.getRegion().getArguments(),
                                     [](Value v) { return !v.use_empty(); });
    for (int64_t dim = 0; dim != pad.getSourceType().getRank(); ++dim) {
      ChannelPort source = ChannelPort::operand(0, dim);
      ChannelPort result = ChannelPort::result(0, dim);
      if (!isStatic(pad, dim) || usesPosition) {
        StringRef reason = usesPosition
                               ? "is padded with values that depend on it"
                               : "is padded by an amount that is negative or "
                                 "only the run knows";
        links.freeze(op, source, reason);
        links.freeze(op, result, reason);
        continue;
      }
      links.links.push_back({source, result,
                             pad.getSourceType().getDimSize(dim), 0,
                             pad.getStaticLow()[dim]});
    }
    return links;
  }

  void propagateConstants(Operation *op, OperandConstants operands,
                          ResultConstants results) const {
    auto pad = cast<tensor::PadOp>(op);
    Attribute value;
    if (Value padding = pad.getConstantPaddingValue())
      matchPattern(padding, m_Constant(&value));
    unsigned padded = 0;
    int64_t rank = pad.getSourceType().getRank();
    auto isPadded = [&](int64_t dim) {
      return pad.getStaticLow()[dim] != 0 || pad.getStaticHigh()[dim] != 0;
    };
    for (int64_t dim = 0; dim != rank; ++dim)
      padded += isPadded(dim);
    for (int64_t dim = 0; dim != rank; ++dim) {
      ArrayRef<Attribute> source = operands(0, dim);
      MutableArrayRef<Attribute> target = results(0, dim);
      if (target.empty() || !isStatic(pad, dim))
        continue;
      int64_t low = pad.getStaticLow()[dim], size = source.size();
      bool isPlain = padded == unsigned(isPadded(dim));
      for (int64_t i = 0, n = target.size(); i != n; ++i) {
        if (i < low || i >= low + size)
          target[i] = value;
        else if (isPlain || source[i - low] == value)
          target[i] = source[i - low];
      }
    }
  }

  void removeChannels(Operation *op, IsKept isKept,
                      function_ref<int64_t(ChannelPort)> sizes) const {
    auto pad = cast<tensor::PadOp>(op);
    SmallVector<int64_t> lows(pad.getStaticLow()), highs(pad.getStaticHigh());
    for (size_t dim = 0; dim != lows.size(); ++dim) {
      ChannelPort result = ChannelPort::result(0, dim);
      if (!isStatic(pad, dim))
        continue;
      int64_t low = lows[dim], size = sizes(ChannelPort::operand(0, dim));
      for (int64_t i = 0, n = sizes(result); i != n; ++i)
        if (!isKept(result, i)) {
          lows[dim] -= i < low;
          highs[dim] -= i >= low + size;
        }
    }
    pad.setStaticLow(lows);
    pad.setStaticHigh(highs);
  }
};

//===----------------------------------------------------------------------===//
// Concatenation
//===----------------------------------------------------------------------===//

/// Only the size that is asked for has to stay.
struct DimModel : ChannelOpInterface::ExternalModel<DimModel, tensor::DimOp> {
  ChannelLinks getChannelLinks(Operation *op) const {
    ChannelLinks links;
    auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
    std::optional<int64_t> index = cast<tensor::DimOp>(op).getConstantIndex();
    if (!type || !index || *index < 0 || *index >= type.getRank())
      links.freezeAll(op, "is asked for a size");
    else
      links.freeze(op, ChannelPort::operand(0, *index),
                   "is asked for its size");
    return links;
  }
};

struct ConcatModel
    : ChannelOpInterface::ExternalModel<ConcatModel, tensor::ConcatOp> {
  ChannelLinks getChannelLinks(Operation *op) const {
    auto concat = cast<tensor::ConcatOp>(op);
    ChannelLinks links;
    int64_t begin = 0, axis = concat.getDim();
    for (auto [index, operand] : llvm::enumerate(concat.getInputs())) {
      auto type = cast<RankedTensorType>(operand.getType());
      for (int64_t dim = 0; dim != type.getRank(); ++dim)
        if (dim != axis)
          links.couple(op, ChannelPort::operand(index, dim),
                       ChannelPort::result(0, dim));
      ChannelPort part = ChannelPort::operand(index, axis);
      if (concat.getResultType().isDynamicDim(axis)) {
        links.freeze(op, part, "is joined to a dynamic size");
        continue;
      }
      int64_t size = type.getDimSize(axis);
      links.links.push_back(
          {part, ChannelPort::result(0, axis), size, 0, begin});
      begin += size;
    }
    return links;
  }

  void propagateConstants(Operation *op, OperandConstants operands,
                          ResultConstants results) const {
    auto concat = cast<tensor::ConcatOp>(op);
    int64_t axis = concat.getDim();
    for (int64_t dim = 0; dim != concat.getResultType().getRank(); ++dim) {
      MutableArrayRef<Attribute> target = results(0, dim);
      int64_t begin = 0;
      for (unsigned index = 0; index != op->getNumOperands(); ++index) {
        ArrayRef<Attribute> source = operands(index, dim);
        if (dim == axis) {
          if (!target.empty())
            llvm::copy(source, target.begin() + begin);
          begin += source.size();
          continue;
        }
        for (int64_t i = 0, n = target.size(); i != n; ++i)
          if (source.empty() || (index != 0 && target[i] != source[i]))
            target[i] = {};
          else if (index == 0)
            target[i] = source[i];
      }
    }
  }
};
} // namespace

void mlir::prune::registerExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    tensor::ConcatOp::attachInterface<ConcatModel>(*context);
    tensor::DimOp::attachInterface<DimModel>(*context);
    tensor::CollapseShapeOp::attachInterface<CollapseShapeModel>(*context);
    tensor::ExpandShapeOp::attachInterface<ExpandShapeModel>(*context);
    tensor::ExtractSliceOp::attachInterface<ExtractSliceModel>(*context);
    tensor::InsertSliceOp::attachInterface<InsertSliceModel>(*context);
    tensor::PadOp::attachInterface<PadModel>(*context);
  });
}
