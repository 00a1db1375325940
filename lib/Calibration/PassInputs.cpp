//===- PassInputs.cpp - What passes on data have in common ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassInputs.h"

#include "prune/IR/ConstantView.h"
#include "prune/Pipelines/Pipelines.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Expected;

LogicalResult mlir::prune::failWith(ModuleOp module, StringRef by,
                                    llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  return message.empty() ? failure()
                         : module.emitError() << by << ": " << message;
}

FailureOr<PassNetwork> PassNetwork::create(ModuleOp module, StringRef function,
                                           StringRef by) {
  if (failed(requireData(module)))
    return failure();
  PassNetwork network;
  network.module = module.clone();
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.addPass(createInlinerPass());
  if (failed(pm.run(*network.module)))
    return failure();
  CompileOptions compile;
  compile.entry = function.str();
  Expected<func::FuncOp> entry =
      Program::findEntry(*network.module, compile);
  if (!entry)
    return failWith(module, by, entry.takeError());
  network.entry = *entry;
  network.uses = std::make_unique<WeightUses>(*entry);
  return std::move(network);
}

Expected<std::vector<Input>>
mlir::prune::readSamples(const DataOptions &options) {
  std::vector<Input> inputs;
  for (const std::string &path : options.files) {
    Expected<NpyArray> array = readNpy(path);
    if (!array)
      return array.takeError();
    if (array->shape().empty() || array->shape()[0] <= options.samples) {
      inputs.push_back({std::move(*array), false});
      continue;
    }
    SmallVector<int64_t> shape(array->shape());
    size_t bytes = array->bytes().size() / shape[0] * options.samples;
    shape[0] = options.samples;
    NpyArray first(array->type(), shape);
    llvm::copy(array->bytes().take_front(bytes), first.bytes().begin());
    inputs.push_back({std::move(first), false});
  }
  return std::move(inputs);
}

FailureOr<NetworkOptions>
mlir::prune::readNetworkOptions(ModuleOp module, StringRef by,
                                const DataOptions &data,
                                const SolverNames &solver) {
  NetworkOptions options;
  auto wrong = [&](StringRef option, StringRef expected, const Twine &got) {
    return module.emitError() << by << ": option '" << option << "' expects "
                              << expected << " but got " << got.str();
  };
  StringRef method = solver.method;
  options.solver.magnitude = method == "best" || method == "magnitude";
  options.solver.admm = method == "best" || method == "admm";
  options.solver.sparseGPT = method == "best" || method == "sparsegpt";
  options.solver.surgeon = method == "obs";
  if (!options.solver.magnitude && !options.solver.admm &&
      !options.solver.sparseGPT && !options.solver.surgeon)
    return wrong("method", "best, admm, magnitude, sparsegpt or obs",
                 "'" + method + "'");
  if (!(solver.damping >= 0))
    return wrong("damping", "a number of at least 0",
                 std::to_string(solver.damping));
  if (data.batch < 1)
    return wrong("batch", "a number of at least 1", Twine(data.batch));
  if (data.samples < 1)
    return wrong("samples", "a number of at least 1", Twine(data.samples));
  if (data.files.empty())
    return wrong("data", "a .npy file for each argument", "none");
  options.solver.fit.damping = solver.damping;
  options.sweep.batch = data.batch;
  return options;
}

void mlir::prune::insertLoweringDialects(DialectRegistry &registry) {
  OpPassManager lowering(ModuleOp::getOperationName());
  LowerToLLVMOptions options;
  (void)buildLowerToLLVMPipeline(lowering, options,
                                 [](const Twine &) { return failure(); });
  lowering.getDependentDialects(registry);
}
