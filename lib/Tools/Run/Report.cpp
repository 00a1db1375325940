//===- Report.cpp - What came out, in numbers -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "Tools/Tool.h"

#include "prune/Core/Evaluation.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static std::string formatNumber(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
  return text;
}

/// Three digits, in the unit that leaves one to three before the point.
static std::string formatTime(double microseconds) {
  static constexpr const char *kUnits[] = {"ns", "µs", "ms", "s"};
  double value = microseconds * 1000;
  unsigned unit = 0;
  // What rounds to 1000 belongs to the next unit.
  for (; value >= 999.5 && unit + 1 < std::size(kUnits); value /= 1000)
    ++unit;
  const char *digits = value < 9.995   ? "%.2f "
                       : value < 99.95 ? "%.1f "
                                       : "%.0f ";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(digits, value) << kUnits[unit];
  return text;
}

/// JSON has no NaN and no infinity.
static llvm::json::Value jsonNumber(double value) {
  return std::isfinite(value) ? llvm::json::Value(value)
                              : llvm::json::Value(nullptr);
}

static std::string keyOf(StringRef prefix, StringRef name) {
  return (prefix + name).str();
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

void Report::addTiming(const Outcome &outcome, StringRef prefix) {
  Spread spread = spreadOf(outcome.microseconds);
  json[keyOf(prefix, "median_us")] = spread.median;
  json[keyOf(prefix, "min_us")] = spread.min;
  json[keyOf(prefix, "max_us")] = spread.max;
  json[keyOf(prefix, "leaked_allocations")] = outcome.leaked.allocations;
  json[keyOf(prefix, "leaked_bytes")] = outcome.leaked.bytes;
  json[keyOf(prefix, "calls")] = int64_t(outcome.microseconds.size());
  text +=
      (prefix + "time of a call: median " + formatTime(spread.median) +
       ", min " + formatTime(spread.min) + ", max " + formatTime(spread.max) +
       " (" + Twine(outcome.microseconds.size()) + " calls)\n")
          .str();
  if (outcome.leaked.allocations)
    text += (prefix + "leaked " + Twine(outcome.leaked.allocations) +
             " allocations, " + Twine(outcome.leaked.bytes) + " bytes\n")
                .str();
}

Error Report::addAccuracy(const Model &model, const Outcome &outcome,
                          const NpyArray &labels, StringRef prefix,
                          StringRef who) {
  if (outcome.results.empty())
    return makeError(kInput, "--labels: '" + model.program->entry() +
                                 "' has no result");
  Expected<Accuracy> accuracy = classify(outcome.results[0], labels);
  if (!accuracy)
    return makeError(kInput,
                     "--labels: " + llvm::toString(accuracy.takeError()));
  json[keyOf(prefix, "top1")] = jsonNumber(accuracy->top1);
  json[keyOf(prefix, "cross_entropy")] = jsonNumber(accuracy->crossEntropy);
  json[keyOf(prefix, "samples")] = accuracy->samples;
  text += (who + "top-1 " + formatNumber(accuracy->top1) +
           " %, cross-entropy " + formatNumber(accuracy->crossEntropy) + ", " +
           Twine(accuracy->samples) + " samples\n")
              .str();
  return Error::success();
}

/// Adds a comparison to the report; it is the verdict if it must hold.
static void addDeviation(const Deviation &deviation, StringRef what,
                         const Port &port, bool judged, Report &report) {
  std::string where;
  llvm::raw_string_ostream os(where);
  llvm::interleave(deviation.position, os, ", ");
  std::string line =
      (what + ": largest error " + formatNumber(deviation.maxAbsError) +
       " at [" + where + "] of " + port.description + " (" +
       llvm::Twine(formatNumber(deviation.actual)) + ", expected " +
       formatNumber(deviation.expected) + ")")
          .str();
  if (judged && deviation.mismatches) {
    report.verdict += line + "; " + std::to_string(deviation.mismatches) +
                      " of " + std::to_string(deviation.elements) +
                      " elements are out of tolerance\n";
    return;
  }
  report.text += line + "\n";
}

Error Report::compare(const Model &model, ArrayRef<NpyArray> results,
                      ArrayRef<NpyArray> references, StringRef what,
                      const Tolerance &tolerance, bool judged) {
  double largest = 0;
  int64_t mismatches = 0;
  for (auto [i, reference] : llvm::enumerate(references)) {
    const NpyArray &result = results[i];
    if (result.shape() != reference.shape())
      return makeError(kMismatch,
                       what + " is " + shapeString(reference.shape()) +
                           ", but " + model.program->results()[i].description +
                           " is " + shapeString(result.shape()));
    Deviation deviation = compareArrays(result, reference, tolerance.relative,
                                        tolerance.absolute);
    addDeviation(deviation, what, model.program->results()[i], judged, *this);
    largest = std::max(largest, deviation.maxAbsError);
    mismatches += deviation.mismatches;
  }
  json["max_abs_error"] = jsonNumber(largest);
  if (judged)
    json["mismatches"] = mismatches;
  return Error::success();
}
