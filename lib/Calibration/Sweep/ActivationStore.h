//===- ActivationStore.h - Tensors that may lie in a file -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_CALIBRATION_SWEEP_ACTIVATIONSTORE_H
#define PRUNE_LIB_CALIBRATION_SWEEP_ACTIVATIONSTORE_H

#include "prune/Core/Npy.h"

#include <map>
#include <memory>
#include <mutex>

namespace mlir::prune {

class ActivationStore;

/// An array of a store, in memory or in its file.
class ScratchTensor {
public:
  ~ScratchTensor();
  ScratchTensor(const ScratchTensor &) = delete;
  ScratchTensor &operator=(const ScratchTensor &) = delete;

  /// The array; one that lies in the file is read, and freed with the result.
  /// Fails if it cannot be read.
  llvm::Expected<std::shared_ptr<NpyArray>> get() const;

private:
  friend class ActivationStore;
  ScratchTensor(std::shared_ptr<ActivationStore> store, NpyType type,
                llvm::ArrayRef<int64_t> shape);

  std::shared_ptr<ActivationStore> store;
  NpyType type;
  llvm::SmallVector<int64_t> shape;
  std::shared_ptr<NpyArray> array;
  int64_t offset = -1;
  uint64_t size = 0;
};

/// Keeps arrays in memory up to a limit, and those above it in a temporary file
/// that has no name. Works from several threads.
class ActivationStore : public std::enable_shared_from_this<ActivationStore> {
public:
  /// 0 stands for no limit.
  static std::shared_ptr<ActivationStore> create(uint64_t maxBytes);
  ~ActivationStore();

  /// Fails if the file cannot be written.
  llvm::Expected<std::shared_ptr<ScratchTensor>> put(NpyArray array);

private:
  friend class ScratchTensor;
  explicit ActivationStore(uint64_t maxBytes) : maxBytes(maxBytes) {}
  llvm::Error openFile();
  int64_t reserve(uint64_t size);

  uint64_t maxBytes;
  std::mutex mutex;
  uint64_t bytes = 0;
  int file = -1;
  int64_t end = 0;
  /// Places that are free again, by their size.
  std::multimap<uint64_t, int64_t> free;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_CALIBRATION_SWEEP_ACTIVATIONSTORE_H
