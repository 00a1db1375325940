//===- InputCriteria.cpp - Criteria of what layers read -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics have the shape of the weight, but 1 where all elements share a
// number, so that a criterion needs to know nothing of layouts.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <unordered_map>

using namespace mlir;
using namespace mlir::prune;

static LogicalResult
verifyBroadcast(StringRef name, RankedTensorType type, ArrayRef<int64_t> shape,
                function_ref<InFlightDiagnostic()> emitError) {
  if (BroadcastStatistic::fits(type.getShape(), shape) &&
      getFloatKind(type.getElementType()))
    return success();
  InFlightDiagnostic diagnostic = emitError();
  diagnostic << "expects the statistic '" << name
             << "' to be of floats in the shape [";
  llvm::interleaveComma(shape, diagnostic);
  return diagnostic << "], or 1 along some of its dimensions, but got " << type;
}

//===----------------------------------------------------------------------===//
// Wanda
//===----------------------------------------------------------------------===//

namespace {
struct InputNorms : PreparedScores {
  BroadcastStatistic values;
  explicit InputNorms(const ScoreInputs &inputs)
      : values(inputs.statistics[0], inputs.weight.shape) {}
};
} // namespace

SmallVector<StringRef> WandaAttr::getStatistics() const {
  return {"input_norm"};
}

LogicalResult
WandaAttr::verifyStatistic(StringRef name, RankedTensorType type,
                           ArrayRef<int64_t> shape,
                           function_ref<InFlightDiagnostic()> emitError) const {
  return verifyBroadcast(name, type, shape, emitError);
}

std::shared_ptr<const PreparedScores>
WandaAttr::prepare(const ScoreInputs &inputs) const {
  return std::make_shared<InputNorms>(inputs);
}

void WandaAttr::score(const ScoreInputs &inputs, int64_t begin,
                      MutableArrayRef<double> out) const {
  std::vector<double> norms(out.size());
  static_cast<const InputNorms *>(inputs.prepared)->values.load(begin, norms);
  inputs.weight.load(begin, out);
  for (auto [score, norm] : llvm::zip_equal(out, norms))
    score = std::fabs(score) * norm;
}

Value WandaAttr::buildScore(OpBuilder &builder, Location loc,
                            const ScoreValues &values) const {
  Value statistic = values.statistics[0];
  auto type = cast<RankedTensorType>(statistic.getType());
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  SmallVector<Value> position(type.getRank());
  int64_t inner = 1;
  for (size_t dim = type.getRank(); dim-- > 0;) {
    int64_t extent = values.shape[dim];
    if (type.getDimSize(dim) == 1) {
      position[dim] = index(0);
    } else {
      Value at =
          arith::DivUIOp::create(builder, loc, values.index, index(inner));
      position[dim] = arith::RemUIOp::create(builder, loc, at, index(extent));
    }
    inner *= extent;
  }
  Value norm = tensor::ExtractOp::create(builder, loc, statistic, position);
  if (norm.getType() != builder.getF64Type())
    norm = arith::ExtFOp::create(builder, loc, builder.getF64Type(), norm);
  Value magnitude = math::AbsFOp::create(builder, loc, values.element);
  return arith::MulFOp::create(builder, loc, magnitude, norm);
}

//===----------------------------------------------------------------------===//
// RIA
//===----------------------------------------------------------------------===//

namespace {
struct RelativeSums : PreparedScores {
  BroadcastStatistic norms, inputs, outputs;
  explicit RelativeSums(const ScoreInputs &scored)
      : norms(scored.statistics[0], scored.weight.shape),
        inputs(scored.statistics[1], scored.weight.shape),
        outputs(scored.statistics[2], scored.weight.shape) {}
};
} // namespace

LogicalResult RIAAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              FloatAttr power) {
  double value = power.getValueAsDouble();
  if (std::isfinite(value) && value >= 0)
    return success();
  return emitError() << "RIA expects a finite power of at least 0 but got "
                     << power;
}

