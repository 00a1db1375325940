//===- LayerTiming.h - How long one product takes ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CALIBRATION_LAYERTIMING_H
#define PRUNE_LIB_CALIBRATION_LAYERTIMING_H

#include "prune/Analysis/WeightUses.h"

#include "llvm/Support/Error.h"

namespace mlir::prune {

/// The median time in microseconds of a call of a product alone, compiled for
/// this machine with packed kernels, with other numbers in its constant; on
/// one sample, where sizes are open.
llvm::Expected<double> timeProduct(const WeightUse &use,
                                   DenseResourceElementsAttr constant,
                                   ArrayRef<char> bytes);

} // namespace mlir::prune

#endif // PRUNE_LIB_CALIBRATION_LAYERTIMING_H
