//===- prune-run.cpp - Compile a network in process and run it ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function on arrays from files or on random ones, times it, and judges
// what comes out: against an expected array, against another module, or against
// labels. The report is text, or one JSON object. Files are written last, when
// nothing can fail any more but the writing itself.
//
//===----------------------------------------------------------------------===//

#include "Session.h"

#include "prune/Core/Evaluation.h"
#include "prune/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstdlib>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {
/// The command line.
struct Options {
  cl::OptionCategory category{"prune-run options"};
  cl::opt<std::string> module{cl::Positional, cl::Required,
                              cl::desc("<module.mlir>"), cl::cat(category)};
  cl::opt<std::string> entry{
      "entry", cl::cat(category),
      cl::desc("The function to run (default: main, or the only public one)")};
  cl::list<std::string> inputs{
      "input", cl::cat(category), cl::value_desc("[name=]@x.npy | [name=]4x8"),
      cl::desc("An argument, in order, or by name or number: a file, or the "
               "shape of a random array. Arguments not mentioned are random: "
               "reals uniform in [-1, 1), integers in [0, 8). bfloat16 is "
               "float32 in files")};
  cl::opt<uint64_t> seed{"seed", cl::cat(category), cl::init(0),
                         cl::desc("Seed of random arguments")};
  cl::list<std::string> outputs{
      "output", cl::cat(category), cl::value_desc("@y.npy"),
      cl::desc("Where to write a result, in order. Nothing is written if the "
               "run or a comparison fails")};
  cl::list<std::string> expected{
      "expected", cl::cat(category), cl::value_desc("@y.npy"),
      cl::desc("What a result should be, in order; exit code 1 if it is not, "
               "by the rule of numpy.allclose with equal_nan=True")};
  cl::opt<double> rtol{"rtol", cl::cat(category), cl::init(1e-5),
                       cl::desc("Relative tolerance (default 1e-5)")};
  cl::opt<double> atol{"atol", cl::cat(category), cl::init(1e-8),
                       cl::desc("Absolute tolerance (default 1e-8)")};
  cl::opt<std::string> compare{
      "compare", cl::cat(category), cl::value_desc("other.mlir"),
      cl::desc("Run this module too, on the same inputs, and print the largest "
               "difference; judged only if --rtol or --atol is given")};
  cl::opt<std::string> compareKernels{
      "compare-kernels", cl::cat(category), cl::init("dense"),
      cl::desc("As --kernels, for the module of --compare")};
  cl::opt<std::string> comparePipeline{
      "compare-pipeline", cl::cat(category),
      cl::desc("As --pipeline, for the module of --compare")};
  cl::opt<std::string> labels{
      "labels", cl::cat(category), cl::value_desc("@y.npy"),
      cl::desc("Integer labels: report the accuracy of the first result, "
               "logits of shape NxC or NxTxC")};
  cl::opt<std::string> batch{
      "batch", cl::cat(category), cl::ValueOptional, cl::value_desc("n"),
      cl::desc("Cut inputs along their first dimension into slices of the "
               "function's own batch size, or of this size where it is "
               "dynamic, and join the results")};
  cl::opt<unsigned> repeat{"repeat", cl::cat(category), cl::init(1),
                           cl::desc("Timed calls (default 1)")};
  cl::opt<unsigned> warmup{"warmup", cl::cat(category), cl::init(0),
                           cl::desc("Calls before the timed ones (default 0)")};
  cl::opt<std::string> kernels{
      "kernels", cl::cat(category), cl::init("dense"),
      cl::desc("Option of the pipeline prune-lower-to-llvm")};
  cl::opt<unsigned> threads{
      "threads", cl::cat(category), cl::init(1),
      cl::desc(
          "Threads that share each product of packed kernels (default 1), each "
          "on a core of its own unless OMP_PROC_BIND says otherwise")};
  cl::opt<std::string> pipeline{
      "pipeline", cl::cat(category), cl::value_desc("passes"),
      cl::desc("Passes to run first, as in prune-opt --pass-pipeline without "
               "the enclosing builtin.module(...)")};
  cl::opt<bool> runtimeChecks{
      "runtime-checks", cl::cat(category), cl::init(true),
      cl::desc("Check sizes and indices that are not known at compile time "
               "(default true)")};
  cl::opt<bool> json{"json", cl::cat(category),
                     cl::desc("Print one JSON object")};

