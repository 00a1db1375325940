//===- text.cpp - Fuzz the reader of MLIR text ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whatever parses must print, and what it prints is read again.
//
//===----------------------------------------------------------------------===//

#include "prune-c/Prune.h"

#include <cstdlib>
#include <cstring>

/// A context keeps every attribute it has seen, so it is renewed now and then.
static PruneContext *getContext() {
  static PruneContext *context = nullptr;
  static unsigned runs = 0;
  if (runs++ % 10000 == 0) {
    pruneContextFree(context);
    context = pruneContextCreate();
  }
  return context;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Bytecode is trusted input.
  if (size >= 4 && std::memcmp(data, "ML\xefR", 4) == 0)
    return 0;
  PruneContext *context = getContext();
  PruneModule *module, *again;
  if (pruneModuleParse(context, reinterpret_cast<const char *>(data), size,
                       "fuzz", &module) != PRUNE_OK)
    return 0;
  PruneBuffer text;
  if (pruneModulePrint(module, -1, &text) != PRUNE_OK)
    std::abort();
  if (pruneModuleParse(context, text.data, text.size, "again", &again) ==
      PRUNE_OK)
    pruneModuleFree(again);
  pruneBufferFree(&text);
  pruneModuleFree(module);
  return 0;
}
