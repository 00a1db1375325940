//===- Program.cpp - Compiled functions of the C interface ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module is compiled from a copy, so that the caller can go on with it. What
// remains of the IR is the signature, against which every call is checked
// before machine code sees a pointer. A call has its own descriptors and
// results, so calls may overlap.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include "prune/Core/Packing/Processor.h"
#include "prune/Execution/Runner.h"
#include "prune/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

#include <vector>

using namespace mlir;
using namespace mlir::prune;

namespace {
/// The type of an argument or result.
struct Port {
  PruneElementType element;
  bool isScalar;
  SmallVector<int64_t> shape;

  PortType type() const {
    return {isScalar, unsigned(shape.size()),
            unsigned(pruneElementSize(element))};
  }
};
} // namespace

struct PruneProgram {
  std::string entry;
  std::vector<Port> arguments, results;
  std::unique_ptr<Runner> runner;
};

struct PruneResults {
  struct Item {
    PruneElementType element;
    SmallVector<int64_t> shape;
    std::vector<char> data;
  };
  std::vector<Item> items;
};

size_t pruneElementSize(PruneElementType type) {
  switch (type) {
  case PRUNE_F64:
  case PRUNE_I64:
  case PRUNE_INDEX:
    return 8;
  case PRUNE_F32:
  case PRUNE_I32:
    return 4;
  case PRUNE_F16:
  case PRUNE_BF16:
  case PRUNE_I16:
    return 2;
  case PRUNE_I8:
  case PRUNE_U8:
  case PRUNE_BOOL:
    return 1;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

static std::optional<PruneElementType> elementOf(Type type) {
  if (type.isF64())
    return PRUNE_F64;
  if (type.isF32())
    return PRUNE_F32;
  if (type.isF16())
    return PRUNE_F16;
  if (type.isBF16())
    return PRUNE_BF16;
  if (type.isIndex())
    return PRUNE_INDEX;
  if (type.isUnsignedInteger(8))
    return PRUNE_U8;
  if (!type.isInteger())
    return std::nullopt;
  switch (type.getIntOrFloatBitWidth()) {
  case 64:
    return PRUNE_I64;
  case 32:
    return PRUNE_I32;
  case 16:
    return PRUNE_I16;
  case 8:
    return PRUNE_I8;
  case 1:
    return PRUNE_BOOL;
  }
  return std::nullopt;
}

/// Reads one side of the signature; the error names the type.
static LogicalResult readPorts(func::FuncOp function, StringRef kind,
                               TypeRange types, std::vector<Port> &ports) {
  for (auto [index, type] : llvm::enumerate(types)) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    std::optional<PruneElementType> element =
        elementOf(tensor ? tensor.getElementType() : type);
    if (!element || (tensor && tensor.getEncoding()))
      return function.emitError()
             << kind << " " << index << " of '" << function.getName()
             << "' has the type " << type
             << "; expected a dense ranked tensor or a scalar of f64, f32, "
                "f16, bf16, i64, i32, i16, i8, ui8, i1 or index";
    Port &port = ports.emplace_back(Port{*element, !tensor, {}});
    if (tensor)
      for (int64_t extent : tensor.getShape())
        port.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  }
  return success();
}

/// The function of that name, or "main", or the only public one.
static func::FuncOp findEntry(ModuleOp module, StringRef name) {
  SmallVector<func::FuncOp> candidates;
  std::string names;
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
  InFlightDiagnostic error = module.emitError();
  if (candidates.empty())
    error << "the module has no public function to compile";
  else if (name.empty())
    error << "the module has no function 'main'; name one of " << names;
  else
    error << "the module has no public function '" << name << "'; it has "
          << names;
  return nullptr;
}

/// Machine code cannot call what has no body.
static LogicalResult checkDeclarations(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isExternal() &&
        !SymbolTable::symbolKnownUseEmpty(function, module))
      return function.emitError()
             << "function '" << function.getName() << "' has no body";
  return success();
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static LogicalResult lower(ModuleOp module, StringRef kernels,
                           const PruneCompileOptions &given) {
  LowerToLLVMOptions options;
  options.kernels = kernels.str();
  options.threads = given.threads;
  options.cpu = given.cpu ? given.cpu : "";
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  if (failed(buildLowerToLLVMPipeline(pm, options, [&](const Twine &text) {
        return LogicalResult(module.emitError(text));
      })))
    return failure();
  return pm.run(module);
}

PruneStatus pruneModuleCompile(const PruneModule *module, const char *entry,
                               const char *kernels, PruneProgram **program) {
  const PruneCompileOptions options = {/*level=*/2, /*threads=*/1, /*cpu=*/nullptr};
  return pruneModuleCompileWithOptions(module, entry, kernels, &options,
                                       program);
}

PruneStatus pruneModuleCompileWithOptions(const PruneModule *module,
                                          const char *entry,
                                          const char *kernels,
                                          const PruneCompileOptions *options,
                                          PruneProgram **program) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!program || !options)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleCompile expects an output, and options if "
                         "it takes some");
  if (options->level > 3)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleCompileWithOptions expects a level from 0 "
                         "to 3 but got " +
                             llvm::Twine(options->level));
  llvm::Expected<Processor> processor =
      Processor::get(options->cpu ? options->cpu : "");
  if (!processor)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "cpu: " + llvm::toString(processor.takeError()));
  ModuleOp original = *module->module;
  OwningOpRef<ModuleOp> copy = original.clone();
  func::FuncOp function = findEntry(*copy, entry ? entry : "");
  auto compiled = std::make_unique<PruneProgram>();
  if (!function || failed(checkDeclarations(*copy)) ||
      failed(readPorts(function, "argument", function.getArgumentTypes(),
                       compiled->arguments)) ||
      failed(readPorts(function, "result", function.getResultTypes(),
                       compiled->results)))
    return PRUNE_COMPILE_ERROR;
  compiled->entry = function.getName().str();
  if (failed(lower(*copy, kernels ? kernels : "dense", *options)))
    return PRUNE_COMPILE_ERROR;
  llvm::Expected<std::unique_ptr<Runner>> runner =
      Runner::compile(*copy, *processor, options->level);
  if (!runner)
    return context->fail(PRUNE_COMPILE_ERROR,
                         llvm::toString(runner.takeError()));
  compiled->runner = std::move(*runner);
  *program = compiled.release();
  return PRUNE_OK;
}

