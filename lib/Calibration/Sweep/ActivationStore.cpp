//===- ActivationStore.cpp - Tensors that may lie in a file ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ActivationStore.h"

#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

static Error fileError(const char *what) {
  return createStringError(llvm::Twine("a temporary file for activations "
                                       "cannot be ") +
                           what + ": " + std::strerror(errno) +
                           "; set TMPDIR to a folder with space, or allow more "
                           "memory");
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

ScratchTensor::ScratchTensor(std::shared_ptr<ActivationStore> store,
                             NpyType type, llvm::ArrayRef<int64_t> shape)
    : store(std::move(store)), type(type), shape(shape) {}

ScratchTensor::~ScratchTensor() {
  std::lock_guard<std::mutex> lock(store->mutex);
  if (array)
    store->bytes -= size;
  else if (offset >= 0)
    store->free.emplace(size, offset);
}

Expected<std::shared_ptr<NpyArray>> ScratchTensor::get() const {
  if (array)
    return array;
  Expected<NpyArray> read =
      NpyArray::make("a tensor of the network", type, shape);
  if (!read)
    return read.takeError();
  llvm::MutableArrayRef<char> bytes = read->bytes();
  for (size_t done = 0; done < bytes.size();) {
    ssize_t part = llvm::sys::RetryAfterSignal(
        -1, ::pread, store->file, bytes.data() + done, bytes.size() - done,
        off_t(offset + done));
    if (part <= 0)
      return fileError("read");
    done += part;
  }
  return std::make_shared<NpyArray>(std::move(*read));
}

//===----------------------------------------------------------------------===//
// Store
//===----------------------------------------------------------------------===//

std::shared_ptr<ActivationStore> ActivationStore::create(uint64_t maxBytes) {
  return std::shared_ptr<ActivationStore>(new ActivationStore(maxBytes));
}

ActivationStore::~ActivationStore() {
  if (file >= 0)
    ::close(file);
}

Error ActivationStore::openFile() {
  llvm::SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile(
          "prune-activations", "", file, path)) {
    errno = error.value();
    return fileError("made");
  }
  // It goes when it is closed.
  ::unlink(path.c_str());
  return Error::success();
}

int64_t ActivationStore::reserve(uint64_t size) {
  auto place = free.find(size);
  if (place == free.end()) {
    int64_t offset = end;
    end += size;
    return offset;
  }
  int64_t offset = place->second;
  free.erase(place);
  return offset;
}

Expected<std::shared_ptr<ScratchTensor>> ActivationStore::put(NpyArray array) {
  std::shared_ptr<ScratchTensor> tensor(
      new ScratchTensor(shared_from_this(), array.type(), array.shape()));
  llvm::ArrayRef<char> contents = std::as_const(array).bytes();
  uint64_t size = contents.size();
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (maxBytes == 0 || bytes + size <= maxBytes) {
      bytes += size;
      tensor->size = size;
      tensor->array = std::make_shared<NpyArray>(std::move(array));
      return tensor;
    }
    if (file < 0)
      if (Error error = openFile())
        return std::move(error);
    tensor->offset = reserve(size);
    tensor->size = size;
  }
  for (size_t done = 0; done < size;) {
    ssize_t part =
        llvm::sys::RetryAfterSignal(-1, ::pwrite, file, contents.data() + done,
                                    size - done, off_t(tensor->offset + done));
    if (part <= 0)
      return fileError("written");
    done += part;
  }
  return tensor;
}
