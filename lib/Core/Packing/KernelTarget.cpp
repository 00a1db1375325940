//===- KernelTarget.cpp - Machines that kernels are chosen for ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a unit of work costs on a machine: built in for three vector sizes, or
// read from a file that a calibration wrote. A file is input like any other, so
// every member is checked, and an unknown one is a mistake.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/KernelChoice.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace mlir::prune;

static constexpr llvm::StringLiteral kWorkNames[kNumWorks] = {
    "issue",        "products",           "loads",         "listed",
    "runs",         "mispredicted-exits", "tiles",         "sums",
    "l2-vectors",   "l3-vectors",         "l2-bytes",      "l3-bytes",
    "memory-bytes", "elements",           "panel-elements"};

llvm::StringRef mlir::prune::getName(Work work) {
  return kWorkNames[unsigned(work)];
}

/// Fitted on a processor with AVX-512; in the same order as the names.
static constexpr WorkAmounts kCycles = {0.564,   0.0,    0.41,  0.0,   0.0,
                                        8.94,    1.84,   2.86,  0.474, 0.563,
                                        0.00561, 0.0202, 0.161, 1.11,  0.45};

KernelTarget KernelTarget::get(int64_t vectorBits) {
  KernelTarget target;
  target.vectorBits = vectorBits;
  // AVX2 has 16 vector registers; AVX-512 and NEON have 32.
  target.registers = vectorBits == 256 ? 16 : 32;
  if (vectorBits < 512)
    target.l1Bytes = 32 << 10;
  target.cycles = kCycles;
  return target;
}

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

/// A whole number in [low, high].
static llvm::Error readInteger(const llvm::json::Value &value,
                               llvm::StringRef name, int64_t low, int64_t high,
                               int64_t &result) {
  std::optional<int64_t> number = value.getAsInteger();
  if (!number || *number < low || *number > high)
    return makeError("expects '" + name + "' to be a whole number in [" +
                     llvm::Twine(low) + ", " + llvm::Twine(high) + "]");
  result = *number;
  return llvm::Error::success();
}

static llvm::Error readCycles(const llvm::json::Value &value,
                              WorkAmounts &cycles) {
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    return makeError("expects 'cycles' to be an object of numbers");
  for (const auto &[key, member] : *object) {
    const auto *name = llvm::find(kWorkNames, llvm::StringRef(key));
    if (name == std::end(kWorkNames))
      return makeError(
          "unknown kind of work '" + llvm::StringRef(key) +
          "'; expects one of " +
          llvm::join(std::begin(kWorkNames), std::end(kWorkNames), ", "));
    std::optional<double> number = member.getAsNumber();
    if (!number || !std::isfinite(*number) || *number < 0 || *number > 1e6)
      return makeError("expects the cycles of '" + llvm::StringRef(key) +
                       "' to be a number in [0, 1000000]");
    cycles[name - kWorkNames] = *number;
  }
  return llvm::Error::success();
}

llvm::Expected<KernelTarget> KernelTarget::parse(llvm::StringRef json) {
  llvm::Expected<llvm::json::Value> root = llvm::json::parse(json);
  if (!root)
    return root.takeError();
  const llvm::json::Object *object = root->getAsObject();
  if (!object)
    return makeError("expects a JSON object");
  std::optional<int64_t> bits = object->getInteger("vector-bits");
  if (!bits || (*bits != 128 && *bits != 256 && *bits != 512))
    return makeError("expects 'vector-bits' to be 128, 256 or 512");
  KernelTarget target = get(*bits);
  static constexpr int64_t kMaxBytes = int64_t(1) << 40;
  for (const auto &[key, member] : *object) {
    auto read = [&, name = llvm::StringRef(key),
                 &value = member]() -> llvm::Error {
      if (name == "registers")
        return readInteger(value, name, 8, 64, target.registers);
      if (name == "l1-bytes")
        return readInteger(value, name, 1 << 10, kMaxBytes, target.l1Bytes);
      if (name == "l2-bytes")
        return readInteger(value, name, 1 << 10, kMaxBytes, target.l2Bytes);
      if (name == "l3-bytes")
        return readInteger(value, name, 1 << 10, kMaxBytes, target.l3Bytes);
      if (name == "cycles")
        return readCycles(value, target.cycles);
      if (name == "vector-bits")
        return llvm::Error::success();
      return makeError("unknown member '" + name +
                       "'; expects vector-bits, registers, l1-bytes, "
                       "l2-bytes, l3-bytes or cycles");
    };
    if (llvm::Error error = read())
      return std::move(error);
  }
  return target;
}
