//===- CollectStatistics.cpp - What observers see -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics are summed by feature of a product and recorded by element of the
// weight, whatever the layout: a tensor of the weight's shape, with 1 along
// each dimension that makes no difference. Products that read other elements of
// the weight, or the same ones for other inputs, are put together element by
// element.
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/CollectStatistics.h"

#include "prune/IR/EditedDictionary.h"
#include "prune/IR/Prune.h"
#include "prune/IR/Records.h"
#include "prune/Transforms/Weights/Transforms.h"

#include "llvm/ADT/STLExtras.h"

#include <numeric>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Observers
//===----------------------------------------------------------------------===//

void StatisticsCollector::addWeight(const Weight &weight) {
  ObservedWeight observed{weight.name, weight.getType(), {}, {}};
  bool wants[8] = {};
  for (const WeightUse &use : weight.uses) {
    std::string reason;
    std::optional<LayerView> view =
        LayerView::get(use, weight.getType(), reason);
    auto op =
        view ? view->input->get().getDefiningOp<ObserveOp>() : ObserveOp();
    if (!op || op.getLayer() != weight.name)
      continue;
    for (StringRef name : op.getWhat().getAsValueRange<StringAttr>())
      wants[unsigned(*parseStatistic(name))] = true;
    // One observer may stand in front of several products.
    if (op.getNumber() && llvm::is_contained(observed.inputs, *op.getNumber()))
      continue;
    op.setNumber(inputs.size());
    observed.inputs.push_back(inputs.size());
    int64_t groups = view->groups, columns = view->columns;
    inputs.push_back(
        {weight.name, std::move(*view), FeatureStatistics(groups, columns)});
  }
  for (unsigned i = 0; i != std::size(wants); ++i)
    if (wants[i])
      observed.what.push_back(Statistic(i));
  if (llvm::is_contained(observed.what, Statistic::Gram))
    for (unsigned input : observed.inputs)
      inputs[input].statistics = FeatureStatistics(
          inputs[input].view.groups, inputs[input].view.columns, true);
  if (!observed.inputs.empty())
    weights.push_back(std::move(observed));
}

Expected<std::unique_ptr<StatisticsCollector>>
StatisticsCollector::create(ModuleOp module) {
  std::unique_ptr<StatisticsCollector> collector(new StatisticsCollector());
  module.walk([](ObserveOp op) { op.removeNumberAttr(); });
  WeightUses uses(module);
  for (const Weight &weight : uses.getWeights())
    collector->addWeight(weight);
  std::string lost;
  module.walk([&](ObserveOp op) {
    if (!op.getNumber() && lost.empty())
      lost = op.getLayer().str();
  });
  if (!lost.empty())
    return createStringError("the observer of '" + lost +
                             "' is not in front of a product with a weight of "
                             "that name");
  if (collector->inputs.empty())
    return createStringError(
        "the module has no observers; --pipeline=prune-insert-observers, or "
        "that pass of prune-opt, puts them in front of layers");
  return collector;
}

void StatisticsCollector::add(const ShownTensor &tensor) {
  if (tensor.number < 0 || size_t(tensor.number) >= inputs.size())
    return;
  Input &input = inputs[tensor.number];
  Patches patches(input.view.layout, tensor.shape);
  input.statistics.add(patches, tensor.read().data());
  if (bad.empty() && !input.statistics.isFinite())
    bad = input.layer;
}

//===----------------------------------------------------------------------===//
// The record
//===----------------------------------------------------------------------===//

/// Products that read the same elements for the same inputs and outputs.
struct mlir::prune::ObservedPart {
  FeatureStatistics statistics;
  /// For each element of the weight its feature and its output, or -1.
  std::vector<int64_t> features, outputs;
  /// For each column its place among those of the weight, in row-major order.
  std::vector<int64_t> places;
};

