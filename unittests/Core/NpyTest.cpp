//===- NpyTest.cpp - Arrays in NumPy's file format ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Npy.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::prune;

/// A file of format version 1 with this header.
static std::string makeFile(llvm::StringRef header, llvm::StringRef elements) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header.str() + elements.str();
}

static std::string makeFile(llvm::StringRef descr, llvm::StringRef order,
                            llvm::StringRef shape, llvm::StringRef elements) {
  return makeFile(("{'descr': '" + descr + "', 'fortran_order': " + order +
                   ", 'shape': " + shape + ", }\n")
                      .str(),
                  elements);
}

static std::string errorOf(llvm::StringRef file) {
  llvm::Expected<NpyArray> array = parseNpy(file, "a.npy");
  return array ? "" : llvm::toString(array.takeError());
}

static testing::AssertionResult fails(llvm::StringRef file,
                                      llvm::StringRef reason) {
  std::string message = errorOf(file);
  if (llvm::StringRef(message).starts_with("'a.npy'") &&
      llvm::StringRef(message).contains(reason))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "got: " << message;
}

namespace {
/// A file name that is gone afterwards.
class TemporaryFile {
public:
  TemporaryFile() {
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("array", "npy", name));
  }
  ~TemporaryFile() { llvm::sys::fs::remove(name); }
  llvm::SmallString<64> name;
};
} // namespace

static const NpyType kAllTypes[] = {NpyType::Bool, NpyType::I8,  NpyType::U8,
                                    NpyType::I16,  NpyType::I32, NpyType::I64,
                                    NpyType::F16,  NpyType::F32, NpyType::F64};

TEST(Npy, WrittenArraysReadBackEqual) {
  std::vector<std::vector<int64_t>> shapes = {
      {}, {1}, {7}, {0}, {2, 3}, {2, 0, 3}, {1, 2, 3, 4, 5}};
  for (NpyType type : kAllTypes) {
    for (const std::vector<int64_t> &shape : shapes) {
      NpyArray array(type, shape);
      for (size_t i = 0; i < array.bytes().size(); ++i)
        array.bytes()[i] = type == NpyType::Bool ? i & 1 : i * 37 + 11;
      TemporaryFile file;
      ASSERT_FALSE(errorToBool(writeNpy(file.name, array)));
      llvm::Expected<NpyArray> read = readNpy(file.name);
      ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
      EXPECT_EQ(read->type(), type);
      EXPECT_EQ(read->shape(), llvm::ArrayRef(shape));
      EXPECT_EQ(read->bytes(), llvm::ArrayRef<char>(array.bytes()));
    }
  }
}

TEST(Npy, ElementsStartAtAMultipleOf64) {
  TemporaryFile file;
  for (unsigned rank : {0u, 1u, 5u, 40u}) {
    NpyArray array(NpyType::F32, std::vector<int64_t>(rank, 1));
    ASSERT_FALSE(errorToBool(writeNpy(file.name, array)));
    uint64_t size = 0;
    ASSERT_FALSE(llvm::sys::fs::file_size(file.name, size));
    EXPECT_EQ((size - array.bytes().size()) % 64, 0u);
  }
}

TEST(Npy, HeadersAreUnderstoodInEveryFormThatNumpyWrites) {
  llvm::StringRef two("\1\0\0\0\2\0\0\0", 8);
  for (llvm::StringRef header :
       {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }    \n",
        "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<i4\"}",
        "{ 'fortran_order' : True , 'descr' : '=i4' , 'shape' : ( 2L , ) "
        "}\n"}) {
    llvm::Expected<NpyArray> array = parseNpy(makeFile(header, two), "a.npy");
    ASSERT_TRUE(static_cast<bool>(array)) << llvm::toString(array.takeError());
    EXPECT_EQ(array->type(), NpyType::I32);
    EXPECT_EQ(array->asInteger(1), 2);
  }
}

