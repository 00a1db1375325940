//===- Sweep.cpp - Visit the layers of a network on data ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SweepState.h"

#include "prune/Execution/Elements.h"

#include "mlir/IR/Threading.h"

#include <mutex>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

Sweep::~Sweep() = default;

size_t Sweep::numBatches() const { return batches.size(); }

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<Sweep>>
Sweep::create(func::FuncOp function, ArrayRef<Weight> weights,
              std::vector<Input> data, const SweepOptions &options,
              SmallVectorImpl<std::pair<size_t, std::string>> &left) {
  std::unique_ptr<Sweep> sweep(new Sweep());
  sweep->context = function.getContext();
  sweep->data = std::move(data);
  sweep->options = options;
  if (Error error = sweep->takeData(function))
    return std::move(error);
  if (Error error = sweep->cut(function, weights, left))
    return std::move(error);
  sweep->makeRoom();
  return sweep;
}

void Sweep::makeRoom() {
  store = ActivationStore::create(options.maxBytes);
  changed.resize(network->constants().size());
  for (Batch &batch : batches) {
    batch.dense.resize(network->numValues());
    batch.pruned.resize(network->numValues());
  }
}

Expected<std::unique_ptr<Sweep>> Sweep::onData(func::FuncOp function,
                                               std::vector<Input> data) const {
  std::unique_ptr<Sweep> sweep(new Sweep());
  sweep->context = context;
  sweep->data = std::move(data);
  sweep->options = options;
  sweep->network = network;
  sweep->layers = layers;
  if (Error error = sweep->takeData(function))
    return std::move(error);
  sweep->makeRoom();
  return sweep;
}

