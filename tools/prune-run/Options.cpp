//===- Options.cpp - The command line of prune-run ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "Tools/Tool.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
namespace cl = llvm::cl;

/// What an open batch is cut into: enough samples for a product to pay, few
/// enough for activations to stay in a cache.
static constexpr int64_t kBatch = 32;
/// The duration of each call is kept.
static constexpr unsigned kMaxRepeat = 100000000;

Options::Options()
    : category("prune-run options"),
      module(cl::Positional, cl::Required, cl::desc("<module or model.onnx>"),
             cl::cat(category)),
      entry("entry", cl::cat(category),
            cl::desc("The function to run (default: main, or the only public "
                     "one)")),
      model(category), plugins(category),
      inputs("input", cl::cat(category),
             cl::value_desc("[name=]@x.npy | [name=]4x8"),
             cl::desc("An argument, in order, or by name or number: a file, or "
                      "the shape of a random array. Arguments not mentioned "
                      "are random: reals uniform in [-1, 1), integers in "
                      "[0, 8). bfloat16 is float32 in files. Arrays of "
                      "another type are converted, with a note, where every "
                      "value fits")),
      seed("seed", cl::cat(category), cl::init(0),
           cl::desc("Seed of random arguments")),
      outputs("output", cl::cat(category), cl::value_desc("@y.npy"),
              cl::desc("Where to write a result, in order. Nothing is written "
                       "if the run or a comparison fails")),
      expected("expected", cl::cat(category), cl::value_desc("@y.npy"),
               cl::desc("What a result should be, in order; exit code 4 if it "
                        "is not, by the rule of numpy.allclose with "
                        "equal_nan=True")),
      labels("labels", cl::cat(category), cl::value_desc("@y.npy"),
             cl::desc("Integer labels: report the accuracy of the first "
                      "result, logits of shape NxC or NxTxC; with --compare "
                      "that of the other module too")),
      batch("batch", cl::cat(category), cl::ValueOptional, cl::value_desc("n"),
            cl::desc("Cut inputs along their first dimension into slices of "
                     "the function's own batch size, or where it is open of "
                     "this size (default 32), and join the results")),
      statistics("statistics", cl::cat(category), cl::value_desc("file"),
                 cl::desc("Collect what the observers of the module see "
                          "(prune-insert-observers) and write it there: "
                          "without observers and with the record "
                          "prune.statistics, as bytecode if the name ends in "
                          ".mlirbc. Each sample runs once")),
      rtol("rtol", cl::cat(category), cl::init(1e-5),
           cl::desc("Relative tolerance (default 1e-5)")),
      atol("atol", cl::cat(category), cl::init(1e-8),
           cl::desc("Absolute tolerance (default 1e-8)")),
      compare("compare", cl::cat(category),
              cl::value_desc("other.mlir | other.onnx"),
              cl::desc("Run this module too, on the same inputs, and print the "
                       "largest difference; judged (exit code 4) only if "
                       "--rtol or --atol is given")),
      compareKernels("compare-kernels", cl::cat(category),
                     cl::value_desc("kernels"),
                     cl::desc("As --kernels, for the module of --compare "
                              "(default: the same)")),
      comparePipeline("compare-pipeline", cl::cat(category),
                      cl::value_desc("passes"),
                      cl::desc("As --pipeline, for the module of --compare")),
      repeat("repeat", cl::cat(category), cl::init(1),
             cl::desc("Timed calls (default 1)")),
      warmup("warmup", cl::cat(category), cl::init(0),
             cl::desc("Calls before the timed ones (default 0)")),
      kernels("kernels", cl::cat(category), cl::init("packed"),
              cl::value_desc("packed | dense | reference"),
              cl::desc("How products with constant weights are compiled: "
                       "packed (kernels made for each weight, the default), "
                       "dense (loops like all others) or reference (the "
                       "upstream sparsifier, also for modules that use "
                       "sparse_tensor)")),
      cpu("cpu", cl::cat(category), cl::value_desc("name"),
          cl::desc("The processor to compile for: native (default), x86-64-v2, "
                   "x86-64-v3 or x86-64-v4, which this machine must be able "
                   "to run")),
      threads("threads", cl::cat(category), cl::init(1),
              cl::desc("Threads that share each product of packed kernels "
                       "(default 1), each on a core of its own unless "
                       "OMP_PROC_BIND says otherwise")),
      pipeline("pipeline", cl::cat(category), cl::value_desc("passes"),
               cl::desc("Passes to run first, as in prune-opt --pass-pipeline "
                        "without the enclosing builtin.module(...)")),
      runtimeChecks("runtime-checks", cl::cat(category), cl::init(true),
                    cl::desc("Check sizes and indices that are not known at "
                             "compile time (default true)")),
      json("json", cl::cat(category), cl::desc("Print one JSON object")) {}

