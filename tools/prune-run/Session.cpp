//===- Session.cpp - Run a model on inputs, slice by slice ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slice is a view of the input; only the last one, if it is too short for a
// function of static batch, is a copy, filled up with its last sample (zeros
// might divide by zero). What comes of the filling is cut off again.
//
//===----------------------------------------------------------------------===//

#include "Session.h"

#include "Elements.h"

#include "llvm/Support/MathExtras.h"

#include <chrono>
#include <cstring>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {
/// How many samples there are, and how many go into one call.
struct Plan {
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

static Expected<Plan> makePlan(const Model &model, ArrayRef<Input> inputs,
                               const Batching &batching) {
  Plan plan;
  for (auto [port, input] : llvm::zip_equal(model.arguments, inputs)) {
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
  return std::move(plan);
}

/// Cuts samples [begin, begin + slice.samples) out of the inputs.
static Expected<Slice> makeSlice(const Plan &plan, ArrayRef<Input> inputs,
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
static Expected<NpyArray> makeResult(const Port &port, const Plan &plan,
                                     ArrayRef<int64_t> shapeOfCall) {
  SmallVector<int64_t> shape(shapeOfCall);
  if (plan.isSliced())
    shape[0] = plan.samples;
  return NpyArray::make(port.description,
                        port.isBFloat ? NpyType::I16 : port.type, shape);
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
static Error collect(const Model &model, const Plan &plan, const Slice &slice,
                     int64_t begin, const Invocation &invocation,
                     std::vector<NpyArray> &results) {
  int64_t given = plan.fixed ? plan.batch : slice.samples;
  for (auto [i, port] : llvm::enumerate(model.results)) {
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

Expected<Outcome> mlir::prune::runModel(const Model &model,
                                        ArrayRef<Input> inputs,
                                        const Batching &batching,
                                        const Timing &timing) {
  if (Error error = checkInputs(model, inputs, batching))
    return std::move(error);
  Expected<Plan> plan = makePlan(model, inputs, batching);
  if (!plan)
    return plan.takeError();
  SmallVector<PortType> argumentTypes, resultTypes;
  for (const Port &port : model.arguments)
    argumentTypes.push_back(port.portType());
  for (const Port &port : model.results)
    resultTypes.push_back(port.portType());

  Outcome outcome;
  HeapUse before = liveHeap();
  std::vector<NpyArray> results;
  for (int64_t call = 0, e = plan->calls(); call < e; ++call) {
    int64_t begin = call * plan->batch;
    Expected<Slice> slice = makeSlice(*plan, inputs, begin);
    if (!slice)
      return slice.takeError();
    auto invocation = model.runner->bind(model.entry, argumentTypes,
                                         resultTypes, slice->views);
    if (!invocation)
      return invocation.takeError();
    for (unsigned i = 0; call == 0 && i < timing.warmup; ++i)
      (*invocation)->call();
    for (unsigned i = 0; i < timing.repeat; ++i)
      outcome.microseconds.push_back(timeCall(**invocation));
    if (Error error =
            collect(model, *plan, *slice, begin, **invocation, results))
      return std::move(error);
  }
  HeapUse after = liveHeap();
  outcome.leaked = {after.allocations - before.allocations,
                    after.bytes - before.bytes};
  for (auto [port, result] : llvm::zip_equal(model.results, results)) {
    Expected<NpyArray> widened =
        port.isBFloat ? fromBFloat(result) : std::move(result);
    if (!widened)
      return widened.takeError();
    outcome.results.push_back(std::move(*widened));
  }
  return std::move(outcome);
}
