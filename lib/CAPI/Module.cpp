//===- Module.cpp - Modules of the C interface ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Input goes through the checks that prune-opt makes, in the same order: the
// text before it is parsed, the resources right after. Text of pipelines is
// checked for nesting too, since its parser descends recursively as well.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include "prune/Core/Support/FileInput.h"
#include "prune/Core/Support/Nesting.h"
#ifdef PRUNE_ENABLE_ONNX
#include "prune/Export/ONNX.h"
#include "prune/Import/ONNX.h"
#endif
#include "prune/Input/ReadModule.h"
#include "prune/Report/Report.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

PruneStatus pruneModuleParse(PruneContext *context, const char *data,
                             size_t size, const char *name,
                             PruneModule **module) {
  if (!context)
    return PRUNE_INVALID_ARGUMENT;
  context->begin();
  if (!module || (!data && size))
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleParse expects data and an output");
  if (!name)
    name = "-";
  StringRef bytes(data, size);
  if (llvm::Error error = prune::checkText(bytes, name))
    return context->fail(PRUNE_PARSE_ERROR, llvm::toString(std::move(error)));
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      prune::copyInput(bytes, name);
  if (!buffer)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         llvm::toString(buffer.takeError()));

  OwningOpRef<ModuleOp> parsed = prune::parseModule(
      std::move(*buffer), std::make_shared<llvm::SourceMgr>(),
      &context->context);
  if (!parsed)
    return PRUNE_PARSE_ERROR;
  *module = new PruneModule{context, std::move(parsed), name};
  return PRUNE_OK;
}

PruneStatus pruneModuleImportONNX(PruneContext *context, const char *path,
                                  const char *const *dimNames,
                                  const int64_t *dimSizes, size_t numDims,
                                  PruneModule **module) {
  PruneImportOptions options = {dimNames, dimSizes, numDims,
                                nullptr,  nullptr,  0};
  return pruneModuleImportONNXWithOptions(context, path, &options, module);
}

/// The options for the importer; nothing if names, sizes or values are missing.
static std::optional<prune::ONNXImportOptions>
readOptions(const PruneImportOptions &given) {
  prune::ONNXImportOptions options;
  for (size_t i = 0; i < given.numDims; ++i) {
    if (!given.dimNames[i] || given.dimSizes[i] < 1)
      return std::nullopt;
    options.dims.push_back({given.dimNames[i], given.dimSizes[i]});
  }
  for (size_t i = 0; i < given.numValues; ++i) {
    if (!given.valueNames[i] || !given.values[i])
      return std::nullopt;
    options.values.push_back({given.valueNames[i], given.values[i]});
  }
  return options;
}

/// The same, and what else an import or export is called with. Nothing after a
/// message of `function`.
static std::optional<prune::ONNXImportOptions>
checkCall(PruneContext *context, StringRef function, const char *path,
          const PruneImportOptions *options, const void *output) {
  PruneImportOptions given = options ? *options : PruneImportOptions{};
  if (!output || !path ||
      (given.numDims && (!given.dimNames || !given.dimSizes)) ||
      (given.numValues && (!given.valueNames || !given.values))) {
    context->fail(PRUNE_INVALID_ARGUMENT,
                  function + " expects a path, sizes, values and an output");
    return std::nullopt;
  }
  std::optional<prune::ONNXImportOptions> read = readOptions(given);
  if (!read)
    context->fail(
        PRUNE_INVALID_ARGUMENT,
        "expects names with positive sizes to fix, and names with values");
  return read;
}

PruneStatus pruneModuleImportONNXWithOptions(PruneContext *context,
                                             const char *path,
                                             const PruneImportOptions *options,
                                             PruneModule **module) {
  if (!context)
    return PRUNE_INVALID_ARGUMENT;
  context->begin();
  std::optional<prune::ONNXImportOptions> read =
      checkCall(context, "pruneModuleImportONNX", path, options, module);
  if (!read)
    return PRUNE_INVALID_ARGUMENT;
#ifdef PRUNE_ENABLE_ONNX
  OwningOpRef<ModuleOp> imported =
      prune::importONNX(path, &context->context, *read);
  if (!imported)
    return PRUNE_PARSE_ERROR;
  *module = new PruneModule{context, std::move(imported), path};
  return PRUNE_OK;
#else
  return context->fail(PRUNE_PARSE_ERROR,
                       "this build has no importer of ONNX models");
#endif
}

PruneStatus pruneModuleRead(PruneContext *context, const char *path,
                            PruneModule **module) {
  if (!context)
    return PRUNE_INVALID_ARGUMENT;
  context->begin();
  if (!module || !path)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleRead expects a path and an output");
  llvm::Expected<OwningOpRef<ModuleOp>> read =
      prune::readModule(path, std::make_shared<llvm::SourceMgr>(),
                        &context->context, prune::ONNXImportOptions());
  if (!read) {
    std::string message = llvm::toString(read.takeError());
    return message.empty() ? PRUNE_PARSE_ERROR
                           : context->fail(PRUNE_PARSE_ERROR, message);
  }
  *module = new PruneModule{context, std::move(*read), path};
  return PRUNE_OK;
}

