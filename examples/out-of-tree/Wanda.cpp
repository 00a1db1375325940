//===- Wanda.cpp - A criterion with a statistic ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `#wanda.score` scores an element by its magnitude times the norm of the input
// that it multiplies. (Sun et al., A Simple and Effective Pruning Approach for
// Large Language Models, ICLR 2024.) The module has the norms:
//
//   module attributes {prune.statistics = {fc1 = {
//     input_norm = dense<[...]> : tensor<784xf64>}}}
//
// Weights are inputs by outputs. What all elements need is computed once.
//
//===----------------------------------------------------------------------===//

#include "OneAttribute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace {
struct Norms : prune::PreparedScores {
  std::vector<double> values;
};

class WandaAttr
    : public Attribute::AttrBase<WandaAttr, Attribute, AttributeStorage,
                                 prune::CriterionAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "wanda.score", dialect = "wanda",
                                 mnemonic = "score";
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WandaAttr)

  SmallVector<StringRef> getStatistics() const { return {"input_norm"}; }

  std::shared_ptr<const prune::PreparedScores>
  prepare(const prune::ScoreInputs &inputs) const {
    auto norms = std::make_shared<Norms>();
    norms->values.resize(inputs.statistics[0].size());
    inputs.statistics[0].load(0, norms->values);
    return norms;
  }

  void score(const prune::ScoreInputs &inputs, int64_t begin,
             MutableArrayRef<double> out) const {
    const auto &norms = static_cast<const Norms *>(inputs.prepared)->values;
    int64_t columns = inputs.weight.shape.back();
    inputs.weight.load(begin, out);
    for (size_t i = 0; i != out.size(); ++i)
      out[i] = std::fabs(out[i]) * norms[(begin + i) / columns];
  }

  Value buildScore(OpBuilder &b, Location loc,
                   const prune::ScoreValues &values) const {
    Value columns = arith::ConstantIndexOp::create(b, loc, values.shape.back());
    Value row = arith::DivUIOp::create(b, loc, values.index, columns);
    Value norm = tensor::ExtractOp::create(b, loc, values.statistics[0], row);
    Value magnitude = math::AbsFOp::create(b, loc, values.element);
    return arith::MulFOp::create(b, loc, magnitude, norm);
  }
};
} // namespace

void my::registerWanda(DialectRegistry &registry) {
  registry.insert<OneAttribute<WandaAttr>>();
}
