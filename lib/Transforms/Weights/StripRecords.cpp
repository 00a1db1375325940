//===- StripRecords.cpp - Forget what was decided -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Records are for reports, exporters and readers. Who compiles or publishes a
// network may not want them.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Records.h"
#include "prune/Transforms/Weights/Passes.h"

namespace mlir::prune {
#define GEN_PASS_DEF_STRIPRECORDSPASS
#include "prune/Transforms/Weights/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

namespace {
struct StripRecords : prune::impl::StripRecordsPassBase<StripRecords> {
  using Base::Base;

  void runOnOperation() override { prune::stripRecords(getOperation()); }
};
} // namespace
