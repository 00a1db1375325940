//===- Runner.cpp - Compile a lowered module and call it ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions are called through MLIR's C interface: a memory reference is the
// address of a descriptor; several results, or one memory reference, are a
// structure whose address comes first; one scalar is returned by value. The
// packed wrapper of the execution engine takes the address of each of these.
//
//===----------------------------------------------------------------------===//

#include "prune/Execution/Runner.h"

#include "CallOut.h"
#include "Heap.h"

#include "prune/Core/Packing/Processor.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/Operation.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <atomic>
#include <cstring>
#include <dlfcn.h>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// Run-time checks
//===----------------------------------------------------------------------===//

// A violated check prints its message with puts and calls abort.
static thread_local std::string checkMessage;

static void failCheck(StringRef message) {
  llvm::report_fatal_error("run-time check failed: " + message,
                           /*gen_crash_diag=*/false);
}

static std::atomic<CheckHandler> checkHandler{failCheck};

void mlir::prune::setCheckHandler(CheckHandler handler) {
  checkHandler = handler;
}

static int keepMessage(const char *message) {
  checkMessage = message;
  return 0;
}

static void handleFailedCheck() { checkHandler.load()(checkMessage); }

void mlir::prune::failRunTimeCheck(StringRef message) {
  checkHandler.load()(message);
  std::abort(); // a handler does not return
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// Lets LLVM use the widest vectors, which it avoids unless told.
static void preferWideVectors(llvm::Module &module,
                              const Processor &processor) {
  if (processor.vectorBits < 512)
    return;
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", "512");
}

static llvm::orc::SymbolMap
runtimeSymbols(llvm::orc::MangleAndInterner interner) {
  llvm::orc::SymbolMap map;
  auto add = [&](const char *name, auto *function) {
    map[interner(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                           llvm::JITSymbolFlags::Exported};
  };
  add("malloc", heapAllocate);
  add("aligned_alloc", heapAllocateAligned);
  add("free", heapFree);
  add("puts", keepMessage);
  add("abort", handleFailedCheck);
  add("_mlir_ciface_prune_observe_f64", showF64);
  add("_mlir_ciface_prune_observe_f32", showF32);
  add("_mlir_ciface_prune_observe_f16", showF16);
  add("_mlir_ciface_prune_observe_bf16", showBF16);
  return map;
}

/// Compiled code that uses threads calls LLVM's OpenMP runtime. It is loaded
/// for good: its threads outlive every program that they work for.
static llvm::Error loadThreadRuntime(Operation *module) {
  bool isParallel = module
                        ->walk([](Operation *op) {
                          return op->getName().getDialectNamespace() == "omp"
                                     ? WalkResult::interrupt()
                                     : WalkResult::advance();
                        })
                        .wasInterrupted();
  if (!isParallel)
    return llvm::Error::success();
  registerOpenMPDialectTranslation(*module->getContext());
  if (dlopen("libomp.so.5", RTLD_NOW | RTLD_GLOBAL))
    return llvm::Error::success();
  return llvm::createStringError(
      Twine("cannot load LLVM's OpenMP runtime, which several threads need: ") +
      dlerror() +
      "; install it (Debian: libomp5-14 or libomp5-19) or use one "
      "thread");
}

llvm::Expected<std::unique_ptr<Runner>>
Runner::compile(Operation *module, const Processor &processor, unsigned level) {
  if (llvm::Error error = processor.checkRunsHere())
    return std::move(error);
  auto codeGenLevel = static_cast<llvm::CodeGenOptLevel>(level);
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  registerBuiltinDialectTranslation(*module->getContext());
  registerLLVMDialectTranslation(*module->getContext());
  if (llvm::Error error = loadThreadRuntime(module))
    return std::move(error);

  llvm::orc::JITTargetMachineBuilder builder{
      llvm::Triple(llvm::sys::getProcessTriple())};
  builder.setCPU(processor.name);
  builder.getFeatures() = llvm::SubtargetFeatures(processor.features);
  builder.setCodeGenOptLevel(codeGenLevel);
  auto optimizerTarget = builder.createTargetMachine();
  if (!optimizerTarget)
    return optimizerTarget.takeError();
  auto engineTarget = builder.createTargetMachine();
  if (!engineTarget)
    return engineTarget.takeError();

  std::unique_ptr<Runner> runner(new Runner());
  runner->target = std::move(*optimizerTarget);
  auto optimize =
      makeOptimizingTransformer(level, /*sizeLevel=*/0, runner->target.get());
  auto transformer = [&](llvm::Module *llvmModule) {
    preferWideVectors(*llvmModule, processor);
    return optimize(llvmModule);
  };
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = codeGenLevel;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  auto engine =
      ExecutionEngine::create(module, options, std::move(*engineTarget));
  if (!engine)
    return engine.takeError();
  runner->engine = std::move(*engine);
  runner->engine->registerSymbols(runtimeSymbols);
  runner->engine->initialize();
  return runner;
}

Runner::Runner() : heap(std::make_unique<HeapUser>()) {}

Runner::~Runner() = default;

void Runner::setObserver(Observer given) {
  observer = std::make_unique<Observer>(std::move(given));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// The sizes in a descriptor follow two pointers and an offset.
static constexpr unsigned kSizesAt = 3;

static unsigned descriptorWords(unsigned rank) { return kSizesAt + 2 * rank; }

static std::vector<int64_t> makeDescriptor(const PortView &view) {
  unsigned rank = view.shape.size();
  std::vector<int64_t> words(descriptorWords(rank));
  words[0] = words[1] = reinterpret_cast<intptr_t>(view.data);
  int64_t stride = 1;
  for (unsigned dim = rank; dim-- > 0;) {
    words[kSizesAt + dim] = view.shape[dim];
    words[kSizesAt + rank + dim] = stride;
    stride *= view.shape[dim];
  }
  return words;
}

llvm::Expected<std::unique_ptr<Invocation>>
Runner::bind(StringRef function, ArrayRef<PortType> argumentTypes,
             ArrayRef<PortType> resultTypes,
             ArrayRef<PortView> arguments) const {
  assert(argumentTypes.size() == arguments.size() && "one view per argument");
  auto address = engine->lookupPacked(("_mlir_ciface_" + function).str());
  if (!address)
    return address.takeError();
  std::unique_ptr<Invocation> invocation(new Invocation());
  invocation->function = *address;
  invocation->observer = observer.get();
  invocation->resultTypes.assign(resultTypes.begin(), resultTypes.end());

  // Natural alignment, as in C.
  size_t bytes = 0;
  for (const PortType &type : resultTypes) {
    size_t alignment = type.isScalar ? type.elementBytes : sizeof(int64_t);
    bytes = llvm::alignTo(bytes, alignment);
    invocation->resultOffsets.push_back(bytes);
    bytes += type.isScalar ? type.elementBytes
                           : descriptorWords(type.rank) * sizeof(int64_t);
  }
  invocation->results.resize(llvm::divideCeil(bytes, sizeof(int64_t)));
  invocation->resultsPointer = invocation->results.data();
  bool byAddress = resultTypes.size() > 1 ||
                   (resultTypes.size() == 1 && !resultTypes[0].isScalar);

  invocation->descriptors.reserve(arguments.size());
  invocation->pointers.reserve(arguments.size());
  if (byAddress)
    invocation->packed.push_back(&invocation->resultsPointer);
  for (auto [type, view] : llvm::zip_equal(argumentTypes, arguments)) {
    if (type.isScalar) {
      invocation->packed.push_back(view.data);
      continue;
    }
    invocation->descriptors.push_back(makeDescriptor(view));
    invocation->pointers.push_back(invocation->descriptors.back().data());
    invocation->packed.push_back(&invocation->pointers.back());
  }
  if (!byAddress && !resultTypes.empty())
    invocation->packed.push_back(invocation->results.data());
  return invocation;
}

Invocation::~Invocation() { freeResults(); }

void Invocation::call() {
  freeResults();
  ObserverScope scope(observer);
  function(packed.data());
  hasResults = true;
}

char *Invocation::resultAt(unsigned index) const {
  return reinterpret_cast<char *>(const_cast<int64_t *>(results.data())) +
         resultOffsets[index];
}

void Invocation::freeResults() {
  if (!hasResults)
    return;
  hasResults = false;
  for (auto [index, type] : llvm::enumerate(resultTypes)) {
    if (type.isScalar)
      continue;
    void *allocated;
    std::memcpy(&allocated, resultAt(index), sizeof(allocated));
    heapFree(allocated);
  }
}

ArrayRef<int64_t> Invocation::resultShape(unsigned index) const {
  const PortType &type = resultTypes[index];
  if (type.isScalar)
    return {};
  auto *words = reinterpret_cast<const int64_t *>(resultAt(index));
  return {words + kSizesAt, type.rank};
}

void Invocation::copyResult(unsigned index, char *out) const {
  const PortType &type = resultTypes[index];
  if (type.isScalar) {
    std::memcpy(out, resultAt(index), type.elementBytes);
    return;
  }
  auto *words = reinterpret_cast<const int64_t *>(resultAt(index));
  ArrayRef<int64_t> sizes(words + kSizesAt, type.rank);
  ArrayRef<int64_t> strides(words + kSizesAt + type.rank, type.rank);
  auto *data =
      reinterpret_cast<const char *>(words[1]) + words[2] * type.elementBytes;
  if (llvm::is_contained(sizes, 0))
    return;
  // Row by row; a row is one run if its elements are adjacent.
  SmallVector<int64_t> position(type.rank, 0);
  int64_t row = type.rank ? sizes.back() : 1;
  bool adjacent = !type.rank || strides.back() == 1;
  while (true) {
    int64_t offset = 0;
    for (unsigned dim = 0; dim + 1 < type.rank; ++dim)
      offset += position[dim] * strides[dim];
    if (adjacent)
      std::memcpy(out, data + offset * type.elementBytes,
                  row * type.elementBytes);
    else
      for (int64_t i = 0; i < row; ++i)
        std::memcpy(out + i * type.elementBytes,
                    data + (offset + i * strides.back()) * type.elementBytes,
                    type.elementBytes);
    out += row * type.elementBytes;
    int dim = int(type.rank) - 2;
    for (; dim >= 0 && ++position[dim] == sizes[dim]; --dim)
      position[dim] = 0;
    if (dim < 0)
      return;
  }
}
