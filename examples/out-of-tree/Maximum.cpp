//===- Maximum.cpp - A criterion of channels ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `#maximum.channel` scores a channel by the largest magnitude among the
// weights that produce it, which is no sum over elements.
//
//===----------------------------------------------------------------------===//

#include "OneAttribute.h"

#include <cmath>

using namespace mlir;

namespace {
class MaximumAttr
    : public Attribute::AttrBase<MaximumAttr, Attribute, AttributeStorage,
                                 prune::ChannelCriterionAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "maximum.channel", dialect = "maximum",
                                 mnemonic = "channel";
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MaximumAttr)

  void addScores(const prune::ChannelMember &member,
                 MutableArrayRef<double> scores) const {
    auto slices = prune::readChannels(member, scores.size());
    for (auto [score, slice] : llvm::zip_equal(scores, slices))
      for (double element : slice)
        score = std::fmax(score, std::fabs(element));
  }
};
} // namespace

void my::registerMaximum(DialectRegistry &registry) {
  registry.insert<OneAttribute<MaximumAttr>>();
}
