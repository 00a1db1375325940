//===- Report.h - What came out, in numbers ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text for people, one JSON object for programs, and a verdict where something
// had to hold. JSON counts in microseconds; text takes the unit that fits.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_RUN_REPORT_H
#define PRUNE_LIB_TOOLS_RUN_REPORT_H

#include "Inputs.h"

#include "llvm/Support/JSON.h"

namespace mlir::prune {

/// A result fits if it differs by at most `absolute + relative * |expected|`.
struct Tolerance {
  double relative, absolute;
};

struct Report {
  llvm::json::Object json;
  std::string text;
  /// Why numbers are not the expected ones though everything ran.
  std::string verdict;

  /// Adds timings and leaks, under keys with a prefix.
  void addTiming(const Outcome &outcome, StringRef prefix);

  /// Adds the accuracy of the first result, under keys with a prefix. Text
  /// begins with `who`.
  llvm::Error addAccuracy(const Model &model, const Outcome &outcome,
                          const NpyArray &labels, StringRef prefix,
                          StringRef who);

  /// Compares results with references, the largest error over all going into
  /// the report; a difference is the verdict if it is judged.
  llvm::Error compare(const Model &model, ArrayRef<NpyArray> results,
                      ArrayRef<NpyArray> references, StringRef what,
                      const Tolerance &tolerance, bool judged);
};

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_RUN_REPORT_H
