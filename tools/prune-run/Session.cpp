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

/// One result of all calls so far.
struct Accumulator {
  SmallVector<int64_t> shape;
  std::vector<char> bytes;
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
static Slice makeSlice(const Plan &plan, ArrayRef<Input> inputs,
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
        NpyArray &copy = slice.copies.emplace_back(array.type(), shape);
        for (int64_t s = 0; s < given; ++s)
          std::memcpy(copy.bytes().data() + s * sampleBytes,
                      data + std::min(s, slice.samples - 1) * sampleBytes,
                      sampleBytes);
        data = copy.bytes().data();
      }
    }
    slice.shapes.push_back(std::move(shape));
    slice.views.push_back({data, {}});
  }
  for (auto [view, shape] : llvm::zip_equal(slice.views, slice.shapes))
    view.shape = shape;
  return slice;
}

/// Appends the results of a call, without what comes of filling up.
static Error collect(const Model &model, const Plan &plan, const Slice &slice,
                     const Invocation &invocation,
                     std::vector<Accumulator> &results) {
  int64_t given = plan.fixed ? plan.batch : slice.samples;
  for (auto [i, port] : llvm::enumerate(model.results)) {
    Accumulator &result = results[i];
    SmallVector<int64_t> shape(invocation.resultShape(i));
    NpyType type = port.isBFloat ? NpyType::I16 : port.type;
    std::optional<uint64_t> bytes = npyByteCount(type, shape);
    assert(bytes && "the result exists, so its size fits");
    if (plan.isSliced() && (shape.empty() || shape[0] != given))
      return createStringError("--batch: " + port.description + " is " +
                               shapeString(shape) + "; its first dimension " +
                               "should be the " + Twine(given) +
                               " samples of one call");
    size_t before = result.bytes.size();
    result.bytes.resize(before + *bytes);
    invocation.copyResult(i, result.bytes.data() + before);
    if (!plan.isSliced()) {
      result.shape = shape;
      continue;
    }
    result.bytes.resize(before + *bytes / given * slice.samples);
    shape[0] = slice.samples;
    if (result.shape.empty()) {
      result.shape = shape;
    } else if (ArrayRef(result.shape).drop_front() !=
               ArrayRef(shape).drop_front()) {
      return createStringError("--batch: " + port.description +
                               " has another shape in another call");
    } else {
      result.shape[0] += slice.samples;
    }
  }
  return Error::success();
}

static NpyArray finish(const Port &port, const Accumulator &result) {
  NpyArray array(port.isBFloat ? NpyType::I16 : port.type, result.shape);
  llvm::copy(result.bytes, array.bytes().begin());
  return port.isBFloat ? fromBFloat(array) : std::move(array);
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
  std::vector<Accumulator> results(model.results.size());
  for (int64_t call = 0, e = plan->calls(); call < e; ++call) {
    Slice slice = makeSlice(*plan, inputs, call * plan->batch);
    auto invocation = model.runner->bind(model.entry, argumentTypes,
                                         resultTypes, slice.views);
    if (!invocation)
      return invocation.takeError();
    for (unsigned i = 0; call == 0 && i < timing.warmup; ++i)
      (*invocation)->call();
    for (unsigned i = 0; i < timing.repeat; ++i)
      outcome.microseconds.push_back(timeCall(**invocation));
    if (Error error = collect(model, *plan, slice, **invocation, results))
      return std::move(error);
  }
  HeapUse after = liveHeap();
  outcome.leaked = {after.allocations - before.allocations,
                    after.bytes - before.bytes};
  for (auto [port, result] : llvm::zip_equal(model.results, results))
    outcome.results.push_back(finish(port, result));
  return std::move(outcome);
}
