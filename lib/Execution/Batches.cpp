//===- Batches.cpp - Run a program on a data set, batch by batch ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slice is a view of the input; only the last one, if it is too short for a
// function of static batch, is a copy, filled up with its last sample (zeros
// might divide by zero). What comes of the filling is cut off again.
//
//===----------------------------------------------------------------------===//

#include "prune/Execution/Batches.h"

#include "prune/Execution/Elements.h"

#include "llvm/Support/MathExtras.h"

#include <chrono>
#include <cstring>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static bool fits(ArrayRef<int64_t> expected, ArrayRef<int64_t> actual) {
  return expected.size() == actual.size() &&
         llvm::all_of_zip(expected, actual, [](int64_t e, int64_t a) {
           return e == -1 || e == a;
         });
}

bool mlir::prune::isSliced(const Port &port, const Input &input,
                           const Batching &batching) {
  ArrayRef<int64_t> shape = input.array.shape();
  if (!batching.enabled || port.shape.empty() || shape.empty() ||
      !fits(ArrayRef(port.shape).drop_front(), shape.drop_front()))
    return false;
  return port.shape[0] == -1 ? batching.size > 0 : port.shape[0] != shape[0];
}

static bool typesFit(const Port &port, const Input &input) {
  if (input.isBFloat || port.element == ElementType::BF16)
    return input.isBFloat && port.element == ElementType::BF16;
  return isSameType(input.array.type(), fileTypeOf(port.element));
}

Error mlir::prune::checkInput(const Port &port, const Input &input,
                              StringRef source, const Batching &batching) {
  if (!typesFit(port, input) || (!fits(port.shape, input.array.shape()) &&
                                 !isSliced(port, input, batching)))
    return createStringError(
        source + " is " + shapeString(input.array.shape()) + " of " +
        (input.isBFloat ? "bfloat16" : typeName(input.array.type())) +
        ", but " + port.description + " is " + fileTypeText(port));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

namespace {
/// How many samples there are, and how many go into one call.
struct BatchPlan {
  std::vector<bool> sliced;
  int64_t samples = 0, batch = 0;
  /// Whether each call must have exactly `batch` samples.
  bool fixed = false;

  bool isSliced() const { return batch > 0; }
  int64_t calls() const {
    return isSliced() ? llvm::divideCeil(samples, batch) : 1;
  }
};

/// The arguments of one call: what they view and what they own.
struct Slice {
  std::vector<SmallVector<int64_t>> shapes;
  std::vector<PortView> views;
  std::vector<NpyArray> copies;
  int64_t samples = 0;
};
} // namespace

static Expected<BatchPlan> makePlan(const Program &program,
                                    ArrayRef<Input> inputs,
                                    const Batching &batching) {
  BatchPlan plan;
  for (auto [port, input] : llvm::zip_equal(program.arguments(), inputs)) {
    bool sliced = isSliced(port, input, batching);
    plan.sliced.push_back(sliced);
    if (!sliced)
      continue;
    bool fixed = port.shape[0] != -1;
    int64_t batch = fixed ? port.shape[0] : batching.size;
    int64_t samples = input.array.shape()[0];
    if (plan.isSliced() && (samples != plan.samples || batch != plan.batch))
      return createStringError(
          "--batch: " + port.description + " would be cut into slices of " +
          Twine(batch) + " out of " + Twine(samples) +
          " samples, another argument into " + Twine(plan.batch) + " out of " +
          Twine(plan.samples));
    if (batch == 0)
      return createStringError("--batch: " + port.description +
                               " takes no samples");
    plan.samples = samples;
    plan.batch = batch;
    plan.fixed |= fixed;
  }
  if (plan.isSliced() && plan.samples == 0)
    return createStringError("--batch: the inputs hold no samples");
  if (batching.wholeOnly && plan.fixed && plan.samples % plan.batch != 0)
    return createStringError(
        "--statistics: each call takes " + Twine(plan.batch) + " of " +
        Twine(plan.samples) +
        " samples, and what fills up the last call would be counted; give a "
        "multiple of " +
        Twine(plan.batch));
  return std::move(plan);
}

/// Cuts samples [begin, begin + slice.samples) out of the inputs.
static Expected<Slice> makeSlice(const BatchPlan &plan, ArrayRef<Input> inputs,
                                 int64_t begin) {
  Slice slice;
  slice.samples =
      plan.isSliced() ? std::min(plan.batch, plan.samples - begin) : 0;
  int64_t given = plan.fixed ? plan.batch : slice.samples;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    const NpyArray &array = input.array;
    auto *data = const_cast<char *>(array.bytes().data());
    SmallVector<int64_t> shape(array.shape());
    if (plan.sliced[i]) {
      size_t sampleBytes = array.bytes().size() / shape[0];
      data += begin * sampleBytes;
      shape[0] = given;
      if (given > slice.samples) {
        Expected<NpyArray> copy =
            NpyArray::make("--batch: one call", array.type(), shape);
        if (!copy)
          return copy.takeError();
        for (int64_t s = 0; s < given; ++s)
          std::memcpy(copy->bytes().data() + s * sampleBytes,
                      data + std::min(s, slice.samples - 1) * sampleBytes,
                      sampleBytes);
        data = copy->bytes().data();
        slice.copies.push_back(std::move(*copy));
      }
    }
    slice.shapes.push_back(std::move(shape));
    slice.views.push_back({data, {}});
  }
  for (auto [view, shape] : llvm::zip_equal(slice.views, slice.shapes))
    view.shape = shape;
  return std::move(slice);
}