void pruneProgramFree(PruneProgram *program) { delete program; }

size_t pruneProgramNumArguments(const PruneProgram *program) {
  return program->arguments.size();
}

size_t pruneProgramNumResults(const PruneProgram *program) {
  return program->results.size();
}

static PruneTensorType typeOf(const Port &port) {
  return {port.element, int64_t(port.shape.size()), port.shape.data()};
}

PruneTensorType pruneProgramArgumentType(const PruneProgram *program,
                                         size_t index) {
  return typeOf(program->arguments[index]);
}

PruneTensorType pruneProgramResultType(const PruneProgram *program,
                                       size_t index) {
  return typeOf(program->results[index]);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static StringRef elementName(PruneElementType type) {
  static constexpr StringLiteral kNames[] = {"f64", "f32", "f16",  "bf16",
                                             "i64", "i32", "i16",  "i8",
                                             "ui8", "i1",  "index"};
  return unsigned(type) < std::size(kNames) ? kNames[type]
                                            : "an unknown element type";
}

static std::string describe(PruneElementType element, ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t extent : shape)
    text += (extent < 0 ? "?" : std::to_string(extent)) + "x";
  return text + elementName(element).str();
}

/// Why a tensor does not fit the signature; empty if it does.
static std::string whyNot(const Port &port, const PruneTensor &given) {
  if (given.rank < 0 || (given.rank > 0 && !given.shape))
    return "has no shape";
  ArrayRef<int64_t> shape(given.shape, given.rank);
  // An index is a 64-bit integer everywhere.
  auto plain = [](PruneElementType type) {
    return type == PRUNE_INDEX ? PRUNE_I64 : type;
  };
  bool fits = shape.size() == port.shape.size() &&
              plain(given.element) == plain(port.element);
  bool hasElements = true;
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    fits = shape[i] >= 0 && (port.shape[i] < 0 || port.shape[i] == shape[i]);
    hasElements &= shape[i] > 0;
  }
  if (!fits)
    return "is " + describe(given.element, shape) +
           ", but the function takes " + describe(port.element, port.shape);
  return given.data || !hasElements ? "" : "has no data";
}

static PruneStatus failCall(PruneBuffer *message, const llvm::Twine &text) {
  if (message)
    *message = copyOut(text.str());
  return PRUNE_INVALID_ARGUMENT;
}

PruneStatus pruneProgramCall(const PruneProgram *program,
                             const PruneTensor *arguments, size_t numArguments,
                             PruneResults **results, PruneBuffer *message) {
  if (!program || !results || (numArguments && !arguments))
    return failCall(message, "pruneProgramCall expects a program, arguments "
                             "and an output");
  if (numArguments != program->arguments.size())
    return failCall(message, "'" + program->entry + "' takes " +
                                 llvm::Twine(program->arguments.size()) +
                                 " arguments, not " +
                                 llvm::Twine(numArguments));
  SmallVector<PortType> argumentTypes, resultTypes;
  SmallVector<PortView> views;
  for (auto [index, port] : llvm::enumerate(program->arguments)) {
    const PruneTensor &given = arguments[index];
    std::string reason = whyNot(port, given);
    if (!reason.empty())
      return failCall(message, "argument " + llvm::Twine(index) + " of '" +
                                   program->entry + "' " + reason);
    argumentTypes.push_back(port.type());
    views.push_back({const_cast<void *>(given.data),
                     ArrayRef<int64_t>(given.shape, given.rank)});
  }
  for (const Port &port : program->results)
    resultTypes.push_back(port.type());

  auto call =
      program->runner->bind(program->entry, argumentTypes, resultTypes, views);
  if (!call)
    return failCall(message, llvm::toString(call.takeError()));
  (*call)->call();
  auto out = std::make_unique<PruneResults>();
  for (auto [index, port] : llvm::enumerate(program->results)) {
    auto &item = out->items.emplace_back();
    item.element = port.element;
    item.shape.assign((*call)->resultShape(index).begin(),
                      (*call)->resultShape(index).end());
    size_t bytes = pruneElementSize(port.element);
    for (int64_t extent : item.shape)
      bytes *= extent;
    item.data.resize(bytes);
    (*call)->copyResult(index, item.data.data());
  }
  *results = out.release();
  return PRUNE_OK;
}

size_t pruneResultsCount(const PruneResults *results) {
  return results->items.size();
}

PruneTensor pruneResultsGet(const PruneResults *results, size_t index) {
  const PruneResults::Item &item = results->items[index];
  return {item.element, int64_t(item.shape.size()), item.shape.data(),
          item.data.data()};
}

void pruneResultsFree(PruneResults *results) { delete results; }
