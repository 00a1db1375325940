//===- FileInput.cpp - Files as MLIR's parsers want them ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Large files are mapped and aligned to a page already.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/FileInput.h"

#include "llvm/Support/Alignment.h"

#include <cstring>

using namespace llvm;

/// Holds every alignment that a reader of bytecode asks for.
static constexpr uint64_t kPage = 4096;

Expected<std::unique_ptr<MemoryBuffer>> mlir::prune::copyInput(StringRef bytes,
                                                               StringRef name) {
  std::unique_ptr<WritableMemoryBuffer> buffer =
      WritableMemoryBuffer::getNewUninitMemBuffer(bytes.size(), name,
                                                  Align(kPage));
  if (!buffer)
    return createStringError("out of memory");
  std::memcpy(buffer->getBufferStart(), bytes.data(), bytes.size());
  return std::move(buffer);
}

Expected<std::unique_ptr<MemoryBuffer>> mlir::prune::openInput(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFileOrSTDIN(path);
  if (std::error_code code = file.getError())
    return createStringError("cannot open input file '" + path +
                             "': " + code.message());
  if (isAddrAligned(Align(kPage), (*file)->getBufferStart()))
    return std::move(*file);
  return copyInput((*file)->getBuffer(), (*file)->getBufferIdentifier());
}
