//===- Program.cpp - A network, compiled, with its signature --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module is compiled from a copy, so that the caller can go on with it. What
// remains of the IR is the signature. A call has its own descriptors and
// results, so calls may overlap.
//
// Weights that are arguments follow the function's own ones; their buffers
// belong to the program, which adds them to each call.
//
//===----------------------------------------------------------------------===//

#include "prune/Execution/Program.h"

#include "prune/Core/Packing/Processor.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Records.h"
#include "prune/Pipelines/Pipelines.h"
#include "prune/Transforms/Weights/Transforms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <cstring>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

char OptionError::ID;

static Error wrongOption(const Twine &text) {
  return llvm::make_error<OptionError>(text);
}

//===----------------------------------------------------------------------===//
// Ports
//===----------------------------------------------------------------------===//

unsigned mlir::prune::byteSize(ElementType type) {
  switch (type) {
  case ElementType::F64:
  case ElementType::I64:
  case ElementType::Index:
    return 8;
  case ElementType::F32:
  case ElementType::I32:
    return 4;
  case ElementType::F16:
  case ElementType::BF16:
  case ElementType::I16:
    return 2;
  case ElementType::I8:
  case ElementType::U8:
  case ElementType::Bool:
    return 1;
  }
  llvm_unreachable("unknown element type");
}

StringRef mlir::prune::nameOf(ElementType type) {
  static constexpr StringLiteral kNames[] = {"f64", "f32", "f16",  "bf16",
                                             "i64", "i32", "i16",  "i8",
                                             "ui8", "i1",  "index"};
  return kNames[unsigned(type)];
}

PortType Port::type() const {
  return {isScalar, unsigned(shape.size()), byteSize(element)};
}

std::string Port::typeText() const {
  std::string text;
  for (int64_t extent : shape)
    text += (extent < 0 ? "?" : std::to_string(extent)) + "x";
  return text + nameOf(element).str();
}

static std::optional<ElementType> elementOf(Type type) {
  if (type.isF64())
    return ElementType::F64;
  if (type.isF32())
    return ElementType::F32;
  if (type.isF16())
    return ElementType::F16;
  if (type.isBF16())
    return ElementType::BF16;
  if (type.isIndex())
    return ElementType::Index;
  if (type.isUnsignedInteger(8))
    return ElementType::U8;
  if (!type.isInteger())
    return std::nullopt;
  switch (type.getIntOrFloatBitWidth()) {
  case 64:
    return ElementType::I64;
  case 32:
    return ElementType::I32;
  case 16:
    return ElementType::I16;
  case 8:
    return ElementType::I8;
  case 1:
    return ElementType::Bool;
  }
  return std::nullopt;
}

static Expected<Port> makePort(StringRef kind, unsigned number, Type type,
                               DictionaryAttr attributes, StringRef entry) {
  Port port;
  if (attributes)
    if (auto name = attributes.getAs<StringAttr>(kNameRecord))
      port.name = name.str();
  port.description = (kind + " " + Twine(number)).str();
  if (!port.name.empty())
    port.description += " ('" + port.name + "')";
  port.description += (" of '" + entry + "'").str();
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto element = elementOf(tensor ? tensor.getElementType() : type);
  if (!element || (tensor && tensor.getEncoding())) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return createStringError(
        port.description + " has the type " + text +
        "; expected a dense ranked tensor or a scalar of f64, f32, f16, bf16, "
        "i64, i32, i16, i8, ui8, i1 or index");
  }
  port.element = *element;
  port.isScalar = !tensor;
  if (tensor)
    for (int64_t extent : tensor.getShape())
      port.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  return port;
}

static Error readSignature(func::FuncOp entry, std::vector<Port> &arguments,
                           std::vector<Port> &results) {
  auto read = [&](StringRef kind, TypeRange types, auto attributesOf,
                  std::vector<Port> &ports) -> Error {
    for (auto [i, type] : llvm::enumerate(types)) {
      Expected<Port> port =
          makePort(kind, i, type, attributesOf(i), entry.getName());
      if (!port)
        return port.takeError();
      ports.push_back(std::move(*port));
    }
    return Error::success();
  };
  if (Error error = read(
          "argument", entry.getArgumentTypes(),
          [&](unsigned i) { return entry.getArgAttrDict(i); }, arguments))
    return error;
  return read(
      "result", entry.getResultTypes(),
      [&](unsigned i) { return entry.getResultAttrDict(i); }, results);
}

Expected<std::vector<Port>> Program::argumentsOf(func::FuncOp function) {
  std::vector<Port> arguments, results;
  if (Error error = readSignature(function, arguments, results))
    return std::move(error);
  return std::move(arguments);
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

/// The function of that name, or "main", or the only public one.
Expected<func::FuncOp> Program::findEntry(ModuleOp module,
                                          const CompileOptions &options) {
  std::string names;
  SmallVector<func::FuncOp> candidates;
  StringRef wanted = options.entry;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (function.getName() == (wanted.empty() ? "main" : wanted))
      return function;
    candidates.push_back(function);
    names += (names.empty() ? "'" : ", '") + function.getName().str() + "'";
  }
  if (wanted.empty() && candidates.size() == 1)
    return candidates.front();
  if (candidates.empty())
    return createStringError(options.module + " has no public function to run");
  if (wanted.empty())
    return wrongOption(options.module +
                       " has no function 'main'; choose the "
                       "entry, one of " +
                       names);
  return wrongOption(options.module + " has no public function '" + wanted +
                     "'; it has " + names);
}