PruneStatus pruneModuleClone(const PruneModule *module, PruneModule **copy) {
  if (!module || !copy)
    return PRUNE_INVALID_ARGUMENT;
  module->owner->begin();
  ModuleOp op = *module->module;
  *copy = new PruneModule{module->owner, op.clone(), module->name};
  return PRUNE_OK;
}

void pruneModuleFree(PruneModule *module) { delete module; }

//===----------------------------------------------------------------------===//
// Passes
//===----------------------------------------------------------------------===//

/// The list inside of `builtin.module(...)`, or the text itself.
static StringRef stripAnchor(StringRef pipeline) {
  StringRef inner = pipeline.trim();
  if (!inner.consume_front(ModuleOp::getOperationName()))
    return pipeline;
  inner = inner.ltrim();
  if (!inner.consume_front("(") || !inner.consume_back(")"))
    return pipeline;
  // In "builtin.module(a),func.func(b)" the last parenthesis is another's.
  int depth = 1;
  for (char c : inner) {
    depth += (c == '(') - (c == ')');
    if (depth == 0)
      return pipeline;
  }
  return inner;
}

PruneStatus pruneModuleRun(PruneModule *module, const char *pipeline) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!pipeline)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleRun expects a pipeline");
  if (llvm::Error error = prune::checkNesting(pipeline, "pipeline"))
    return context->fail(PRUNE_PIPELINE_ERROR,
                         llvm::toString(std::move(error)));
  PassManager pm(&context->context, ModuleOp::getOperationName());
  std::string message;
  llvm::raw_string_ostream os(message);
  if (failed(parsePassPipeline(stripAnchor(pipeline), pm, os)))
    return context->fail(PRUNE_PIPELINE_ERROR,
                         "pipeline '" + llvm::Twine(pipeline) +
                             "': " + StringRef(message).trim());
  return succeeded(pm.run(*module->module)) ? PRUNE_OK : PRUNE_PASS_FAILED;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

PruneStatus pruneModulePrint(const PruneModule *module, int64_t elideAbove,
                             PruneBuffer *text) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  module->owner->begin();
  if (!text)
    return module->owner->fail(PRUNE_INVALID_ARGUMENT,
                               "pruneModulePrint expects an output");
  OpPrintingFlags flags;
  if (elideAbove >= 0)
    flags.elideLargeElementsAttrs(elideAbove)
        .elideLargeResourceString(elideAbove);
  std::string printed;
  llvm::raw_string_ostream os(printed);
  ModuleOp op = *module->module;
  op->print(os, flags);
  os << "\n";
  *text = prune::copyOut(printed);
  return PRUNE_OK;
}

PruneStatus pruneModuleReport(const PruneModule *module, const char *format,
                              PruneBuffer *report) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  StringRef wanted = format ? format : "json";
  if (!report || (wanted != "text" && wanted != "json"))
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleReport expects an output and the format "
                         "text or json but got '" +
                             wanted + "'");
  auto collected = prune::WeightReport::collect(*module->module);
  std::string written;
  llvm::raw_string_ostream os(written);
  if (wanted == "json")
    collected.printJSON(os);
  else
    collected.printText(os);
  *report = prune::copyOut(written);
  return PRUNE_OK;
}

PruneStatus pruneModuleWriteBytecode(const PruneModule *module,
                                     PruneBuffer *bytecode) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!bytecode)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleWriteBytecode expects an output");
  std::string written;
  llvm::raw_string_ostream os(written);
  if (failed(writeBytecodeToFile(*module->module, os)))
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "the module has no bytecode form");
  *bytecode = prune::copyOut(written);
  return PRUNE_OK;
}

PruneStatus pruneModuleExportONNX(const PruneModule *module,
                                  const char *templatePath,
                                  const PruneImportOptions *options,
                                  PruneBuffer *model) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  std::optional<prune::ONNXImportOptions> read =
      checkCall(context, "pruneModuleExportONNX", templatePath, options, model);
  if (!read)
    return PRUNE_INVALID_ARGUMENT;
#ifdef PRUNE_ENABLE_ONNX
  FailureOr<std::string> bytes =
      prune::exportONNX(*module->module, templatePath, *read);
  if (failed(bytes))
    return PRUNE_EXPORT_ERROR;
  *model = prune::copyOut(*bytes);
  return PRUNE_OK;
#else
  return context->fail(PRUNE_EXPORT_ERROR,
                       "this build has no exporter of ONNX models");
#endif
}
