//===- Sweep.cpp - Visit the layers of a network on data ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/Sweep.h"

#include "ActivationStore.h"

#include "prune/Core/Packing/LevelStorage.h"
#include "prune/Execution/Elements.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"

#include <mutex>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// Blocks of samples that are summed apart.
static constexpr size_t kBlocks = 4;

/// A layer that is looked at, and the uses of its weight whose inputs are known
/// when its turn comes.
struct Sweep::Layer {
  size_t weight;
  std::string name;
  unsigned stage = 0;
  RankedTensorType type;
  struct Use {
    LayerView view;
    unsigned input;
  };
  std::vector<Use> uses;
  Operation *constant;
};

/// What crosses a cut.
struct Sweep::Tensor {
  std::shared_ptr<ScratchTensor> stored;
  ElementType element;
};

/// The tensors of some samples in both networks, by the numbers of values.
struct Sweep::Batch {
  int64_t begin = 0, size = 0;
  std::vector<Tensor> dense, pruned;
};

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
      if (!view || !isa<FloatType>(getElementTypeOrSelf(view->input->get())))
        continue;
      places.push_back({layers.size(), layer.uses.size(), op, view->input});
      layer.uses.push_back({std::move(*view), 0});
    }
    if (layer.uses.empty())
      left.push_back({index, reason});
    else
      layers.push_back(std::move(layer));
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
// Data
//===----------------------------------------------------------------------===//