/// Fails if an element is multiplied by several inputs.
static bool readElements(const LayerView &view, ObservedPart &part) {
  for (auto [at, element] : llvm::enumerate(view.elements)) {
    int64_t output = at / view.columns;
    int64_t feature = output / view.rows * view.columns + at % view.columns;
    int64_t &known = part.features[element];
    if (known != -1 && known != feature)
      return false;
    known = feature;
    part.outputs[element] = output;
  }
  std::vector<int64_t> sorted(view.columns);
  std::iota(sorted.begin(), sorted.end(), 0);
  llvm::sort(sorted, [&](int64_t a, int64_t b) {
    return view.elements[a] < view.elements[b];
  });
  part.places.resize(view.columns);
  for (auto [place, column] : llvm::enumerate(sorted))
    part.places[column] = place;
  return true;
}

/// A tensor of f64, compact if all numbers are equal.
static DenseElementsAttr makeTensor(MLIRContext *context,
                                    ArrayRef<int64_t> shape,
                                    ArrayRef<double> values) {
  auto type = RankedTensorType::get(shape, Float64Type::get(context));
  return DenseElementsAttr::get(
      type, llvm::all_equal(values) ? values.take_front() : values);
}

namespace {
/// Writes what is known of elements as tensors that broadcast to the weight.
class ElementTensors {
public:
  ElementTensors(RankedTensorType type) : type(type) {}

  /// The numbers of elements, which are equal for those with equal `keys`.
  DenseElementsAttr make(ArrayRef<const std::vector<int64_t> *> keys,
                         function_ref<double(int64_t)> number) const;

private:
  bool matters(int64_t stride, int64_t extent,
               const std::vector<int64_t> &keys) const;

  RankedTensorType type;
};
} // namespace

/// Whether keys differ along a dimension.
bool ElementTensors::matters(int64_t stride, int64_t extent,
                             const std::vector<int64_t> &keys) const {
  for (auto [at, key] : llvm::enumerate(keys))
    if (key != keys[at - int64_t(at) / stride % extent * stride])
      return true;
  return false;
}

DenseElementsAttr
ElementTensors::make(ArrayRef<const std::vector<int64_t> *> keys,
                     function_ref<double(int64_t)> number) const {
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<int64_t> positions = {0};
  int64_t stride = 1;
  // From the last dimension to the first: positions stay in row-major order.
  for (size_t dim = shape.size(); dim-- > 0;) {
    int64_t extent = shape[dim];
    if (llvm::none_of(keys, [&](const std::vector<int64_t> *one) {
          return matters(stride, extent, *one);
        }))
      shape[dim] = 1;
    SmallVector<int64_t> next;
    for (int64_t i = 0; i != shape[dim]; ++i)
      for (int64_t position : positions)
        next.push_back(position + i * stride);
    positions = std::move(next);
    stride *= extent;
  }
  std::vector<double> values;
  for (int64_t position : positions)
    values.push_back(number(position));
  return makeTensor(type.getContext(), shape, values);
}

/// The numbers of inputs (`isInput`) or outputs, those of each part behind
/// those of the parts before.
static std::vector<int64_t> numberElements(ArrayRef<ObservedPart> parts,
                                           bool isInput, size_t size) {
  std::vector<int64_t> numbers(size, -1);
  int64_t begin = 0;
  for (const ObservedPart &part : parts) {
    int64_t columns = part.statistics.numColumns(), last = -1;
    for (size_t at = 0; at != size; ++at) {
      int64_t own = isInput ? part.features[at] : part.outputs[at];
      if (own == -1)
        continue;
      if (isInput)
        own += part.places[own % columns] - own % columns;
      last = std::max(last, own);
      if (numbers[at] == -1)
        numbers[at] = begin + own;
    }
    begin += last + 1;
  }
  return numbers;
}

