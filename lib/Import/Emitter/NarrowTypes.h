//===- NarrowTypes.h - Numbers of 8 bits and less ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floats of 8 and 4 bits and integers of 4 and 2 bits are how weights are
// stored, and no processor that we compile for computes with them. A tensor of
// them is held in the least type that has all their values and that everything
// else knows: floats of 16 bits, floats of 32 bits for powers of two, and
// integers of 8 bits.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_EMITTER_NARROWTYPES_H
#define PRUNE_LIB_IMPORT_EMITTER_NARROWTYPES_H

#include "Emitter.h"

namespace mlir::prune::onnx_import {

bool isNarrowFloat(DataType type);
/// Integers of less than a byte.
bool isNarrowInteger(DataType type);
/// Bits of one stored element; nothing for types that take whole bytes of
/// their own.
std::optional<unsigned> narrowBits(DataType type);

/// Stored elements, the first of a byte in its low bits, as they are held.
std::string widen(DataType type, const std::string &bytes, uint64_t count,
                  Type held);

/// The nearest number of a narrow type of floats, ties to even, of a float of
/// 64 bits. What is too large becomes the largest number, if `saturates`.
Value roundToNarrow(Scalar &s, Value x, DataType type, bool saturates);
/// The low bits of an integer of 8 bits, as a narrow integer.
Value wrapToNarrow(Scalar &s, Value x, DataType type);

/// The least and greatest narrow integer.
std::pair<int64_t, int64_t> narrowRange(DataType type);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_EMITTER_NARROWTYPES_H
