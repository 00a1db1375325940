//===- Elements.h - Elements of arrays, made and converted ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_EXECUTION_ELEMENTS_H
#define PRUNE_EXECUTION_ELEMENTS_H

#include "prune/Core/Npy.h"
#include "prune/Execution/Program.h"

#include "llvm/ADT/Twine.h"

namespace mlir::prune {

/// The type that holds such elements in files: bfloat16 is float32 there, and
/// an index a 64-bit integer.
NpyType fileTypeOf(ElementType type);

/// The type that holds such elements in memory: bfloat16 lies in 16-bit
/// integers.
NpyType memoryTypeOf(ElementType type);

/// "4x? of float32", as the type is in files; "float32 scalar".
std::string fileTypeText(const Port &port);

/// Whether the elements are the same; a signless byte can be either.
bool isSameType(NpyType a, NpyType b);

/// Rounds to bfloat16, which is kept in a 16-bit integer array; and back.
llvm::Expected<NpyArray> toBFloat(const NpyArray &array);
llvm::Expected<NpyArray> fromBFloat(const NpyArray &array);

/// Whether numbers of one type are meant where another is expected: a real
/// number may be any number, an integer any integer.
bool canConvert(NpyType from, NpyType to);

/// Converts, rounding real numbers. Fails if an integer does not fit; `what`
/// names the array.
llvm::Expected<NpyArray> convert(const llvm::Twine &what, const NpyArray &array,
                                 NpyType type);

/// Floating-point numbers are uniform in [-1, 1), integers in [0, 8); they
/// depend on the seed, the argument and the position only.
llvm::Expected<NpyArray> makeRandom(const llvm::Twine &what, NpyType type,
                                    llvm::ArrayRef<int64_t> shape,
                                    uint64_t seed, unsigned argument);

} // namespace mlir::prune

#endif // PRUNE_EXECUTION_ELEMENTS_H