TEST(Npy, NumbersAreConverted) {
  auto value = [](llvm::StringRef descr, llvm::StringRef bytes) {
    return llvm::cantFail(
               parseNpy(makeFile(descr, "False", "(1,)", bytes), "a.npy"))
        .asDouble(0);
  };
  EXPECT_EQ(value("|b1", "\7"), 1);
  EXPECT_EQ(value("|i1", "\xff"), -1);
  EXPECT_EQ(value("|u1", "\xff"), 255);
  EXPECT_EQ(value("<i2", "\xfe\xff"), -2);
  EXPECT_EQ(value("<f2", llvm::StringRef("\x00\xc0", 2)), -2);
  EXPECT_EQ(value("<f2", llvm::StringRef("\x01\x00", 2)), std::ldexp(1, -24));
  EXPECT_EQ(value("<f4", llvm::StringRef("\x00\x00\xc0\x3f", 4)), 1.5);
}

TEST(Npy, TwoDimensionsInFortranOrderAreRefused) {
  std::string six(24, '\0');
  EXPECT_TRUE(fails(makeFile("<f4", "True", "(2, 3)", six),
                    "save it with numpy.ascontiguousarray(a)"));
  // Here both orders are the same.
  EXPECT_EQ(errorOf(makeFile("<f4", "True", "(1, 6)", six)), "");
}

TEST(Npy, OtherElementTypesAreRefused) {
  EXPECT_TRUE(fails(makeFile(">f4", "False", "(1,)", "1234"), "big endian"));
  EXPECT_TRUE(fails(makeFile("<c8", "False", "(1,)", "12345678"), "'<c8'"));
  EXPECT_TRUE(fails(makeFile("|O", "False", "(1,)", "1"), "'|O'"));
  EXPECT_TRUE(fails(makeFile("", "False", "(1,)", "1"), "element type ''"));
  EXPECT_TRUE(fails(makeFile("{'descr': [('a', '<f4')], }", ""), "records"));
}

TEST(Npy, SizesAreCheckedBeforeMemoryIsAllocated) {
  auto shaped = [](llvm::StringRef shape) {
    return makeFile("<f8", "False", shape, "12345678");
  };
  EXPECT_EQ(errorOf(shaped("(1,)")), "");
  EXPECT_TRUE(fails(shaped("(2,)"), "needs 16"));
  EXPECT_TRUE(fails(shaped("(0,)"), "holds 8 bytes"));
  EXPECT_TRUE(fails(shaped("(1000000000000, 1000000)"), "needs 8000000000000"));
  EXPECT_TRUE(fails(shaped("(9223372036854775807,)"), "absurd shape"));
  EXPECT_TRUE(fails(shaped("(9223372036854775808,)"), "absurd size"));
  EXPECT_TRUE(fails(shaped("(4294967296, 0, 4294967296)"), "absurd shape"));
  EXPECT_TRUE(fails(shaped("(-1,)"), "negative"));
}

TEST(Npy, NoPrefixOfAFileIsRead) {
  std::string file = makeFile("<f4", "False", "(2, 1)", "12345678");
  ASSERT_EQ(errorOf(file), "");
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_TRUE(fails(llvm::StringRef(file).take_front(size), "")) << size;
}

TEST(Npy, NoChangedHeaderByteCrashes) {
  std::string file = makeFile("<f4", "False", "(2, 1)", "12345678");
  for (size_t at = 0; at < file.size() - 8; ++at) {
    for (char value :
         {'\0', '\n', '\'', '(', ')', ',', '9', '{', '}', '\xff'}) {
      std::string changed = file;
      changed[at] = value;
      llvm::consumeError(parseNpy(changed, "a.npy").takeError());
    }
  }
}

TEST(Npy, AFileThatIsNotThereIsNamed) {
  llvm::Expected<NpyArray> array = readNpy("/nowhere/x.npy");
  ASSERT_FALSE(static_cast<bool>(array));
  std::string message = llvm::toString(array.takeError());
  EXPECT_NE(message.find("cannot read '/nowhere/x.npy'"), std::string::npos);
}

TEST(Npy, ShapesAreReadable) {
  EXPECT_EQ(shapeString({}), "()");
  EXPECT_EQ(shapeString({3}), "3");
  EXPECT_EQ(shapeString({3, -1, 0}), "3x?x0");
}
