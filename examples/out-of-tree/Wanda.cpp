//===- Wanda.cpp - A criterion with a statistic ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `#wanda.score` scores an element by its magnitude times the norm of the input
// that it multiplies. (Sun et al., A Simple and Effective Pruning Approach for
// Large Language Models, ICLR 2024.) The module has the norms:
//
//   module attributes {prune.statistics = {fc1 = {
//     input_norm = dense<[...]> : tensor<784x1xf64>}}}
//
// prune-run --statistics writes them. A statistic has the shape of the weight,
// but 1 along dimensions that make no difference to the input, so it is read
// like a broadcast. What all elements need is computed once.
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
  prune::BroadcastStatistic values;
  explicit Norms(const prune::ScoreInputs &inputs)
      : values(inputs.statistics[0], inputs.weight.shape) {}
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

  LogicalResult
  verifyStatistic(StringRef name, RankedTensorType type,
                  ArrayRef<int64_t> shape,
                  function_ref<InFlightDiagnostic()> emitError) const {
    if (prune::BroadcastStatistic::fits(type.getShape(), shape))
      return success();
    return emitError() << "expects a statistic that broadcasts to the weight, "
                          "but got "
                       << type;
  }

  std::shared_ptr<const prune::PreparedScores>
  prepare(const prune::ScoreInputs &inputs) const {
    return std::make_shared<Norms>(inputs);
  }

  void score(const prune::ScoreInputs &inputs, int64_t begin,
             MutableArrayRef<double> out) const {
    std::vector<double> norms(out.size());
    static_cast<const Norms *>(inputs.prepared)->values.load(begin, norms);
    inputs.weight.load(begin, out);
    for (size_t i = 0; i != out.size(); ++i)
      out[i] = std::fabs(out[i]) * norms[i];
  }

  Value buildScore(OpBuilder &b, Location loc,
                   const prune::ScoreValues &values) const {
    Value norms = values.statistics[0];
    ArrayRef<int64_t> sizes =
        cast<RankedTensorType>(norms.getType()).getShape();
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    SmallVector<Value> place(sizes.size());
    Value rest = values.index;
    for (size_t dim = sizes.size(); dim-- > 0;) {
      Value size = number(values.shape[dim]);
      place[dim] = sizes[dim] == 1 ? number(0)
                                   : arith::RemUIOp::create(b, loc, rest, size);
      rest = arith::DivUIOp::create(b, loc, rest, size);
    }
    Value norm = tensor::ExtractOp::create(b, loc, norms, place);
    Value magnitude = math::AbsFOp::create(b, loc, values.element);
    return arith::MulFOp::create(b, loc, magnitude, norm);
  }
};
} // namespace

void my::registerWanda(DialectRegistry &registry) {
  registry.insert<OneAttribute<WandaAttr>>();
}