SmallVector<StringRef> RIAAttr::getStatistics() const {
  return {"input_norm", "input_index", "output_index"};
}

LogicalResult
RIAAttr::verifyStatistic(StringRef name, RankedTensorType type,
                         ArrayRef<int64_t> shape,
                         function_ref<InFlightDiagnostic()> emitError) const {
  return verifyBroadcast(name, type, shape, emitError);
}

/// Replaces the index of an input or output by the sum of the magnitudes of all
/// weights that have it, in row-major order.
static void sumByIndex(BroadcastStatistic &indices,
                       ArrayRef<double> magnitudes) {
  std::vector<double> all(magnitudes.size());
  indices.load(0, all);
  std::unordered_map<double, double> sums;
  for (auto [index, magnitude] : llvm::zip_equal(all, magnitudes))
    sums[index] += magnitude;
  indices.transform([&](double index) { return sums[index]; });
}

std::shared_ptr<const PreparedScores>
RIAAttr::prepare(const ScoreInputs &inputs) const {
  auto prepared = std::make_shared<RelativeSums>(inputs);
  std::vector<double> magnitudes(inputs.weight.size());
  inputs.weight.load(0, magnitudes);
  for (double &magnitude : magnitudes)
    magnitude = std::fabs(magnitude);
  sumByIndex(prepared->inputs, magnitudes);
  sumByIndex(prepared->outputs, magnitudes);
  double power = getPower().getValueAsDouble();
  prepared->norms.transform([&](double norm) { return std::pow(norm, power); });
  return prepared;
}

void RIAAttr::score(const ScoreInputs &inputs, int64_t begin,
                    MutableArrayRef<double> out) const {
  const auto &prepared = *static_cast<const RelativeSums *>(inputs.prepared);
  std::vector<double> norms(out.size()), rows(out.size()), columns(out.size());
  prepared.norms.load(begin, norms);
  prepared.outputs.load(begin, rows);
  prepared.inputs.load(begin, columns);
  inputs.weight.load(begin, out);
  for (size_t i = 0; i != out.size(); ++i) {
    double magnitude = std::fabs(out[i]);
    out[i] = magnitude == 0
                 ? 0.0
                 : (magnitude / rows[i] + magnitude / columns[i]) * norms[i];
  }
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kNoReader = "is read by no weight";

/// Adds a number for each channel, from the mean of a statistic over it.
static void addMeans(const ChannelMember &member,
                     MutableArrayRef<double> scores,
                     function_ref<double(double)> score) {
  std::vector<std::vector<double>> channels =
      readChannels(member, scores.size());
  for (auto [total, values] : llvm::zip_equal(scores, channels)) {
    double sum = 0;
    for (double value : values)
      sum += value;
    if (!values.empty())
      total += score(sum / double(values.size()));
  }
}

StringRef MeanActivationAttr::getStatistic() const { return "mean"; }

StringRef MeanActivationAttr::whyNot() const { return kNoReader; }

void MeanActivationAttr::addScores(const ChannelMember &member,
                                   MutableArrayRef<double> scores) const {
  addMeans(member, scores, [](double mean) { return std::fabs(mean); });
}

StringRef ZeroShareAttr::getStatistic() const { return "zeros"; }

StringRef ZeroShareAttr::whyNot() const { return kNoReader; }

void ZeroShareAttr::addScores(const ChannelMember &member,
                              MutableArrayRef<double> scores) const {
  addMeans(member, scores, [](double zeros) { return 1 - zeros; });
}

StringRef RemovalCostAttr::getStatistic() const { return "removal_cost"; }

StringRef RemovalCostAttr::whyNot() const { return kNoReader; }

void RemovalCostAttr::addScores(const ChannelMember &member,
                                MutableArrayRef<double> scores) const {
  addMeans(member, scores, [](double cost) { return cost; });
}
