//===- Prune.h - The prune dialect ------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one header of the IR library: dialect, attributes, interfaces, ops.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_PRUNE_H
#define PRUNE_IR_PRUNE_H

#include "prune/Core/MaskSelection.h"
#include "prune/Core/Packing/PackedMatrix.h"
#include "prune/Core/ScoreInputs.h"
#include "prune/Core/TensorView.h"
#include "prune/IR/ScoreValues.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "prune/IR/PruneAttrInterfaces.h.inc"
#include "prune/IR/PruneDialect.h.inc"
#include "prune/IR/PruneEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "prune/IR/PruneAttrs.h.inc"

#define GET_OP_CLASSES
#include "prune/IR/PruneOps.h.inc"

namespace mlir::prune {

/// The score kind of a float element type; nothing for types that are not
/// pruned.
std::optional<FloatKind> getFloatKind(Type elementType);

/// Parses a criterion as options spell it: `l1`, `l2`, `random`, or any
/// attribute that implements `CriterionAttrInterface`. `seed` goes to random.
/// Returns null after a diagnostic at `loc`.
CriterionAttrInterface parseCriterion(Location loc, StringRef text,
                                      uint64_t seed);

/// The same for channels: also `scale`, `geometric-median`, `mean-activation`,
/// `zero-share`, `removal-cost`, and any attribute that implements
/// `ChannelCriterionAttrInterface`.
Attribute parseChannelCriterion(Location loc, StringRef text, uint64_t seed);

/// A pattern as options spell it.
struct ParsedPattern {
  /// N:M without a dimension is along 0 here.
  PatternAttrInterface attribute;
  bool hasDim = true;

  /// The pattern for a weight whose products are summed along a dimension.
  PatternAttrInterface along(int64_t dim) const;
};

/// Parses `element`, `N:M`, `N:M@dim`, `block:AxB...`, or any attribute that
/// implements `PatternAttrInterface`. Fails after an error by `emitError`.
FailureOr<ParsedPattern>
parsePattern(MLIRContext *context, StringRef text,
             function_ref<InFlightDiagnostic()> emitError);

/// The statistic of that name that the module around `op` has of a weight.
/// Fails after an error at `loc` that says which is missing.
FailureOr<TypedAttr> getStatistic(Operation *op, Location loc, StringRef weight,
                                  StringRef name, Attribute criterion);

/// The statistics that the criterion asks for of a weight, from the module
/// around `op`. Fails after an error at `loc` that says which is missing.
FailureOr<SmallVector<TypedAttr>>
getStatistics(Operation *op, Location loc, StringRef weight,
              CriterionAttrInterface criterion);

} // namespace mlir::prune

#endif // PRUNE_IR_PRUNE_H
