//===- Processor.cpp - What code is compiled for --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM knows which instructions a level of x86-64 has, and which this machine
// has. Both are lists of features, so everything else follows from them in the
// same way. Lists leave out what others imply: 512-bit instructions on bytes
// (avx512bw) imply those on words (avx512f).
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/Processor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <cstdlib>

using namespace llvm;
using namespace mlir::prune;

static constexpr StringLiteral kLevels[] = {"x86-64-v2", "x86-64-v3",
                                            "x86-64-v4"};

static void describe(ArrayRef<StringRef> features, Processor &processor) {
  auto has = [&](StringRef name) { return is_contained(features, name); };
  processor.hasFMA = has("fma");
  processor.hasF16C = has("f16c");
  bool isWidest = any_of(
      features, [](StringRef name) { return name.starts_with("avx512"); });
  bool isWide = has("avx2") && processor.hasFMA;
  processor.vectorBits = isWidest ? 512 : isWide ? 256 : 128;
}

static Processor getNative() {
  Processor processor;
  processor.name = sys::getHostCPUName().str();
  StringMap<bool> host = sys::getHostCPUFeatures();
  SmallVector<StringRef> features;
  SmallVector<std::string> words;
  for (const auto &[name, enabled] : host) {
    words.push_back((enabled ? "+" : "-") + name.str());
    if (enabled)
      features.push_back(name);
  }
  sort(words);
  processor.features = join(words, ",");
  describe(features, processor);
  // Every AArch64 processor has both, under no name.
  if (Triple(sys::getProcessTriple()).isAArch64())
    processor.hasFMA = processor.hasF16C = true;
  return processor;
}

static Processor getLevel(StringRef name) {
  Processor processor;
  processor.name = name.str();
  SmallVector<StringRef> features, base, missing;
  X86::getFeaturesForCPU(name, features);
  X86::getFeaturesForCPU("x86-64", base);
  describe(features, processor);
  StringMap<bool> host = sys::getHostCPUFeatures();
  for (StringRef feature : features)
    if (!is_contained(base, feature) && !host.lookup(feature))
      missing.push_back(feature);
  processor.missing = join(missing, ", ");
  return processor;
}

/// What the environment says; empty if nothing.
static StringRef getVariable() {
  const char *variable = std::getenv(kProcessorVariable.data());
  return variable ? variable : "";
}

std::string Processor::chooseName(StringRef name) {
  if (name.empty())
    name = getVariable();
  return name.empty() ? "native" : name.str();
}

Expected<Processor> Processor::get(StringRef given) {
  std::string name = chooseName(given);
  if (name == "native")
    return getNative();
  if (is_contained(kLevels, name))
    return getLevel(name);
  return createStringError(Twine(given.empty() ? "PRUNE_CPU is '" : "got '") +
                           name +
                           "'; expected native, x86-64-v2, x86-64-v3 or "
                           "x86-64-v4");
}

Expected<Processor> Processor::getDefault() {
  return getVariable().empty() ? Processor() : get();
}

Error Processor::checkRunsHere() const {
  if (missing.empty())
    return Error::success();
  return createStringError("this machine cannot run code for " + name +
                           ": it lacks " + missing);
}
