//===- Model.cpp - A file, compiled ---------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "Tools/Diagnostics.h"
#include "Tools/Tool.h"

#include "prune/Core/Packing/Processor.h"
#include "prune/Input/ReadModule.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
using llvm::Expected;

/// The compiler has said why already.
static Error cannotCompile(StringRef path) {
  return llvm::createStringError("cannot compile '" + path + "'");
}

/// Runs the pipeline that the user asked for.
static Error prepare(ModuleOp module, const LoadOptions &options) {
  if (options.pipeline.empty())
    return Error::success();
  PassManager pm(module.getContext());
  std::string message;
  llvm::raw_string_ostream os(message);
  if (failed(parsePassPipeline(options.pipeline, pm, os)))
    return makeError(kUsage, "--pipeline: " + StringRef(message).trim());
  if (failed(pm.run(module)))
    return cannotCompile(options.path);
  return Error::success();
}

static Expected<std::unique_ptr<Program>> compile(ModuleOp module,
                                                  const LoadOptions &options) {
  CompileOptions chosen = options.compile;
  chosen.module = "'" + options.path + "'";
  Expected<std::unique_ptr<Program>> program = Program::compile(module, chosen);
  if (program)
    return program;
  Error error = program.takeError();
  if (error.isA<OptionError>())
    return withCode(kUsage, std::move(error));
  std::string message = llvm::toString(std::move(error));
  if (message.empty())
    return cannotCompile(options.path);
  return llvm::createStringError(message);
}

Expected<Model> mlir::prune::loadModel(const DialectRegistry &registry,
                                       const LoadOptions &options) {
  // Before a pipeline of the user's runs for hours.
  Expected<Processor> processor = Processor::get();
  if (!processor)
    return processor.takeError();
  if (Error error = processor->checkRunsHere())
    return std::move(error);

  auto observed = std::make_unique<ObservedModule>();
  observed->context = std::make_unique<MLIRContext>(registry);
  MLIRContext *context = observed->context.get();
  auto sources = std::make_shared<llvm::SourceMgr>();
  ToolDiagnostics diagnostics(sources, context, options.path);
  Expected<OwningOpRef<ModuleOp>> module =
      readModule(options.path, sources, context, options.onnx);
  if (!module)
    return withCode(blameForReading(options.path, isONNX(options.path)),
                    module.takeError());
  observed->module = std::move(*module);
  if (Error error = prepare(*observed->module, options))
    return std::move(error);
  LoadOptions chosen = options;
  if (options.observe) {
    auto collector = StatisticsCollector::create(*observed->module);
    if (!collector)
      return makeError(kInput, "'" + options.path + "': " +
                                   llvm::toString(collector.takeError()));
    observed->collector = std::move(*collector);
    chosen.compile.observer =
        [to = observed->collector.get()](const ShownTensor &tensor) {
          to->add(tensor);
        };
  }
  Expected<std::unique_ptr<Program>> program =
      compile(*observed->module, chosen);
  if (!program)
    return program.takeError();
  return Model{options.path, options.observe ? std::move(observed) : nullptr,
               std::move(*program)};
}
