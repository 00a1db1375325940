//===- SweepData.cpp - Cut data into batches for a sweep ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SweepState.h"

#include "prune/Execution/Elements.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// Makes data what the arguments take, as far as its type goes.
static Error fitData(ArrayRef<Port> ports, std::vector<Input> &data,
                     const Batching &batching) {
  for (auto [port, input] : llvm::zip_equal(ports, data)) {
    std::string source = "data for " + port.description;
    NpyType type = fileTypeOf(port.element);
    if (!input.isBFloat && !isSameType(input.array.type(), type) &&
        canConvert(input.array.type(), type)) {
      Expected<NpyArray> converted = convert(source, input.array, type);
      if (!converted)
        return converted.takeError();
      input.array = std::move(*converted);
    }
    if (port.element == ElementType::BF16 && !input.isBFloat &&
        input.array.type() == NpyType::F32) {
      Expected<NpyArray> narrow = toBFloat(input.array);
      if (!narrow)
        return narrow.takeError();
      input = {std::move(*narrow), true};
    }
    if (Error error = checkInput(port, input, source, batching))
      return error;
  }
  return Error::success();
}

Error Sweep::takeData(func::FuncOp function) {
  if (data.size() != function.getNumArguments())
    return createStringError("'" + function.getName() + "' takes " +
                             Twine(function.getNumArguments()) +
                             " inputs, but data is given for " +
                             Twine(data.size()));
  Expected<std::vector<Port>> ports = Program::argumentsOf(function);
  if (!ports)
    return ports.takeError();
  Batching batching{true, options.batch};
  if (Error error = fitData(*ports, data, batching))
    return error;
  int64_t size = 0;
  bool isFixed = false;
  for (auto [port, input] : llvm::zip_equal(*ports, data)) {
    elements.push_back(port.element);
    isSliced.push_back(prune::isSliced(port, input, batching));
    if (!isSliced.back())
      continue;
    int64_t given = input.array.shape()[0];
    if (samples != 0 && given != samples)
      return createStringError("inputs have " + Twine(samples) + " and " +
                               Twine(given) +
                               " samples; expected as many of each");
    samples = given;
    isFixed |= port.shape[0] != -1;
    size = isFixed ? port.shape[0] : options.batch;
  }
  // Without slices, all of it in one call.
  if (size == 0)
    size = samples = 1;
  for (int64_t begin = 0; begin < samples; begin += size) {
    int64_t count = std::min(size, samples - begin);
    if (count < size && isFixed)
      break;
    Batch &batch = batches.emplace_back();
    batch.begin = begin;
    batch.size = count;
  }
  if (batches.empty())
    return createStringError("there are " + Twine(samples) +
                             " samples, but one call takes " + Twine(size));
  return Error::success();
}

/// Cuts the samples of a batch out of the data.
Error Sweep::giveArguments(const Batch &batch,
                           std::vector<Tensor> &values) const {
  for (auto [i, input] : llvm::enumerate(data)) {
    SmallVector<int64_t> shape(input.array.shape());
    ArrayRef<char> bytes = input.array.bytes();
    if (isSliced[i]) {
      size_t sample = bytes.size() / shape[0];
      shape[0] = batch.size;
      bytes = bytes.slice(batch.begin * sample, batch.size * sample);
    }
    NpyArray copy(input.array.type(), shape);
    llvm::copy(bytes, copy.bytes().begin());
    auto stored = store->put(std::move(copy));
    if (!stored)
      return stored.takeError();
    values[i] = {std::move(*stored), elements[i]};
  }
  return Error::success();
}
