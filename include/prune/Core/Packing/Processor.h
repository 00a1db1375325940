//===- Processor.h - What code is compiled for ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that knows what the name of a processor stands for: the size of
// its vectors, which instructions it has, and what LLVM is told. Nothing else
// asks this machine what it is.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_PACKING_PROCESSOR_H
#define PRUNE_CORE_PACKING_PROCESSOR_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::prune {

struct Processor {
  /// What LLVM calls it.
  std::string name;
  /// "+fma,-avx512f": what differs from what LLVM knows of the name.
  std::string features;
  /// The size of vectors that kernels are made of.
  unsigned vectorBits = 128;
  /// Whether it multiplies and adds with one rounding.
  bool hasFMA = false;
  /// Whether it converts between f16 and f32.
  bool hasF16C = false;
  /// The instructions of this processor that this machine does not have: code
  /// for it can be made, but not run here. Empty if it can.
  std::string missing;

  /// What the empty name stands for: what the environment variable PRUNE_CPU
  /// holds, and `native` where that is not set or empty. Other names stay.
  static std::string chooseName(llvm::StringRef name);

  /// The processor of one of these names, or of the empty one: `native`, which
  /// is this machine, `x86-64-v2`, `x86-64-v3` or `x86-64-v4`.
  static llvm::Expected<Processor> get(llvm::StringRef name = "");

  /// What the library compiles for unless told: the environment variable if it
  /// is set, else what every 64-bit processor runs, whatever this machine is.
  static llvm::Expected<Processor> getDefault();

  /// Fails if code for it cannot run here.
  llvm::Error checkRunsHere() const;
};

/// The environment variable that says what the empty name stands for.
inline constexpr llvm::StringLiteral kProcessorVariable("PRUNE_CPU");

} // namespace mlir::prune

#endif // PRUNE_CORE_PACKING_PROCESSOR_H