Tolerance Options::tolerance() const { return {rtol, atol}; }

CompileOptions Options::compileOptions() const {
  CompileOptions compile;
  compile.entry = entry;
  compile.kernels = kernels;
  compile.threads = threads;
  compile.runtimeChecks = runtimeChecks;
  return compile;
}

Batching Options::batching() const {
  int64_t size = kBatch; // of `--batch` alone
  (void)StringRef(batch).getAsInteger(10, size);
  return {batch.getNumOccurrences() > 0, size, !statistics.empty()};
}

std::string Options::otherKernels() const {
  return compareKernels.empty() ? kernels : compareKernels;
}

bool Options::judges() const {
  return rtol.getNumOccurrences() || atol.getNumOccurrences();
}

StringRef mlir::prune::fileName(StringRef option) {
  option.consume_front("@");
  return option;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static Error wrong(StringRef option, const Twine &what) {
  return makeError(kUsage, "--" + option + ": " + what);
}

static Error checkTolerance(StringRef option, double value) {
  if (value >= 0 && std::isfinite(value))
    return Error::success();
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return wrong(option, "expected a number from 0, got " + text);
}

static Error checkKernels(StringRef option, StringRef value) {
  for (StringRef known : {"packed", "dense", "reference"})
    if (value == known)
      return Error::success();
  return wrong(option,
               "expected packed, dense or reference, got '" + value + "'");
}

static Error checkRange(StringRef option, unsigned value, unsigned low,
                        unsigned high) {
  if (value >= low && value <= high)
    return Error::success();
  return wrong(option, "expected a number from " + Twine(low) + " to " +
                           Twine(high) + ", got " + Twine(value));
}

Error Options::check() const {
  if (Error error = checkTolerance("rtol", rtol))
    return error;
  if (Error error = checkTolerance("atol", atol))
    return error;
  int64_t size;
  if (StringRef text = batch;
      !text.empty() && (text.getAsInteger(10, size) || size < 1))
    return wrong("batch", "expected a number from 1, got '" + text + "'");
  if (Error error = checkRange("repeat", repeat, 1, kMaxRepeat))
    return error;
  if (Error error = checkKernels("kernels", kernels))
    return error;
  if (Error error = checkKernels("compare-kernels", otherKernels()))
    return error;
  if (Error error = checkRange("threads", threads, 1, 1024))
    return error;
  if (threads > 1 && kernels != "packed")
    return wrong("threads", "'" + kernels +
                                "' runs on one thread; more need "
                                "--kernels=packed");
  if (!statistics.empty() && (repeat != 1 || warmup != 0))
    return wrong("statistics", "each sample is seen once; leave out --repeat "
                               "and --warmup");
  if (!expected.empty() && !compare.empty())
    return makeError(kUsage, "give either --expected or --compare, not both");
  for (auto [i, output] : llvm::enumerate(outputs))
    if (llvm::is_contained(ArrayRef(&outputs[0], i), output) &&
        fileName(output) != "-")
      return makeError(kUsage, "--output=" + output + " is given twice");
  return Error::success();
}
