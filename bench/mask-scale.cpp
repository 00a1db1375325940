//===- mask-scale.cpp - How fast weights are masked and folded ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds a network of one or two linear layers whose weights are filled with
// random numbers in memory, runs prune-mask-weights and prune-fold-masks on it,
// and prints elements per second and the peak memory as a multiple of the
// weights. Usage: mask-scale [largest number of elements]. Each case runs in a
// process of its own, so that one peak does not hide another.
//
//===----------------------------------------------------------------------===//

#include "prune/InitAll.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Pass/PassManager.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace mlir;

namespace {
struct Case {
  const char *name, *pattern, *sparsity, *scope;
};
} // namespace

static constexpr Case kCases[] = {
    {"element, local", "element", "0.9", "local"},
    {"element, global", "element", "0.9", "global"},
    {"2:4", "2:4", "", "local"},
    {"block 4x1", "block:4x1", "0.9", "local"},
    {"block 1x4", "block:1x4", "0.9", "local"},
};

/// Appends the layer `x @ weight` with a random weight of rows x columns.
static Value addLayer(OpBuilder &builder, Value x, StringRef name, int64_t rows,
                      int64_t columns) {
  Location loc = builder.getUnknownLoc();
  Type f32 = builder.getF32Type();
  auto type = RankedTensorType::get({rows, columns}, f32);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(rows * columns * 4, 64);
  auto *data = reinterpret_cast<float *>(blob.getMutableData().data());
  uint64_t state = 88172645463325252ull;
  for (int64_t i = 0; i < rows * columns; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    // The sum of four uniforms: a bell, as trained weights have.
    data[i] = float(state & 0xffff) + float(state >> 16 & 0xffff) +
              float(state >> 32 & 0xffff) + float(state >> 48) - 131070.0f;
  }
  auto &manager =
      DenseResourceElementsHandle::getManagerInterface(builder.getContext());
  Value weight = arith::ConstantOp::create(
      builder, loc,
      DenseResourceElementsAttr::get(type,
                                     manager.insert(name, std::move(blob))));
  Value init = tensor::EmptyOp::create(builder, loc, {1, columns}, f32);
  return linalg::MatmulOp::create(builder, loc, ValueRange{x, weight}, init)
      .getResult(0);
}

static int runCase(const Case &test, int64_t elements) {
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                  tensor::TensorDialect>();
  prune::registerAllDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();

  bool isGlobal = std::strcmp(test.scope, "global") == 0;
  int64_t columns = 1000, rows = elements / columns / (isGlobal ? 2 : 1);
  OpBuilder builder(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToStart(module->getBody());
  auto input = RankedTensorType::get({1, rows}, builder.getF32Type());
  auto function =
      func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                           builder.getFunctionType({input, input}, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
  addLayer(builder, function.getArgument(0), "fc1", rows, columns);
  if (isGlobal)
    addLayer(builder, function.getArgument(1), "fc2", rows, columns);
  func::ReturnOp::create(builder, builder.getUnknownLoc());

  PassManager pm(&context);
  prune::MaskWeightsPassOptions options;
  options.pattern = test.pattern;
  options.sparsity = test.sparsity;
  options.scope = test.scope;
  pm.addPass(prune::createMaskWeightsPass(options));
  pm.addPass(prune::createFoldMasksPass());
  rusage before;
  getrusage(RUSAGE_SELF, &before);
  double cpuBefore = before.ru_utime.tv_sec + before.ru_stime.tv_sec +
                     (before.ru_utime.tv_usec + before.ru_stime.tv_usec) * 1e-6;
  auto start = std::chrono::steady_clock::now();
  if (failed(pm.run(*module)))
    return EXIT_FAILURE;
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;

  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval &t) { return t.tv_sec + t.tv_usec * 1e-6; };
  double cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime) - cpuBefore;
  std::printf("%-16s %12lld %9.3f %9.3f %14.3g %9.2f\n", test.name,
              static_cast<long long>(elements), time.count(), cpu,
              elements / time.count(),
              usage.ru_maxrss * 1024.0 / (elements * 4.0));
  std::fflush(stdout);
  // The network is not torn down: this process is done.
  std::_Exit(EXIT_SUCCESS);
}

int main(int argc, char **argv) {
  int64_t largest = argc > 1 ? std::atoll(argv[1]) : 100000000;
  if (largest < 1000000) {
    std::fprintf(stderr, "usage: mask-scale [elements, at least 1000000]\n");
    return EXIT_FAILURE;
  }
  std::printf("f32 weights, %u threads; memory is the peak of the process over "
              "the weights' bytes\n",
              std::thread::hardware_concurrency());
  std::printf("%-16s %12s %9s %9s %14s %9s\n", "case", "elements", "seconds",
              "cpu s", "elements/s", "memory");
  std::fflush(stdout);
  for (int64_t elements = 1000000; elements <= largest; elements *= 10)
    for (const Case &test : kCases) {
      pid_t child = fork();
      if (child == 0)
        return runCase(test, elements);
      int status = 0;
      if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