/// [groups x columns x columns], columns in the order of the weight.
static DenseElementsAttr makeGram(MLIRContext *context,
                                  const ObservedPart &part) {
  int64_t columns = part.statistics.numColumns();
  std::vector<double> gram = part.statistics.gram(), sorted(gram.size());
  for (auto [at, product] : llvm::enumerate(gram)) {
    int64_t column = at % columns, row = at / columns % columns;
    int64_t group = at / columns / columns;
    sorted[(group * columns + part.places[row]) * columns +
           part.places[column]] = product;
  }
  return makeTensor(context, {part.statistics.numGroups(), columns, columns},
                    sorted);
}

Expected<std::vector<ObservedPart>>
StatisticsCollector::collectParts(const ObservedWeight &weight) const {
  size_t size = weight.type.getNumElements();
  std::vector<ObservedPart> parts;
  SmallVector<const LayerView *> views;
  for (unsigned number : weight.inputs) {
    const Input &input = inputs[number];
    auto *same = llvm::find_if(views, [&](const LayerView *view) {
      return view->elements == input.view.elements &&
             view->groups == input.view.groups &&
             view->columns == input.view.columns;
    });
    if (same != views.end()) {
      parts[same - views.begin()].statistics.merge(input.statistics);
      continue;
    }
    views.push_back(&input.view);
    ObservedPart &part =
        parts.emplace_back(ObservedPart{input.statistics,
                                        std::vector<int64_t>(size, -1),
                                        std::vector<int64_t>(size, -1),
                                        {}});
    if (!readElements(input.view, part))
      return createStringError("weight '" + weight.name +
                               "' has an element that multiplies several "
                               "inputs of one product; exclude it");
  }
  return std::move(parts);
}

Expected<DictionaryAttr>
StatisticsCollector::makeRecord(const ObservedWeight &weight) const {
  size_t size = weight.type.getNumElements();
  Expected<std::vector<ObservedPart>> collected = collectParts(weight);
  if (!collected)
    return collected.takeError();
  ArrayRef<ObservedPart> parts = *collected;
  MLIRContext *context = weight.type.getContext();
  ElementTensors tensors(weight.type);
  NamedAttrList entries;
  SmallVector<const std::vector<int64_t> *> features;
  for (const ObservedPart &part : parts)
    features.push_back(&part.features);
  for (Statistic statistic : weight.what) {
    StringRef name = getStatisticNames()[unsigned(statistic)];
    if (statistic == Statistic::Gram) {
      if (parts.size() != 1)
        return createStringError("weight '" + weight.name +
                                 "' is used in several ways and has no one "
                                 "Gram matrix; leave 'gram' out");
      entries.set(name, makeGram(context, parts.front()));
      continue;
    }
    entries.set(name, tensors.make(features, [&](int64_t at) {
      FeatureSums sums;
      for (const ObservedPart &part : parts)
        if (part.features[at] != -1)
          sums.merge(part.statistics.get(part.features[at]));
      return sums.get(statistic);
    }));
  }
  for (bool isInput : {true, false}) {
    std::vector<int64_t> numbers = numberElements(parts, isInput, size);
    entries.set(isInput ? "input_index" : "output_index",
                tensors.make({&numbers},
                             [&](int64_t at) { return double(numbers[at]); }));
  }
  return entries.getDictionary(context);
}

Error StatisticsCollector::finish(ModuleOp module) {
  if (!bad.empty())
    return createStringError(
        "the inputs of layer '" + bad +
        "' hold NaN or infinity, or numbers whose squares are infinite; look "
        "at the data and the layers in front of it");
  EditedDictionary record(module, kStatisticsRecord);
  bool isSeen = false;
  for (const ObservedWeight &weight : weights) {
    if (llvm::none_of(weight.inputs, [&](unsigned input) {
          return inputs[input].statistics.numRows() > 0;
        }))
      continue;
    Expected<DictionaryAttr> entries = makeRecord(weight);
    if (!entries)
      return entries.takeError();
    isSeen = true;
    record.set(weight.name, *entries);
  }
  if (!isSeen)
    return createStringError("no observer saw anything: the function that ran "
                             "has none, or read no samples");
  record.commit();
  stripObservers(module);
  return Error::success();
}