/// Machine code cannot call what has no body.
static Error checkDeclarations(ModuleOp module, const CompileOptions &options) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isExternal() &&
        !SymbolTable::symbolKnownUseEmpty(function, module))
      return createStringError(options.module + " calls '" +
                               function.getName() + "', which has no body");
  return Error::success();
}

/// Diagnostics have said why.
static Error said() { return createStringError(""); }

static Error lower(ModuleOp module, const CompileOptions &options) {
  LowerToLLVMOptions lowering;
  lowering.kernels = options.kernels;
  lowering.runtimeChecks = options.runtimeChecks;
  lowering.threads = options.threads;
  // Code that runs here may be made for here.
  lowering.cpu = Processor::chooseName(options.cpu);
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  std::string message;
  auto emitError = [&](const Twine &text) {
    message = text.str();
    return failure();
  };
  if (failed(buildLowerToLLVMPipeline(pm, lowering, emitError)))
    return wrongOption(message);
  return failed(pm.run(module)) ? said() : Error::success();
}

//===----------------------------------------------------------------------===//
// Weights as arguments
//===----------------------------------------------------------------------===//

namespace mlir::prune {
struct Program::WeightBuffer {
  AsmResourceBlob contents;
};
} // namespace mlir::prune

/// Makes arguments of the entry's weights, and those of what it calls.
static FailureOr<SmallVector<ElementsAttr>> externalize(func::FuncOp entry) {
  PassManager pm(entry.getContext(), ModuleOp::getOperationName());
  pm.addPass(createInlinerPass());
  if (failed(pm.run(entry->getParentOfType<ModuleOp>())))
    return failure();
  return externalizeWeights(entry);
}

ArrayRef<char> Program::weight(unsigned index) const {
  return buffers[index].contents.getData();
}

void Program::setWeight(unsigned index, ArrayRef<char> bytes) {
  MutableArrayRef<char> own = buffers[index].contents.getMutableData();
  assert(own.size() == bytes.size() && "expects the size of the weight");
  std::memcpy(own.data(), bytes.data(), bytes.size());
}

//===----------------------------------------------------------------------===//
// Compilation and calls
//===----------------------------------------------------------------------===//

Program::~Program() = default;

Expected<std::unique_ptr<Program>>
Program::compile(ModuleOp module, const CompileOptions &options) {
  // Before hours of compiling, which may be done for another machine.
  Expected<Processor> processor = Processor::get(options.cpu);
  if (!processor)
    return wrongOption("cpu: " + llvm::toString(processor.takeError()));
  if (Error error = processor->checkRunsHere())
    return std::move(error);
  OwningOpRef<ModuleOp> copy = module.clone();
  if (!options.observer)
    stripObservers(*copy);
  Expected<func::FuncOp> entry = findEntry(*copy, options);
  if (!entry)
    return entry.takeError();
  if (Error error = checkDeclarations(*copy, options))
    return std::move(error);
  std::unique_ptr<Program> program(new Program());
  program->name = entry->getName().str();
  unsigned numOwn = entry->getNumArguments();
  if (options.externalize) {
    FailureOr<SmallVector<ElementsAttr>> weights = externalize(*entry);
    if (failed(weights))
      return said();
    for (ElementsAttr weight : *weights)
      program->buffers.push_back({copyElements(weight)});
  }
  if (Error error =
          readSignature(*entry, program->argumentPorts, program->resultPorts))
    return std::move(error);
  auto weights = program->argumentPorts.begin() + numOwn;
  program->weightPorts.assign(weights, program->argumentPorts.end());
  program->argumentPorts.erase(weights, program->argumentPorts.end());
  if (Error error = lower(*copy, options))
    return std::move(error);
  Expected<std::unique_ptr<Runner>> runner =
      Runner::compile(*copy, *processor, options.level);
  if (!runner)
    return runner.takeError();
  program->runner = std::move(*runner);
  if (options.observer)
    program->runner->setObserver(options.observer);
  return program;
}

Expected<std::unique_ptr<Invocation>>
Program::bind(ArrayRef<PortView> arguments) const {
  SmallVector<PortType> argumentTypes, resultTypes;
  for (const Port &port : llvm::concat<const Port>(argumentPorts, weightPorts))
    argumentTypes.push_back(port.type());
  for (const Port &port : resultPorts)
    resultTypes.push_back(port.type());
  SmallVector<PortView> views(arguments);
  for (auto [port, buffer] : llvm::zip_equal(weightPorts, buffers))
    views.push_back(
        {const_cast<char *>(buffer.contents.getData().data()), port.shape});
  return runner->bind(name, argumentTypes, resultTypes, views);
}