static ElementType elementOf(const Input &input) {
  if (input.isBFloat)
    return ElementType::BF16;
  switch (input.array.type()) {
  case NpyType::Bool:
    return ElementType::Bool;
  case NpyType::I8:
    return ElementType::I8;
  case NpyType::U8:
    return ElementType::U8;
  case NpyType::I16:
    return ElementType::I16;
  case NpyType::I32:
    return ElementType::I32;
  case NpyType::I64:
    return ElementType::I64;
  case NpyType::F16:
    return ElementType::F16;
  case NpyType::F32:
    return ElementType::F32;
  case NpyType::F64:
    return ElementType::F64;
  }
  llvm_unreachable("all types are listed");
}

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
    values[i] = {std::move(*stored), elementOf(input)};
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// All elements of a constant of which one is stored.
static std::vector<char> repeat(const ConstantBytes &bytes,
                                ElementsAttr value) {
  std::vector<char> all;
  for (int64_t i = 0, e = value.getNumElements(); i < e; ++i)
    all.insert(all.end(), bytes.data.begin(),
               bytes.data.begin() + bytes.elementSize);
  return all;
}

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
  std::vector<std::vector<char>> whole;
  whole.reserve(segment.constants.size());
  for (unsigned number : segment.constants) {
    DenseResourceElementsAttr value = network->constants()[number];
    ArrayRef<char> bytes = changed[number];
    if (isDense || bytes.empty()) {
      ConstantBytes own = *getConstantBytes(value);
      bytes = own.data;
      if (own.isSplat)
        bytes = whole.emplace_back(repeat(own, value));
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
  return batches.size() * (kBlocks - 1) / kBlocks;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

static FloatKind kindOf(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return FloatKind::F64;
  case ElementType::F16:
    return FloatKind::F16;
  case ElementType::BF16:
    return FloatKind::BF16;
  default:
    return FloatKind::F32;
  }
}

/// The elements of an array as f32; `copy` holds them if they are of another
/// type.
static const float *asFloats(const NpyArray &array, ElementType element,
                             std::vector<char> &copy) {
  if (element == ElementType::F32)
    return reinterpret_cast<const float *>(array.bytes().data());
  copy = convertElements(kindOf(element), FloatKind::F32, array.bytes());
  return reinterpret_cast<const float *>(copy.data());
}

Error Sweep::addTo(LayerPart &part, const Layer &layer, size_t use,
                   LayerStatistics &statistics, const Batch &batch) const {
  unsigned input = layer.uses[use].input;
  const Tensor &pruned = batch.pruned[input], &dense = batch.dense[input];
  Expected<std::shared_ptr<NpyArray>> own = pruned.stored->get();
  if (!own)
    return own.takeError();
  std::shared_ptr<NpyArray> other = *own;
  if (pruned.stored != dense.stored) {
    Expected<std::shared_ptr<NpyArray>> read = dense.stored->get();
    if (!read)
      return read.takeError();
    other = std::move(*read);
  }
  Patches patches(part.view.layout, (*own)->shape());
  std::vector<char> copies[2];
  const float *inputs = asFloats(**own, pruned.element, copies[0]);
  statistics.add(patches, inputs,
                 other == *own ? inputs
                               : asFloats(*other, dense.element, copies[1]));
  return Error::success();
}

Expected<SweptLayer> Sweep::summarize(const Layer &layer) {
  SweptLayer swept;
  swept.weight = layer.weight;
  swept.stage = layer.stage;
  std::vector<double> values(layer.type.getNumElements());
  Attribute constant;
  matchPattern(layer.constant, m_Constant(&constant));
  getTensorView(constant)->load(0, values);
  std::vector<SmallVector<size_t>> usesOf;
  for (auto [u, use] : llvm::enumerate(layer.uses)) {
    size_t p = 0;
    while (p < swept.parts.size() &&
           swept.parts[p].view.elements != use.view.elements)
      ++p;
    if (p == swept.parts.size()) {
      std::vector<float> own;
      for (int64_t element : use.view.elements)
        own.push_back(values[element]);
      LayerStatistics none(use.view.groups, use.view.rows, use.view.columns,
                           own);
      swept.parts.push_back({use.view, none, none});
      usesOf.emplace_back();
    }
    usesOf[p].push_back(u);
  }
  // Sums of the parts, by block.
  std::vector<LayerStatistics> none;
  for (const LayerPart &part : swept.parts)
    none.push_back(part.statistics);
  std::vector<std::vector<LayerStatistics>> blocks(kBlocks, none);
  std::mutex mutex;
  Error failed = Error::success();
  mlir::parallelFor(context, 0, kBlocks, [&](size_t block) {
    size_t begin = batches.size() * block / kBlocks;
    size_t end = batches.size() * (block + 1) / kBlocks;
    for (size_t i = begin; i < end; ++i)
      for (auto [part, sums, uses] :
           llvm::zip_equal(swept.parts, blocks[block], usesOf))
        for (size_t use : uses)
          if (Error error = addTo(part, layer, use, sums, batches[i])) {
            std::lock_guard<std::mutex> lock(mutex);
            failed = llvm::joinErrors(std::move(failed), std::move(error));
          }
  });
  if (failed)
    return std::move(failed);
  for (std::vector<LayerStatistics> &block : blocks)
    for (auto [part, sums] : llvm::zip_equal(swept.parts, block))
      part.statistics.merge(sums);
  for (auto [part, sums] : llvm::zip_equal(swept.parts, blocks.back()))
    part.heldOut = std::move(sums);
  return std::move(swept);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

void Sweep::set(Operation *constant, ArrayRef<double> values) {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  Type type = network->constants()[*number].getElementType();
  changed[*number] = convertElements(
      FloatKind::F64, *getFloatKind(type),
      {reinterpret_cast<const char *>(values.data()), values.size() * 8});
}

std::vector<double> Sweep::get(Operation *constant) const {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  TensorView view = *getTensorView(network->constants()[*number]);
  if (!changed[*number].empty()) {
    view.data = changed[*number];
    view.splat = false;
  }
  std::vector<double> values(view.size());
  view.load(0, values);
  return values;
}

std::vector<double> Sweep::getDense(Operation *constant) const {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  TensorView view = *getTensorView(network->constants()[*number]);
  std::vector<double> values(view.size());
  view.load(0, values);
  return values;
}

std::vector<char> Sweep::getBytes(Operation *constant) const {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  if (!changed[*number].empty())
    return changed[*number];
  DenseResourceElementsAttr value = network->constants()[*number];
  ConstantBytes bytes = *getConstantBytes(value);
  return bytes.isSplat ? repeat(bytes, value) : bytes.data.vec();
}

void Sweep::reset() {
  for (std::vector<char> &bytes : changed)
    bytes.clear();
}

std::vector<ConstantChange> Sweep::changes() const {
  std::vector<ConstantChange> all;
  for (auto [number, bytes] : llvm::enumerate(changed))
    if (!bytes.empty())
      all.push_back({unsigned(number), bytes});
  return all;
}

void Sweep::apply(ArrayRef<ConstantChange> changes) {
  for (const ConstantChange &change : changes)
    changed[change.constant] = change.bytes;
}

void Sweep::visitChanged(
    llvm::function_ref<void(DenseResourceElementsAttr, ArrayRef<char>)> visit) {
  for (auto [constant, bytes] : llvm::zip_equal(network->constants(), changed))
    if (!bytes.empty())
      visit(constant, bytes);
}