  Batching batching() const {
    int64_t size = 0; // `--batch` alone leaves it to the function
    (void)StringRef(batch).getAsInteger(10, size);
    return {batch.getNumOccurrences() > 0, size};
  }
  bool judges() const {
    return rtol.getNumOccurrences() || atol.getNumOccurrences();
  }
};

/// What is printed in the end.
struct Report {
  llvm::json::Object json;
  std::string text;
  /// Why the exit code is 1 though everything ran.
  std::string verdict;
};
} // namespace

static std::string formatNumber(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
  return text;
}

/// JSON has no NaN and no infinity.
static llvm::json::Value jsonNumber(double value) {
  return std::isfinite(value) ? llvm::json::Value(value)
                              : llvm::json::Value(nullptr);
}

static StringRef fileName(StringRef option) {
  option.consume_front("@");
  return option;
}

static Error checkOptions(const Options &options) {
  auto checkTolerance = [](StringRef name, double value) -> Error {
    if (value >= 0 && std::isfinite(value))
      return Error::success();
    return createStringError("--" + name + ": expected a number from 0, got " +
                             formatNumber(value));
  };
  if (Error error = checkTolerance("rtol", options.rtol))
    return error;
  if (Error error = checkTolerance("atol", options.atol))
    return error;
  int64_t batch;
  if (StringRef text = options.batch;
      !text.empty() && (text.getAsInteger(10, batch) || batch < 1))
    return createStringError("--batch: expected a number from 1, got '" + text +
                             "'");
  if (options.repeat == 0)
    return createStringError("--repeat: expected at least 1");
  if (!options.expected.empty() && !options.compare.empty())
    return createStringError("give either --expected or --compare, not both");
  for (auto [i, output] : llvm::enumerate(options.outputs))
    if (llvm::is_contained(ArrayRef(&options.outputs[0], i), output) &&
        fileName(output) != "-")
      return createStringError("--output=" + output + " is given twice");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Judging
//===----------------------------------------------------------------------===//

static Error checkResultCount(StringRef option, size_t given,
                              const Model &model) {
  if (given <= model.results.size())
    return Error::success();
  return createStringError("--" + option + " is given " + Twine(given) +
                           " times, but '" + model.entry + "' has " +
                           Twine(model.results.size()) + " results");
}

/// Adds a comparison to the report; it is the verdict if it must hold.
static void addDeviation(const Deviation &deviation, StringRef what,
                         const Port &port, bool judged, Report &report) {
  std::string where;
  llvm::raw_string_ostream os(where);
  llvm::interleave(deviation.position, os, ", ");
  std::string line =
      (what + ": largest error " + formatNumber(deviation.maxAbsError) +
       " at [" + where + "] of " + port.description + " (" +
       llvm::Twine(formatNumber(deviation.actual)) + ", expected " +
       formatNumber(deviation.expected) + ")")
          .str();
  if (judged && deviation.mismatches) {
    report.verdict += line + "; " + std::to_string(deviation.mismatches) +
                      " of " + std::to_string(deviation.elements) +
                      " elements are out of tolerance\n";
    return;
  }
  report.text += line + "\n";
}

/// Compares results with references, the largest error over all going into the
/// report.
static Error compareAll(const Model &model, ArrayRef<NpyArray> results,
                        ArrayRef<NpyArray> references, StringRef what,
                        const Options &options, bool judged, Report &report) {
  double largest = 0;
  int64_t mismatches = 0;
  for (auto [i, reference] : llvm::enumerate(references)) {
    const NpyArray &result = results[i];
    if (result.shape() != reference.shape())
      return createStringError(what + " is " + shapeString(reference.shape()) +
                               ", but " + model.results[i].description +
                               " is " + shapeString(result.shape()));
    Deviation deviation =
        compareArrays(result, reference, options.rtol, options.atol);
    addDeviation(deviation, what, model.results[i], judged, report);
    largest = std::max(largest, deviation.maxAbsError);
    mismatches += deviation.mismatches;
  }
  report.json["max_abs_error"] = jsonNumber(largest);
  if (judged)
    report.json["mismatches"] = mismatches;
  return Error::success();
}

static Error judgeExpected(const Model &model, const Outcome &outcome,
                           ArrayRef<NpyArray> expected, const Options &options,
                           Report &report) {
  if (expected.empty())
    return Error::success();
  return compareAll(model, outcome.results, expected, "expected", options,
                    /*judged=*/true, report);
}

static Error judgeLabels(const Model &model, const Outcome &outcome,
                         const NpyArray &labels, Report &report) {
  if (outcome.results.empty())
    return createStringError("--labels: '" + model.entry + "' has no result");
  Expected<Accuracy> accuracy = classify(outcome.results[0], labels);
  if (!accuracy)
    return createStringError("--labels: " +
                             llvm::toString(accuracy.takeError()));
  report.json["top1"] = jsonNumber(accuracy->top1);
  report.json["cross_entropy"] = jsonNumber(accuracy->crossEntropy);
  report.json["samples"] = accuracy->samples;
  report.text += "top-1 " + formatNumber(accuracy->top1) +
                 " %, cross-entropy " + formatNumber(accuracy->crossEntropy) +
                 ", " + std::to_string(accuracy->samples) + " samples\n";
  return Error::success();
}

/// Adds timings and leaks, under keys with a prefix.
static void addTiming(const Outcome &outcome, StringRef prefix,
                      const Options &options, Report &report) {
  Spread spread = spreadOf(outcome.microseconds);
  auto key = [&](StringRef name) { return (prefix + name).str(); };
  report.json[key("median_us")] = spread.median;
  report.json[key("min_us")] = spread.min;
  report.json[key("max_us")] = spread.max;
  report.json[key("leaked_allocations")] = outcome.leaked.allocations;
  report.json[key("leaked_bytes")] = outcome.leaked.bytes;
  report.json[key("calls")] = int64_t(outcome.microseconds.size());
  report.text +=
      (prefix + "time of a call: median " + formatNumber(spread.median) +
       " us, min " + formatNumber(spread.min) + " us, max " +
       formatNumber(spread.max) + " us (" + Twine(outcome.microseconds.size()) +
       " calls)\n")
          .str();
  if (outcome.leaked.allocations)
    report.text += (prefix + "leaked " + Twine(outcome.leaked.allocations) +
                    " allocations, " + Twine(outcome.leaked.bytes) + " bytes\n")
                       .str();
}

static Error judgeCompare(const DialectRegistry &registry, const Model &model,
                          const Outcome &outcome, ArrayRef<Input> inputs,
                          const Options &options, Report &report) {
  Expected<Model> other = loadModel(
      registry,
      {options.compare, options.entry, options.comparePipeline,
       options.compareKernels, options.runtimeChecks,
       options.compareKernels == "packed" ? options.threads.getValue() : 1});
  if (!other)
    return other.takeError();
  if (other->results.size() != model.results.size())
    return createStringError(
        "--compare: '" + other->entry + "' of '" + options.compare + "' has " +
        Twine(other->results.size()) + " results, expected " +
        Twine(model.results.size()));
  Expected<Outcome> reference = runModel(*other, inputs, options.batching(),
                                         {options.warmup, options.repeat});
  if (!reference)
    return reference.takeError();
  addTiming(*reference, "compare_", options, report);
  return compareAll(model, outcome.results, reference->results,
                    "'" + options.compare + "'", options, options.judges(),
                    report);
}

//===----------------------------------------------------------------------===//
// Main
//===----------------------------------------------------------------------===//

static Expected<std::vector<NpyArray>>
readAll(const cl::list<std::string> &files) {
  std::vector<NpyArray> arrays;
  for (const std::string &file : files) {
    Expected<NpyArray> array = readNpy(fileName(file));
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  return std::move(arrays);
}

/// Everything but the writing.
static Expected<Outcome> evaluate(const DialectRegistry &registry,
                                  const Options &options, Report &report) {
  Expected<Model> model = loadModel(
      registry, {options.module, options.entry, options.pipeline,
                 options.kernels, options.runtimeChecks, options.threads});
  if (!model)
    return model.takeError();
  if (Error error = checkResultCount("output", options.outputs.size(), *model))
    return std::move(error);
  if (Error error =
          checkResultCount("expected", options.expected.size(), *model))
    return std::move(error);
  Expected<std::vector<NpyArray>> expected = readAll(options.expected);
  if (!expected)
    return expected.takeError();
  NpyArray labels;
  if (!options.labels.empty()) {
    Expected<NpyArray> array = readNpy(fileName(options.labels));
    if (!array)
      return array.takeError();
    labels = std::move(*array);
  }
  Expected<std::vector<Input>> inputs =
      makeInputs(*model, options.inputs, options.seed, options.batching());
  if (!inputs)
    return inputs.takeError();
  Expected<Outcome> outcome = runModel(*model, *inputs, options.batching(),
                                       {options.warmup, options.repeat});
  if (!outcome)
    return outcome.takeError();

  report.json["repeats"] = int64_t(options.repeat);
  addTiming(*outcome, "", options, report);
  if (Error error = judgeExpected(*model, *outcome, *expected, options, report))
    return std::move(error);
  if (!options.labels.empty())
    if (Error error = judgeLabels(*model, *outcome, labels, report))
      return std::move(error);
  if (!options.compare.empty())
    if (Error error =
            judgeCompare(registry, *model, *outcome, *inputs, options, report))
      return std::move(error);
  return outcome;
}

static Error run(const DialectRegistry &registry, const Options &options) {
  if (Error error = checkOptions(options))
    return error;
  Report report;
  Expected<Outcome> outcome = evaluate(registry, options, report);
  if (!outcome)
    return outcome.takeError();
  if (report.verdict.empty())
    for (auto [i, output] : llvm::enumerate(options.outputs))
      if (Error error = writeNpy(fileName(output), outcome->results[i]))
        return error;
  if (options.json)
    llvm::outs() << llvm::json::Value(std::move(report.json)) << "\n";
  else
    llvm::outs() << report.text;
  if (!report.verdict.empty())
    return createStringError(StringRef(report.verdict).trim());
  return Error::success();
}

static void reportError(const Twine &message) {
  llvm::WithColor::error(llvm::errs(), "prune-run") << message << "\n";
}

/// Compiled code cannot be unwound, so the program ends here.
[[noreturn]] static void endOnFailedCheck(StringRef message) {
  reportError("run-time check failed: " + message);
  std::_Exit(EXIT_FAILURE);
}

/// Threads that the system moves about may meet on one core and take turns. The
/// process is ours alone, so they are bound, unless the user has a say.
static void bindThreads() {
  ::setenv("OMP_PROC_BIND", "spread", /*overwrite=*/0);
  ::setenv("OMP_PLACES", "cores", /*overwrite=*/0);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // LLVM's linker, which nobody calls here, has an option of that name.
  if (cl::Option *other = cl::getRegisteredOptions().lookup("threads"))
    other->removeArgument();
  Options options;
  cl::HideUnrelatedOptions(options.category);
  cl::ParseCommandLineOptions(argc, argv,
                              "Compile a module in process and run it\n");
  if (options.threads > 1)
    bindThreads();
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  prune::registerAllDialects(registry);
  prune::registerAllPasses();

  setCheckHandler(endOnFailedCheck);
  if (Error error = run(registry, options)) {
    reportError(llvm::toString(std::move(error)));
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
