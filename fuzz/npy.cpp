//===- npy.cpp - Fuzz the reader of .npy files ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Npy.h"

#include <cstdlib>

using namespace mlir::prune;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef contents(reinterpret_cast<const char *>(data), size);
  llvm::Expected<NpyArray> array = parseNpy(contents, "fuzz");
  if (!array) {
    llvm::consumeError(array.takeError());
    return 0;
  }
  // An array never claims more than the file holds.
  if (array->bytes().size() > size ||
      size_t(array->size()) * byteSize(array->type()) != array->bytes().size())
    std::abort();
  double sum = 0;
  for (int64_t i = 0; i < array->size(); ++i)
    sum += array->asDouble(i);
  volatile double sink = sum;
  (void)sink;
  return 0;
}
