//===- ReportWeights.cpp - Write the report of a module's weights ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass around the report, for pipelines and command lines: it checks its
// options and puts the file in place in one step.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/FileOutput.h"
#include "prune/Report/Passes.h"
#include "prune/Report/Report.h"

namespace mlir::prune {
#define GEN_PASS_DEF_REPORTWEIGHTSPASS
#include "prune/Report/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

namespace {
struct ReportWeights : prune::impl::ReportWeightsPassBase<ReportWeights> {
  using Base::Base;

  void runOnOperation() override {
    Location loc = getOperation().getLoc();
    if (format != "text" && format != "json") {
      emitError(loc, "prune-report-weights: option 'format' expects text or "
                     "json but got '")
          << StringRef(format) << "'";
      return signalPassFailure();
    }
    WeightReport report = WeightReport::collect(getOperation());
    llvm::Error error = writeFile(output, [&](raw_ostream &os) -> llvm::Error {
      if (format == "json")
        report.printJSON(os);
      else
        report.printText(os);
      return llvm::Error::success();
    });
    if (error) {
      emitError(loc, "prune-report-weights: ")
          << llvm::toString(std::move(error))
          << "; name a file in a folder that exists and can be written";
      return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
