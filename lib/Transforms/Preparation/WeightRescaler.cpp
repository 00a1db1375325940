//===- WeightRescaler.cpp - Scale a weight along its loops
//------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The index along a dimension of the contraction's operand is a sum of what the
// indices of the constant's dimensions contribute, each read from a table.
//
//===----------------------------------------------------------------------===//

#include "WeightRescaler.h"

#include "prune/Core/Packing/LevelStorage.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

std::optional<WeightRescaler> WeightRescaler::create(const Weight &weight,
                                                     std::string &reason) {
  if (weight.uses.size() != 1 || weight.constants.size() != 1) {
    reason = "weight '" + weight.name + "' has several users";
    return std::nullopt;
  }
  const WeightUse &use = weight.uses.front();
  bool isShared = !weight.constants.front()->hasOneUse();
  DimFactors origins(weight.getType());
  for (Operation *step : use.chain) {
    isShared |= !step->hasOneUse();
    if (!origins.follow(step)) {
      reason = ("weight '" + weight.name + "' passes through " +
                step->getName().getStringRef() + ", which is not followed")
                   .str();
      return std::nullopt;
    }
  }
  if (isShared) {
    reason = "weight '" + weight.name + "' has several users";
    return std::nullopt;
  }
  if (!getTensorView(weight.getValue())) {
    reason = "weight '" + weight.name + "' has no readable data";
    return std::nullopt;
  }
  return WeightRescaler(weight, std::move(origins));
}

FloatKind WeightRescaler::getKind() const {
  return *getFloatKind(type.getElementType());
}

int64_t WeightRescaler::getExtent(unsigned loop) const {
  AffineMap map = getContraction().getMatchingIndexingMap(use.operand);
  std::optional<unsigned> dim =
      map.getResultPosition(getAffineDimExpr(loop, type.getContext()));
  if (!dim)
    return 0;
  return cast<RankedTensorType>(use.operand->get().getType()).getDimSize(*dim);
}

namespace {
/// Positions in tables, from the indices of a constant's dimensions.
class PositionReader {
public:
  PositionReader(ArrayRef<int64_t> shape, const DimFactors &origins,
                 AffineMap map, ArrayRef<WeightRescaler::Steps> tables)
      : map(map), tables(tables), parts(origins.getRank()),
        indices(origins.getRank()) {
    for (unsigned dim = 0; dim != origins.getRank(); ++dim) {
      parts[dim].resize(shape.size());
      int64_t radix = 1;
      for (const Factor &factor : llvm::reverse(origins.getFactors(dim))) {
        std::vector<int64_t> &table = parts[dim][factor.dim];
        table.resize(shape[factor.dim]);
        for (int64_t i = 0; i != shape[factor.dim]; ++i)
          table[i] += i / factor.stride % factor.size * radix;
        radix *= factor.size;
      }
    }
  }

  void read(ArrayRef<int64_t> at, MutableArrayRef<int64_t> positions) {
    for (auto [dim, byOrigin] : llvm::enumerate(parts)) {
      indices[dim] = 0;
      for (auto [origin, table] : llvm::enumerate(byOrigin))
        if (!table.empty())
          indices[dim] += table[at[origin]];
    }
    for (auto [position, steps] : llvm::zip_equal(positions, tables)) {
      position = 0;
      for (auto [dim, index] : llvm::enumerate(indices))
        if (auto entry = steps.find(map.getDimPosition(dim));
            entry != steps.end())
          position += entry->second[index];
    }
  }

private:
  AffineMap map;
  ArrayRef<WeightRescaler::Steps> tables;
  /// By dimension of the operand and of the constant.
  std::vector<std::vector<std::vector<int64_t>>> parts;
  std::vector<int64_t> indices;
};
} // namespace

void WeightRescaler::forEach(
    ArrayRef<Steps> tables,
    llvm::function_ref<void(int64_t, double, ArrayRef<int64_t>)> visit) const {
  ArrayRef<int64_t> shape = type.getShape();
  PositionReader reader(shape, origins,
                        getContraction().getMatchingIndexingMap(use.operand),
                        tables);
  Attribute value = cast<arith::ConstantOp>(constant).getValue();
  TensorView view = *getTensorView(value);
  SmallVector<int64_t> at(shape.size(), 0), positions(tables.size());
  std::vector<double> chunk(4096);
  for (int64_t begin = 0, size = view.size(); begin < size;
       begin += chunk.size()) {
    chunk.resize(std::min<int64_t>(chunk.size(), size - begin));
    view.load(begin, chunk);
    for (auto [offset, number] : llvm::enumerate(chunk)) {
      reader.read(at, positions);
      visit(begin + offset, number, positions);
      for (int64_t dim = shape.size() - 1; dim >= 0 && ++at[dim] == shape[dim];
           --dim)
        at[dim] = 0;
    }
  }
}

bool WeightRescaler::replaceValues(const std::vector<double> &values,
                                   KeptRecord &kept) {
  ArrayRef<char> wide(reinterpret_cast<const char *>(values.data()),
                      values.size() * sizeof(double));
  std::vector<char> data = convertElements(FloatKind::F64, getKind(), wide);
  std::vector<double> rounded(values.size());
  TensorView{getKind(), data, type.getShape()}.load(0, rounded);
  for (auto [before, after] : llvm::zip_equal(values, rounded))
    if (std::isfinite(before) && !std::isfinite(after))
      return false;
  auto old = cast<arith::ConstantOp>(constant);
  OpBuilder builder(old);
  TypedAttr value = createConstantLike(old.getValue(), type, data);
  kept.setVersion(old.getValue(), value);
  auto replacement = arith::ConstantOp::create(builder, old.getLoc(), value);
  old.replaceAllUsesWith(replacement.getResult());
  old.erase();
  constant = replacement;
  return true;
}
