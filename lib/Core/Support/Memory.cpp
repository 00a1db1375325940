//===- Memory.cpp - How much there is, and how much is wanted -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/Memory.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace llvm;

std::string mlir::prune::byteString(uint64_t bytes) {
  static constexpr const char *kUnits[] = {"B",   "KiB", "MiB", "GiB",
                                           "TiB", "PiB", "EiB"};
  unsigned unit = 0;
  double value = bytes;
  for (; value >= 1024; value /= 1024)
    ++unit;
  std::string text;
  raw_string_ostream(text) << format(unit == 0 || value >= 100 ? "%.0f "
                                                               : "%.1f ",
                                     value)
                           << kUnits[unit];
  return text;
}

uint64_t mlir::prune::machineMemory() {
  long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? uint64_t(pages) * size : ~uint64_t(0);
}

Error mlir::prune::checkMemory(const Twine &what, uint64_t bytes) {
  uint64_t available = machineMemory();
  if (bytes <= available)
    return Error::success();
  return createStringError(what + " needs " + byteString(bytes) +
                           ", but this machine has " + byteString(available) +
                           " of memory");
}
