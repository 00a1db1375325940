//===- ProcessorTest.cpp --------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/Processor.h"
#include "prune/Core/Npy.h"
#include "prune/Core/Support/Memory.h"

#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir::prune;

/// A level says everything by its name.
TEST(Processor, Levels) {
  struct {
    const char *name;
    unsigned bits;
    bool isModern;
  } levels[] = {{"x86-64-v2", 128, false},
                {"x86-64-v3", 256, true},
                {"x86-64-v4", 512, true}};
  for (auto &level : levels) {
    llvm::Expected<Processor> processor = Processor::get(level.name);
    ASSERT_TRUE(bool(processor));
    EXPECT_EQ(processor->name, level.name);
    EXPECT_EQ(processor->features, "");
    EXPECT_EQ(processor->vectorBits, level.bits);
    EXPECT_EQ(processor->hasFMA, level.isModern);
    EXPECT_EQ(processor->hasF16C, level.isModern);
    llvm::Error error = processor->checkRunsHere();
    EXPECT_EQ(bool(error), !processor->missing.empty());
    llvm::consumeError(std::move(error));
  }
}

/// This machine runs what is made for it, and has what each level that it runs
/// has.
TEST(Processor, Native) {
  llvm::Expected<Processor> native = Processor::get("native");
  ASSERT_TRUE(bool(native));
  EXPECT_EQ(native->missing, "");
  EXPECT_FALSE(bool(native->checkRunsHere()));
  for (const char *name : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    llvm::Expected<Processor> level = Processor::get(name);
    ASSERT_TRUE(bool(level));
    if (!level->missing.empty())
      continue;
    EXPECT_GE(native->vectorBits, level->vectorBits);
    EXPECT_GE(native->hasFMA, level->hasFMA);
    EXPECT_GE(native->hasF16C, level->hasF16C);
  }
}

/// The variable stands in for no name, and not for another.
TEST(Processor, Variable) {
  const char *before = std::getenv("PRUNE_CPU");
  std::string kept = before ? before : "";
  ::setenv("PRUNE_CPU", "x86-64-v2", 1);
  EXPECT_EQ(llvm::cantFail(Processor::get()).name, "x86-64-v2");
  EXPECT_EQ(llvm::cantFail(Processor::get("x86-64-v3")).name, "x86-64-v3");
  ::setenv("PRUNE_CPU", "z80", 1);
  llvm::Expected<Processor> unknown = Processor::get();
  ASSERT_FALSE(bool(unknown));
  EXPECT_NE(llvm::toString(unknown.takeError()).find("PRUNE_CPU is 'z80'"),
            std::string::npos);
  ::setenv("PRUNE_CPU", "", 1);
  EXPECT_EQ(llvm::cantFail(Processor::get()).name,
            llvm::cantFail(Processor::get("native")).name);
  before ? ::setenv("PRUNE_CPU", kept.c_str(), 1) : ::unsetenv("PRUNE_CPU");
}

TEST(Memory, Units) {
  EXPECT_EQ(byteString(0), "0 B");
  EXPECT_EQ(byteString(1023), "1023 B");
  EXPECT_EQ(byteString(1024), "1.0 KiB");
  EXPECT_EQ(byteString(4000000000000), "3.6 TiB");
  EXPECT_EQ(byteString(~uint64_t(0)), "16.0 EiB");
}

/// What is larger than the machine is refused by name, whatever the system
/// would promise.
TEST(Memory, Limits) {
  EXPECT_FALSE(bool(checkMemory("x", machineMemory())));
  llvm::Expected<NpyArray> array =
      NpyArray::make("'x.npy'", NpyType::F32, {1000000, 1000000, 1000});
  ASSERT_FALSE(bool(array));
  EXPECT_NE(llvm::toString(array.takeError())
                .find("'x.npy' needs 3.6 PiB, but this machine has "),
            std::string::npos);
  array =
      NpyArray::make("x", NpyType::F32, {int64_t(1) << 40, int64_t(1) << 40});
  ASSERT_FALSE(bool(array));
  EXPECT_EQ(llvm::toString(array.takeError()),
            "x has the absurd shape 1099511627776x1099511627776");
  array = NpyArray::make("x", NpyType::I16, {3, 0});
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->size(), 0);
}