/// Where a result of all calls together goes, once a call has shown its shape.
static Expected<NpyArray> makeResult(const Port &port, const BatchPlan &plan,
                                     ArrayRef<int64_t> shapeOfCall) {
  SmallVector<int64_t> shape(shapeOfCall);
  if (plan.isSliced())
    shape[0] = plan.samples;
  return NpyArray::make(port.description, memoryTypeOf(port.element), shape);
}

/// Whether a call gave what calls have to give.
static Error checkResult(const Port &port, int64_t samples,
                         ArrayRef<int64_t> shape) {
  if (!shape.empty() && shape[0] == samples)
    return Error::success();
  return createStringError("--batch: " + port.description + " is " +
                           shapeString(shape) +
                           "; its first dimension should be the " +
                           Twine(samples) + " samples of one call");
}

/// Puts the results of a call in their places, without what comes of filling
/// up.
static Error collect(const Program &program, const BatchPlan &plan,
                     const Slice &slice, int64_t begin,
                     const Invocation &invocation,
                     std::vector<NpyArray> &results) {
  int64_t given = plan.fixed ? plan.batch : slice.samples;
  for (auto [i, port] : llvm::enumerate(program.results())) {
    ArrayRef<int64_t> shape = invocation.resultShape(i);
    if (plan.isSliced())
      if (Error error = checkResult(port, given, shape))
        return error;
    if (results.size() == i) {
      Expected<NpyArray> made = makeResult(port, plan, shape);
      if (!made)
        return made.takeError();
      results.push_back(std::move(*made));
    }
    NpyArray &result = results[i];
    char *out = result.bytes().data();
    if (!plan.isSliced()) {
      invocation.copyResult(i, out);
      continue;
    }
    if (result.shape().drop_front() != shape.drop_front())
      return createStringError("--batch: " + port.description +
                               " has another shape in another call");
    size_t sampleBytes = result.bytes().size() / plan.samples;
    out += begin * sampleBytes;
    if (given == slice.samples) {
      invocation.copyResult(i, out);
      continue;
    }
    Expected<NpyArray> filled =
        NpyArray::make(port.description, result.type(), shape);
    if (!filled)
      return filled.takeError();
    invocation.copyResult(i, filled->bytes().data());
    std::memcpy(out, filled->bytes().data(), slice.samples * sampleBytes);
  }
  return Error::success();
}

static double timeCall(Invocation &invocation) {
  invocation.freeResults();
  auto begin = std::chrono::steady_clock::now();
  invocation.call();
  std::chrono::duration<double, std::micro> time =
      std::chrono::steady_clock::now() - begin;
  return time.count();
}

Expected<Outcome> mlir::prune::runProgram(const Program &program,
                                          ArrayRef<Input> inputs,
                                          const Batching &batching,
                                          const Timing &timing) {
  Expected<BatchPlan> plan = makePlan(program, inputs, batching);
  if (!plan)
    return plan.takeError();
  Outcome outcome;
  HeapUse before = liveHeap();
  std::vector<NpyArray> results;
  for (int64_t call = 0, e = plan->calls(); call < e; ++call) {
    int64_t begin = call * plan->batch;
    Expected<Slice> slice = makeSlice(*plan, inputs, begin);
    if (!slice)
      return slice.takeError();
    auto invocation = program.bind(slice->views);
    if (!invocation)
      return invocation.takeError();
    for (unsigned i = 0; call == 0 && i < timing.warmup; ++i)
      (*invocation)->call();
    for (unsigned i = 0; i < timing.repeat; ++i)
      outcome.microseconds.push_back(timeCall(**invocation));
    if (Error error =
            collect(program, *plan, *slice, begin, **invocation, results))
      return std::move(error);
  }
  HeapUse after = liveHeap();
  outcome.leaked = {after.allocations - before.allocations,
                    after.bytes - before.bytes};
  for (auto [port, result] : llvm::zip_equal(program.results(), results)) {
    Expected<NpyArray> widened = port.element == ElementType::BF16
                                     ? fromBFloat(result)
                                     : std::move(result);
    if (!widened)
      return widened.takeError();
    outcome.results.push_back(std::move(*widened));
  }
  return std::move(outcome);
}
