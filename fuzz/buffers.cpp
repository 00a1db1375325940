//===- buffers.cpp - Fuzz the tensors given to a program ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arguments of arbitrary type, rank and extents, each with exactly the data
// that it claims to have, so that any access outside is seen.
//
//===----------------------------------------------------------------------===//

#include "prune-c/Prune.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

static const char kNetwork[] = R"mlir(
func.func @main(%x: tensor<?x3xf32>, %b: tensor<2xi8>, %n: index) -> (tensor<?x3xf32>, tensor<2xi8>, index) {
  %0 = arith.addf %x, %x : tensor<?x3xf32>
  %1 = arith.addi %b, %b : tensor<2xi8>
  return %0, %1, %n : tensor<?x3xf32>, tensor<2xi8>, index
}
)mlir";

static PruneProgram *compile() {
  PruneContext *context = pruneContextCreate();
  PruneModule *module;
  PruneProgram *program;
  if (pruneModuleParse(context, kNetwork, std::strlen(kNetwork), "net",
                       &module) != PRUNE_OK ||
      pruneModuleCompile(module, nullptr, nullptr, &program) != PRUNE_OK)
    std::abort();
  pruneModuleFree(module);
  pruneContextFree(context);
  return program;
}

namespace {
struct Bytes {
  const uint8_t *data;
  size_t size;
  uint8_t next() { return size ? (--size, *data++) : 0; }
};
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static PruneProgram *program = compile();
  Bytes bytes{data, size};
  size_t count = bytes.next() % 5;
  std::vector<PruneTensor> tensors(count);
  std::vector<std::vector<int64_t>> shapes(count);
  std::vector<std::unique_ptr<uint8_t[]>> buffers(count);
  for (size_t i = 0; i < count; ++i) {
    auto element = PruneElementType(bytes.next() % 12);
    int64_t rank = bytes.next() % 5 - 1;
    size_t length = pruneElementSize(element);
    for (int64_t d = 0; d < rank; ++d) {
      shapes[i].push_back(int64_t(bytes.next() % 8) - 2);
      length *= shapes[i].back() < 0 ? 0 : shapes[i].back();
    }
    uint8_t missing = bytes.next();
    buffers[i] = std::make_unique<uint8_t[]>(length);
    for (size_t b = 0; b < length; ++b)
      buffers[i][b] = bytes.next();
    tensors[i] = {element, rank, missing == 1 ? nullptr : shapes[i].data(),
                  missing == 2 ? nullptr : buffers[i].get()};
  }
  PruneResults *results = nullptr;
  PruneBuffer message = {nullptr, 0};
  PruneStatus status =
      pruneProgramCall(program, tensors.data(), count, &results, &message);
  if ((status == PRUNE_OK) != (results != nullptr) ||
      (status == PRUNE_OK) == (message.size > 0))
    std::abort();
  pruneBufferFree(&message);
  if (results && pruneResultsCount(results) != 3)
    std::abort();
  pruneResultsFree(results);
  return 0;
}
