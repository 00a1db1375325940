//===- Options.h - The command line of prune-run ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TOOLS_PRUNERUN_OPTIONS_H
#define PRUNE_TOOLS_PRUNERUN_OPTIONS_H

#include "Tools/ModelOptions.h"
#include "Tools/PluginOptions.h"
#include "Tools/Run/Report.h"

#include "llvm/Support/CommandLine.h"

namespace mlir::prune {

struct Options {
  Options();

  llvm::cl::OptionCategory category;
  llvm::cl::opt<std::string> module, entry;
  ModelOptions model;
  PluginOptions plugins;
  // Arrays.
  llvm::cl::list<std::string> inputs;
  llvm::cl::opt<uint64_t> seed;
  llvm::cl::list<std::string> outputs, expected;
  llvm::cl::opt<std::string> labels, batch, statistics;
  // Judging.
  llvm::cl::opt<double> rtol, atol;
  llvm::cl::opt<std::string> compare, compareKernels, comparePipeline;
  // Running.
  llvm::cl::opt<unsigned> repeat, warmup;
  llvm::cl::opt<std::string> kernels, cpu;
  llvm::cl::opt<unsigned> threads;
  llvm::cl::opt<std::string> pipeline;
  llvm::cl::opt<bool> runtimeChecks, json;

  /// Fails, naming the option, if a value makes no sense.
  llvm::Error check() const;

  Batching batching() const;
  Tolerance tolerance() const;
  CompileOptions compileOptions() const;
  /// The kernels of the module of --compare.
  std::string otherKernels() const;
  /// Whether a comparison decides the exit code.
  bool judges() const;
};

/// An option may write `@x.npy`, as --input does.
StringRef fileName(StringRef option);

} // namespace mlir::prune

#endif // PRUNE_TOOLS_PRUNERUN_OPTIONS_H
