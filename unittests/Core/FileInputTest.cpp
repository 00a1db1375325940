//===- FileInputTest.cpp - Files as MLIR's parsers want them --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/FileInput.h"

#include "llvm/Support/Alignment.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace mlir::prune;

namespace {

bool isUsable(const MemoryBuffer &buffer) {
  return isAddrAligned(Align(4096), buffer.getBufferStart()) &&
         *buffer.getBufferEnd() == '\0';
}

TEST(FileInput, AlignsFilesOfAllSizes) {
  for (size_t size :
       {0, 1, 100, 4095, 4096, 5031, 16383, 16384, 40960, 100001}) {
    SmallString<64> path;
    int descriptor;
    ASSERT_FALSE(
        sys::fs::createTemporaryFile("input", "bin", descriptor, path));
    FileRemover remove(path);
    std::string text(size, 'x');
    raw_fd_ostream(descriptor, /*shouldClose=*/true) << text;
    Expected<std::unique_ptr<MemoryBuffer>> buffer = openInput(path);
    ASSERT_TRUE(bool(buffer));
    EXPECT_TRUE((*buffer)->getBuffer() == text) << size;
    EXPECT_TRUE(isUsable(**buffer)) << size;
  }
}

TEST(FileInput, AlignsCopies) {
  std::string text = "0123456789";
  for (size_t begin = 0; begin != 4; ++begin) {
    Expected<std::unique_ptr<MemoryBuffer>> buffer =
        copyInput(StringRef(text).drop_front(begin), "copy");
    ASSERT_TRUE(bool(buffer));
    EXPECT_EQ((*buffer)->getBuffer(), StringRef(text).drop_front(begin));
    EXPECT_TRUE(isUsable(**buffer));
  }
}

TEST(FileInput, NamesWhatIsMissing) {
  Expected<std::unique_ptr<MemoryBuffer>> buffer = openInput("no/such.mlir");
  ASSERT_FALSE(bool(buffer));
  EXPECT_EQ(toString(buffer.takeError()),
            "cannot open input file 'no/such.mlir': No such file or directory");
}

} // namespace