Error Sweep::cut(func::FuncOp function, ArrayRef<Weight> weights,
                 SmallVectorImpl<std::pair<size_t, std::string>> &left) {
  struct Place {
    size_t layer, use;
    Operation *op;
    OpOperand *input;
  };
  SmallVector<Place> places;
  for (auto [index, weight] : llvm::enumerate(weights)) {
    Layer layer;
    layer.weight = index;
    layer.name = weight.name;
    layer.type = weight.getType();
    layer.constant = weight.constants.front();
    std::string reason;
    if (!isa<DenseResourceElementsAttr>(weight.getValue())) {
      left.push_back({index, "has no name; run prune-prepare first"});
      continue;
    }
    for (const WeightUse &use : weight.uses) {
      Operation *op = use.operand->getOwner();
      if (op->getBlock() != &function.front()) {
        reason = "lies in a loop, a branch or another function";
        continue;
      }
      std::optional<LayerView> view = LayerView::get(use, layer.type, reason);
      if (!view)
        continue;
      if (!isa<FloatType>(getElementTypeOrSelf(view->input->get()))) {
        reason = "is multiplied with integers";
        continue;
      }
      places.push_back({layers.size(), layer.uses.size(), op, view->input});
      layer.uses.push_back({std::move(*view), 0});
    }
    // Values that fit some of what reads a weight would spoil the rest.
    if (layer.uses.size() == weight.uses.size()) {
      layers.push_back(std::move(layer));
      continue;
    }
    llvm::erase_if(places, [&](const Place &place) {
      return place.layer == layers.size();
    });
    left.push_back({index, reason});
  }
  llvm::sort(places, [](const Place &a, const Place &b) {
    return a.op->isBeforeInBlock(b.op);
  });
  SmallVector<Operation *> ops;
  SmallVector<OpOperand *> inputs;
  for (const Place &place : places) {
    ops.push_back(place.op);
    inputs.push_back(place.input);
  }
  auto cutNetwork = SegmentedNetwork::create(function, ops, inputs);
  if (!cutNetwork)
    return cutNetwork.takeError();
  network = std::move(*cutNetwork);
  std::vector<std::string> reasons(layers.size());
  for (Layer &layer : layers)
    layer.stage = ~0u;
  for (auto [i, place] : llvm::enumerate(places)) {
    Layer &layer = layers[place.layer];
    if (layer.stage != ~0u && layer.stage != network->stageOf(i))
      reasons[place.layer] = "is read several times, one after the other";
    layer.stage = network->stageOf(i);
    if (!network->isKnown(place.input->get()))
      reasons[place.layer] = "is multiplied with a constant";
    else
      layer.uses[place.use].input = network->numberOf(place.input->get());
  }
  std::vector<Layer> seen;
  for (auto [layer, reason] : llvm::zip_equal(layers, reasons))
    if (reason.empty())
      seen.push_back(std::move(layer));
    else
      left.push_back({layer.weight, reason});
  layers = std::move(seen);
  llvm::sort(layers, [](const Layer &a, const Layer &b) {
    return std::tie(a.stage, a.weight) < std::tie(b.stage, b.weight);
  });
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

Expected<std::vector<Sweep::Tensor>>
Sweep::call(const NetworkSegment &segment, const std::vector<Tensor> &values,
            bool isDense) {
  std::vector<PortView> arguments;
  std::vector<std::shared_ptr<NpyArray>> arrays;
  for (unsigned input : segment.inputs) {
    Expected<std::shared_ptr<NpyArray>> array = values[input].stored->get();
    if (!array)
      return array.takeError();
    arguments.push_back({(*array)->bytes().data(), (*array)->shape()});
    arrays.push_back(std::move(*array));
  }
  // Constants of which one element is stored, in full.
  std::vector<AsmResourceBlob> whole;
  for (unsigned number : segment.constants) {
    DenseResourceElementsAttr value = network->constants()[number];
    ArrayRef<char> bytes = changed[number];
    if (isDense || bytes.empty()) {
      ConstantBytes own = *getConstantBytes(value);
      bytes = own.data;
      if (own.isSplat)
        bytes = whole.emplace_back(copyElements(value)).getData();
    }
    arguments.push_back({const_cast<char *>(bytes.data()),
                         cast<RankedTensorType>(value.getType()).getShape()});
  }
  auto invocation = segment.program->bind(arguments);
  if (!invocation)
    return invocation.takeError();
  (*invocation)->call();
  std::vector<Tensor> results;
  for (auto [i, port] : llvm::enumerate(segment.program->results())) {
    Expected<NpyArray> array =
        NpyArray::make("a tensor of the network", memoryTypeOf(port.element),
                       (*invocation)->resultShape(i));
    if (!array)
      return array.takeError();
    (*invocation)->copyResult(i, array->bytes().data());
    auto stored = store->put(std::move(*array));
    if (!stored)
      return stored.takeError();
    results.push_back({std::move(*stored), port.element});
  }
  return std::move(results);
}

Error Sweep::runSegment(const NetworkSegment &segment, Batch &batch) {
  Expected<std::vector<Tensor>> dense = call(segment, batch.dense, true);
  if (!dense)
    return dense.takeError();
  bool isSame = llvm::all_of(segment.inputs,
                             [&](unsigned input) {
                               return batch.dense[input].stored ==
                                      batch.pruned[input].stored;
                             }) &&
                llvm::all_of(segment.constants, [&](unsigned number) {
                  return changed[number].empty();
                });
  std::vector<Tensor> pruned;
  if (isSame) {
    pruned = *dense;
  } else {
    Expected<std::vector<Tensor>> other = call(segment, batch.pruned, false);
    if (!other)
      return other.takeError();
    pruned = std::move(*other);
  }
  for (auto [i, output] : llvm::enumerate(segment.outputs)) {
    batch.dense[output] = std::move((*dense)[i]);
    batch.pruned[output] = std::move(pruned[i]);
  }
  for (unsigned input : segment.dead)
    batch.dense[input] = batch.pruned[input] = {};
  return Error::success();
}

/// Calls `body` for each batch from `begin` on, several at once.
Error Sweep::forEachBatch(size_t begin,
                          llvm::function_ref<Error(size_t)> body) {
  std::mutex mutex;
  Error failed = Error::success();
  mlir::parallelFor(context, begin, batches.size(), [&](size_t i) {
    if (Error error = body(i)) {
      std::lock_guard<std::mutex> lock(mutex);
      failed = llvm::joinErrors(std::move(failed), std::move(error));
    }
  });
  return failed;
}

Error Sweep::run(llvm::function_ref<Error(const SweptLayer &)> visit,
                 llvm::function_ref<bool(size_t)> wants) {
  for (Batch &batch : batches) {
    if (Error error = giveArguments(batch, batch.dense))
      return error;
    batch.pruned = batch.dense;
  }
  size_t next = 0;
  for (unsigned stage = 0; next < layers.size(); ++stage) {
    const NetworkSegment &segment = network->segments()[stage];
    if (Error error = forEachBatch(
            0, [&](size_t i) { return runSegment(segment, batches[i]); }))
      return error;
    for (; next < layers.size() && layers[next].stage == stage; ++next) {
      if (wants && !wants(layers[next].weight))
        continue;
      if (options.progress)
        options.progress(layers[next].name, next, layers.size());
      Expected<SweptLayer> layer = summarize(layers[next]);
      if (!layer)
        return layer.takeError();
      if (Error error = visit(*layer))
        return error;
    }
  }
  for (Batch &batch : batches)
    for (size_t i = 0; i < batch.dense.size(); ++i)
      batch.dense[i] = batch.pruned[i] = {};
  return Error::success();
}

Error Sweep::evaluateFrom(unsigned stage, bool isDense, Samples which,
                          TakeResults take) {
  size_t begin = which == Samples::All ? 0 : firstHeldOut();
  return forEachBatch(begin, [&](size_t i) -> Error {
    std::vector<Tensor> values = batches[i].dense;
    if (stage == 0)
      if (Error error = giveArguments(batches[i], values))
        return error;
    for (const NetworkSegment &segment :
         network->segments().drop_front(stage)) {
      Expected<std::vector<Tensor>> made = call(segment, values, isDense);
      if (!made)
        return made.takeError();
      for (auto [output, tensor] : llvm::zip_equal(segment.outputs, *made))
        values[output] = std::move(tensor);
      for (unsigned input : segment.dead)
        values[input] = {};
    }
    std::vector<std::shared_ptr<NpyArray>> arrays;
    SmallVector<const NpyArray *> results;
    for (unsigned number : network->results()) {
      Expected<std::shared_ptr<NpyArray>> array = values[number].stored->get();
      if (!array)
        return array.takeError();
      results.push_back(array->get());
      arrays.push_back(std::move(*array));
    }
    return take(i, batches[i].begin, results);
  });
}

Error Sweep::evaluate(bool isDense, Samples which, TakeResults take) {
  return evaluateFrom(0, isDense, which, take);
}

Error Sweep::evaluateBehind(unsigned stage, Samples which, TakeResults take) {
  return evaluateFrom(stage + 1, /*isDense=*/false, which, take);
}

/// The last block of batches, which is kept apart.
size_t Sweep::firstHeldOut() const {
  return batches.size() * (kSweepBlocks - 1) / kSweepBlocks;
}
