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

#include "Options.h"
#include "Tools/Tool.h"

#include "prune/Core/Packing/Processor.h"
#include "prune/Tools/Mains.h"

#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static Expected<NpyArray> readArray(StringRef option) {
  Expected<NpyArray> array = readNpy(fileName(option));
  if (!array)
    return withCode(kInput, array.takeError());
  return array;
}

static Expected<std::vector<NpyArray>>
readAll(const cl::list<std::string> &files) {
  std::vector<NpyArray> arrays;
  for (const std::string &file : files) {
    Expected<NpyArray> array = readArray(file);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  return std::move(arrays);
}

static Error checkResultCount(StringRef option, size_t given,
                              const Model &model) {
  if (given <= model.program->results().size())
    return Error::success();
  return makeError(kUsage,
                   "--" + option + " is given " + Twine(given) +
                       " times, but '" + model.program->entry() + "' has " +
                       Twine(model.program->results().size()) + " results");
}

//===----------------------------------------------------------------------===//
// Main
//===----------------------------------------------------------------------===//

namespace {
/// What the options name, read.
struct Work {
  Model model;
  std::vector<Input> inputs;
  std::vector<NpyArray> expected;
  NpyArray labels;
};
} // namespace

static Expected<Work> prepare(const DialectRegistry &registry,
                              const Options &options,
                              const ONNXImportOptions &onnx) {
  Expected<Model> model =
      loadModel(registry, {options.module, options.pipeline, onnx,
                           options.compileOptions(),
                           /*observe=*/!options.statistics.empty()});
  if (!model)
    return model.takeError();
  Work work;
  work.model = std::move(*model);
  if (Error error =
          checkResultCount("output", options.outputs.size(), work.model))
    return std::move(error);
  if (Error error =
          checkResultCount("expected", options.expected.size(), work.model))
    return std::move(error);
  Expected<std::vector<NpyArray>> expected = readAll(options.expected);
  if (!expected)
    return expected.takeError();
  work.expected = std::move(*expected);
  if (!options.labels.empty()) {
    Expected<NpyArray> labels = readArray(options.labels);
    if (!labels)
      return labels.takeError();
    work.labels = std::move(*labels);
  }
  Expected<std::vector<Input>> inputs =
      makeInputs(work.model, options.inputs, options.seed, options.batching());
  if (!inputs)
    return inputs.takeError();
  work.inputs = std::move(*inputs);
  return std::move(work);
}

/// Runs the module of --compare on the same inputs.
static Error compareModules(const DialectRegistry &registry, const Work &work,
                            const Outcome &outcome, const Options &options,
                            const ONNXImportOptions &onnx, Report &report) {
  std::string kernels = options.otherKernels();
  CompileOptions compile = options.compileOptions();
  compile.kernels = kernels;
  if (kernels != "packed")
    compile.threads = 1;
  Expected<Model> other = loadModel(
      registry, {options.compare, options.comparePipeline, onnx, compile,
                 /*observe=*/false});
  if (!other)
    return other.takeError();
  if (other->program->results().size() != work.model.program->results().size())
    return makeError(kMismatch,
                     "--compare: '" + other->program->entry() + "' of '" +
                         options.compare + "' has " +
                         Twine(other->program->results().size()) +
                         " results, expected " +
                         Twine(work.model.program->results().size()));
  if (Error error = checkInputs(*other, work.inputs, options.batching()))
    return error;
  Expected<Outcome> reference =
      runProgram(*other->program, work.inputs, options.batching(),
                 {options.warmup, options.repeat});
  if (!reference)
    return reference.takeError();
  report.addTiming(*reference, "compare_");
  std::string name = "'" + options.compare + "'";
  if (!options.labels.empty())
    if (Error error = report.addAccuracy(*other, *reference, work.labels,
                                         "compare_", name + ": "))
      return error;
  return report.compare(work.model, outcome.results, reference->results, name,
                        options.tolerance(), options.judges());
}

/// Everything but the writing.
static Expected<Outcome> evaluate(const DialectRegistry &registry,
                                  const Options &options, Report &report,
                                  std::unique_ptr<ObservedModule> &observed) {
  Expected<ONNXImportOptions> onnx = options.model.get();
  if (!onnx)
    return onnx.takeError();
  Expected<Work> work = prepare(registry, options, *onnx);
  if (!work)
    return work.takeError();
  Expected<Outcome> outcome =
      runProgram(*work->model.program, work->inputs, options.batching(),
                 {options.warmup, options.repeat});
  if (!outcome)
    return outcome.takeError();

  report.json["repeats"] = int64_t(options.repeat);
  report.addTiming(*outcome, "");
  if (!options.expected.empty())
    if (Error error =
            report.compare(work->model, outcome->results, work->expected,
                           "expected", options.tolerance(),
                           /*judged=*/true))
      return std::move(error);
  if (!options.labels.empty())
    if (Error error =
            report.addAccuracy(work->model, *outcome, work->labels, "", ""))
      return std::move(error);
  if (!options.compare.empty())
    if (Error error =
            compareModules(registry, *work, *outcome, options, *onnx, report))
      return std::move(error);
  observed = std::move(work->model.observed);
  return outcome;
}

static Error run(const DialectRegistry &registry, const Options &options) {
  if (Error error = options.check())
    return error;
  if (Error error = useProcessor(options.cpu))
    return error;
  Report report;
  std::unique_ptr<ObservedModule> observed;
  Expected<Outcome> outcome = evaluate(registry, options, report, observed);
  if (!outcome)
    return outcome.takeError();
  if (report.verdict.empty())
    for (auto [i, output] : llvm::enumerate(options.outputs))
      if (Error error = writeNpy(fileName(output), outcome->results[i]))
        return error;
  if (observed && report.verdict.empty())
    if (Error error = writeStatistics(*observed, options.statistics))
      return error;
  if (options.json)
    llvm::outs() << llvm::json::Value(std::move(report.json)) << "\n";
  else
    llvm::outs() << report.text;
  if (!report.verdict.empty())
    return makeError(kMismatch, StringRef(report.verdict).trim());
  return Error::success();
}

/// Compiled code cannot be unwound, so the program ends here.
[[noreturn]] static void endOnFailedCheck(StringRef message) {
  std::_Exit(fail(kRefused, "run-time check failed: " + message));
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
  startTool("prune-run", argc, argv,
            "Compile a module in process and run it\n");
  if (options.threads > 1)
    bindThreads();
  if (Error error = options.plugins.load())
    return fail(std::move(error));
  DialectRegistry registry;
  registerEverything(registry);

  setCheckHandler(endOnFailedCheck);
  if (Error error = run(registry, options))
    return fail(std::move(error));
  return kDone;
}
