//===- Diagonals.cpp - A pattern that is no block -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `#banks.diagonal` keeps or removes whole diagonals of a matrix, which wrap
// around. Diagonals are ranked in two banks, the even and the odd ones, so that
// both lose the same part.
//
//===----------------------------------------------------------------------===//

#include "OneAttribute.h"

using namespace mlir;

namespace {
struct Diagonals : prune::UnitMap {
  int64_t columns;
  explicit Diagonals(int64_t columns) : columns(columns) {}
  int64_t numUnits() const override { return columns; }
  int64_t unitOf(int64_t element) const override {
    return (element % columns + element / columns) % columns;
  }
  int64_t numBanks() const override { return 2; }
  int64_t bankOf(int64_t unit) const override { return unit % 2; }
};

class DiagonalAttr
    : public Attribute::AttrBase<DiagonalAttr, Attribute, AttributeStorage,
                                 prune::PatternAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "banks.diagonal", dialect = "banks",
                                 mnemonic = "diagonal";
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DiagonalAttr)

  prune::UnitPattern getUnits(ArrayRef<int64_t> shape) const {
    prune::UnitPattern pattern;
    pattern.map = std::make_shared<Diagonals>(shape.back());
    return pattern;
  }

  LogicalResult verifyFor(ArrayRef<int64_t> shape,
                          function_ref<InFlightDiagnostic()> emitError) const {
    if (shape.size() == 2)
      return success();
    return emitError() << "diagonals expect a matrix but got rank "
                       << shape.size();
  }
};
} // namespace

void my::registerDiagonals(DialectRegistry &registry) {
  registry.insert<OneAttribute<DiagonalAttr>>();
}
