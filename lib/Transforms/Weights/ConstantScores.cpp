//===- ConstantScores.cpp - Scores of constants ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the operations that score constants compute. Scores of full size are
// never written out: the ranking reads them as often as it needs. Scores
// of channels are few, and lie in memory.
//
//===----------------------------------------------------------------------===//

#include "ConstantScores.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace mlir::prune;

Attribute mlir::prune::getConstantOf(Value value) {
  Attribute attr;
  matchPattern(value, m_Constant(&attr));
  return attr;
}

/// The scores of a constant, read on demand, rounded to the type of `score`.
static ScoreSource scoresOfWeight(ScoreOp score, TensorView view,
                                  std::vector<TensorView> statistics,
                                  StringRef name) {
  CriterionAttrInterface criterion = score.getCriterion();
  std::shared_ptr<const PreparedScores> prepared =
      criterion.prepare({view, name, statistics, nullptr});
  FloatKind kind = *getFloatKind(
      cast<ShapedType>(score.getScores().getType()).getElementType());
  bool isReduced = !score.getReducedDims().empty();
  ScoreSource source;
  source.shape.assign(view.shape.begin(), view.shape.end());
  source.read = [=, name = name.str()](int64_t begin,
                                       MutableArrayRef<double> out) {
    criterion.score({view, name, statistics, prepared.get()}, begin, out);
    if (!isReduced && kind != FloatKind::F64)
      for (double &value : out)
        value = roundTo(kind, value);
  };
  return source;
}

/// Scores that lie in memory.
static ScoreSource scoresInMemory(ArrayRef<int64_t> shape,
                                  std::vector<double> values) {
  ScoreSource source;
  source.shape.assign(shape.begin(), shape.end());
  auto shared = std::make_shared<std::vector<double>>(std::move(values));
  source.read = [shared](int64_t begin, MutableArrayRef<double> out) {
    std::copy_n(shared->begin() + begin, out.size(), out.begin());
  };
  return source;
}

/// The scores that one operation computes.
static std::optional<ScoreSource> readSingleScores(Value scores) {
  if (std::optional<TensorView> view = getTensorView(getConstantOf(scores))) {
    ScoreSource source;
    source.shape.assign(view->shape.begin(), view->shape.end());
    source.read = [view = *view](int64_t begin, MutableArrayRef<double> out) {
      view.load(begin, out);
    };
    return source;
  }
  auto score = scores.getDefiningOp<ScoreOp>();
  if (!score)
    return std::nullopt;
  std::optional<TensorView> view =
      getTensorView(getConstantOf(score.getTensor()));
  if (!view)
    return std::nullopt;
  std::vector<TensorView> statistics;
  for (Value statistic : score.getStatistics()) {
    std::optional<TensorView> known = getTensorView(getConstantOf(statistic));
    if (!known)
      return std::nullopt;
    statistics.push_back(*known);
  }
  ScoreSource source = scoresOfWeight(score, *view, std::move(statistics),
                                      score.getWeight().value_or(""));
  SmallVector<int64_t> reduced = score.getReducedDims();
  if (reduced.empty())
    return source;
  std::vector<double> sums = reduceScores(
      source, reduced, [&](size_t n, function_ref<void(size_t)> f) {
        mlir::parallelFor(scores.getContext(), 0, n, f);
      });
  auto type = cast<RankedTensorType>(score.getScores().getType());
  for (double &sum : sums)
    sum = roundTo(*getFloatKind(type.getElementType()), sum);
  return scoresInMemory(type.getShape(), std::move(sums));
}

std::optional<ScoreSource> mlir::prune::readScores(Value scores) {
  // Several weights may produce the same channels: ((s0 + s1) + s2) + ...
  SmallVector<Value> addends;
  while (auto add = scores.getDefiningOp<arith::AddFOp>()) {
    addends.push_back(add.getRhs());
    scores = add.getLhs();
  }
  if (addends.empty())
    return readSingleScores(scores);
  auto type = cast<RankedTensorType>(scores.getType());
  FloatKind kind = *getFloatKind(type.getElementType());
  std::vector<double> sums(type.getNumElements()), next(sums.size());
  addends.push_back(scores);
  for (Value addend : llvm::reverse(addends)) {
    std::optional<ScoreSource> source = readSingleScores(addend);
    if (!source)
      return std::nullopt;
    source->read(0, next);
    for (auto [sum, score] : llvm::zip_equal(sums, next))
      sum = roundTo(kind, sum + score);
  }
  return scoresInMemory(type.getShape(), std::move(sums));
}
