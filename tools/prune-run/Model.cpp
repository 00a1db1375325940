//===- Model.cpp - A module, compiled -------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The signature is read after the user's own pipeline and before lowering:
// a pipeline may change types, lowering forgets them.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "Diagnostics.h"
#include "Tool.h"

#include "prune/Core/Packing/Processor.h"
#include "prune/Input/ReadModule.h"
#include "prune/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

PortType Port::portType() const {
  PortType port;
  port.isScalar = isScalar;
  port.rank = shape.size();
  port.elementBytes = isBFloat ? 2 : byteSize(type);
  return port;
}

std::string Port::typeText() const {
  std::string element = isBFloat ? "bfloat16" : typeName(type).str();
  if (isScalar)
    return element + " scalar";
  return shapeString(shape) + " of " + element;
}

bool Port::isDynamic() const { return llvm::is_contained(shape, -1); }

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

static std::optional<NpyType> npyTypeOf(Type type) {
  if (type.isF64())
    return NpyType::F64;
  if (type.isF32() || type.isBF16())
    return NpyType::F32;
  if (type.isF16())
    return NpyType::F16;
  if (type.isInteger(64) || type.isIndex())
    return NpyType::I64;
  if (type.isInteger(32))
    return NpyType::I32;
  if (type.isInteger(16))
    return NpyType::I16;
  if (type.isInteger(8))
    return type.isUnsignedInteger() ? NpyType::U8 : NpyType::I8;
  if (type.isInteger(1))
    return NpyType::Bool;
  return std::nullopt;
}

static Expected<Port> makePort(StringRef kind, unsigned number, Type type,
                               DictionaryAttr attributes, StringRef entry) {
  Port port;
  for (StringRef key : {"prune.name", "onnx.name"})
    if (auto name = attributes ? attributes.getAs<StringAttr>(key) : nullptr)
      port.name = name.str();
  port.description = (kind + " " + Twine(number)).str();
  if (!port.name.empty())
    port.description += " ('" + port.name + "')";
  port.description += (" of '" + entry + "'").str();

  Type element = type;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor) {
    element = tensor.getElementType();
    for (int64_t dim : tensor.getShape())
      port.shape.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
  }
  std::optional<NpyType> npy = npyTypeOf(element);
  if (!npy || (tensor && tensor.getEncoding())) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return createStringError(
        port.description + " has the type " + text +
        "; expected a dense ranked tensor or a scalar of f64, f32, f16, bf16, "
        "i64, i32, i16, i8, i1 or index");
  }
  port.type = *npy;
  port.isBFloat = element.isBF16();
  port.isScalar = !tensor;
  return port;
}

/// The function to run: the named one, or the only public one.
static Expected<func::FuncOp> findEntry(ModuleOp module, StringRef path,
                                        StringRef name) {
  std::string names;
  SmallVector<func::FuncOp> candidates;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (function.getName() == (name.empty() ? "main" : name))
      return function;
    candidates.push_back(function);
    names += (names.empty() ? "'" : ", '") + function.getName().str() + "'";
  }
  if (name.empty() && candidates.size() == 1)
    return candidates.front();
  if (candidates.empty())
    return createStringError("'" + path + "' has no public function to run");
  if (name.empty())
    return makeError(kUsage, "'" + path +
                                 "' has no function 'main'; choose with "
                                 "--entry one of " +
                                 names);
  return makeError(kUsage, "'" + path + "' has no public function '" + name +
                               "'; it has " + names);
}

static Error readSignature(func::FuncOp entry, Model &model) {
  model.entry = entry.getName().str();
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes())) {
    Expected<Port> port =
        makePort("argument", i, type, entry.getArgAttrDict(i), model.entry);
    if (!port)
      return port.takeError();
    model.arguments.push_back(std::move(*port));
  }
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes())) {
    Expected<Port> port =
        makePort("result", i, type, entry.getResultAttrDict(i), model.entry);
    if (!port)
      return port.takeError();
    model.results.push_back(std::move(*port));
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

/// Code that is not there cannot be called.
static Error checkDeclarations(ModuleOp module, StringRef path) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isExternal() &&
        !SymbolTable::symbolKnownUseEmpty(function, module))
      return createStringError("'" + path + "' calls '" + function.getName() +
                               "', which has no body");
  return Error::success();
}

/// The compiler has said why already.
static Error cannotCompile(StringRef path) {
  return createStringError("cannot compile '" + path + "'");
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

static Error lower(ModuleOp module, const LoadOptions &options) {
  LowerToLLVMOptions lowering;
  lowering.kernels = options.kernels;
  lowering.runtimeChecks = options.runtimeChecks;
  lowering.threads = options.threads;
  PassManager pm(module.getContext());
  std::string message;
  auto emitError = [&](const Twine &text) {
    message = text.str();
    return failure();
  };
  if (failed(buildLowerToLLVMPipeline(pm, lowering, emitError)))
    return createStringError(message);
  if (failed(pm.run(module)))
    return cannotCompile(options.path);
  return Error::success();
}

static Error compile(ModuleOp module, const LoadOptions &options,
                     Model &model) {
  if (Error error = prepare(module, options))
    return error;
  Expected<func::FuncOp> entry = findEntry(module, options.path, options.entry);
  if (!entry)
    return entry.takeError();
  if (Error error = checkDeclarations(module, options.path))
    return error;
  if (Error error = readSignature(*entry, model))
    return error;
  if (Error error = lower(module, options))
    return error;
  Expected<Processor> processor = Processor::get();
  if (!processor)
    return processor.takeError();
  Expected<std::unique_ptr<Runner>> runner =
      Runner::compile(module, *processor);
  if (!runner)
    return runner.takeError();
  model.runner = std::move(*runner);
  return Error::success();
}

Expected<Model> mlir::prune::loadModel(const DialectRegistry &registry,
                                       const LoadOptions &options) {
  // Before hours of compiling, which may be done for another machine.
  Expected<Processor> processor = Processor::get();
  if (!processor)
    return processor.takeError();
  if (Error error = processor->checkRunsHere())
    return std::move(error);

  MLIRContext context(registry);
  auto sources = std::make_shared<llvm::SourceMgr>();
  ToolDiagnostics diagnostics(sources, &context, options.path);
  Expected<OwningOpRef<ModuleOp>> module =
      readModule(options.path, sources, &context, options.onnx);
  if (!module)
    return withCode(blameForReading(options.path, isONNX(options.path)),
                    module.takeError());
  Model model;
  model.path = options.path;
  if (Error error = compile(**module, options, model))
    return std::move(error);
  return std::move(model);
}
