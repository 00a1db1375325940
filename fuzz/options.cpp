//===- options.cpp - Fuzz pipelines, options and regular expressions ------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The first byte chooses what the rest is: the options of a pass, one regular
// expression, or a pipeline. A pass that fails may leave a module half
// rewritten, so each run has a copy.
//
//===----------------------------------------------------------------------===//

#include "prune-c/Prune.h"

#include <cstdlib>
#include <cstring>
#include <string>

static const char kNetwork[] = R"mlir(
func.func @main(%x: tensor<2x4xf32>, %k: tensor<1x6x4xf32>, %i: tensor<2x4xf32>, %j: tensor<1x5x4xf32>)
    -> (tensor<2x4xf32>, tensor<1x5x4xf32>) {
  %w = arith.constant dense_resource<"fc1.weight"> : tensor<4x4xf32>
  %c = arith.constant dense<[[[1., 2., 3., 4.], [5., 6., 7., 8.], [1., 2., 3., 4.], [5., 6., 7., 8.]],
                             [[1., 2., 3., 4.], [5., 6., 7., 8.], [1., 2., 3., 4.], [5., 6., 7., 8.]]]> : tensor<2x4x4xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x4xf32>) outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  %1 = linalg.conv_1d_nwc_wcf ins(%k, %c : tensor<1x6x4xf32>, tensor<2x4x4xf32>)
                              outs(%j : tensor<1x5x4xf32>) -> tensor<1x5x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<1x5x4xf32>
}
{-# dialect_resources: { builtin: { "fc1.weight":
"0x040000000000803F00000040000040400000804000000000000080BF000000C0000040C0000080C00000803F00000040000040400000804000000000000080BF000000C0"
} } #-}
)mlir";

static PruneContext *context;
static PruneModule *network;

static void renew() {
  pruneModuleFree(network);
  pruneContextFree(context);
  context = pruneContextCreate();
  if (pruneModuleParse(context, kNetwork, std::strlen(kNetwork), "net",
                       &network) != PRUNE_OK)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned runs = 0;
  if (runs++ % 10000 == 0)
    renew();
  if (size == 0)
    return 0;
  std::string text(reinterpret_cast<const char *>(data) + 1, size - 1);
  switch (data[0] % 4) {
  case 0:
    text = "prune-mask-weights{" + text + "}";
    break;
  case 1:
    text = "prune-weights{" + text + "}";
    break;
  case 2:
    text = "prune-mask-weights{sparsity=0.5 include=" + text + "}";
    break;
  default:
    break;
  }
  PruneModule *copy;
  if (pruneModuleClone(network, &copy) != PRUNE_OK)
    std::abort();
  PruneStatus status = pruneModuleRun(copy, text.c_str());
  // Every failure says why.
  if (status != PRUNE_OK && !*pruneContextDiagnostics(context))
    std::abort();
  pruneModuleFree(copy);
  return 0;
}
