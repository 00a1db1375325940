//===- Weights.cpp - Weights, masks and scores of the C interface ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists refer to the constants of a module; numbers are copied only where one
// element stands for all. Everything that changes a module is checked first, so
// that a failure leaves it as it was.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/Transforms/Weights/Transforms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringSet.h"

#include <vector>

using namespace mlir;
using namespace mlir::prune;

struct PruneWeights {
  struct Item {
    std::string name;
    Port port;
    ArrayRef<char> data;
    /// The elements of a constant that holds one for all.
    AsmResourceBlob expanded;
  };
  std::vector<Item> items;
};

static_assert(int(FloatKind::F64) == int(ElementType::F64) &&
                  int(FloatKind::F32) == int(ElementType::F32) &&
                  int(FloatKind::F16) == int(ElementType::F16) &&
                  int(FloatKind::BF16) == int(ElementType::BF16),
              "kinds of floating-point numbers are the first element types");

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

namespace {
/// The weights of a module with names that differ.
class NamedWeights {
public:
  explicit NamedWeights(const PruneModule *module);

  ArrayRef<Weight> getWeights() const { return uses.getWeights(); }
  const WeightUses &getUses() const { return uses; }
  StringRef nameOf(size_t index) const { return names[index]; }
  /// The position of a weight, or nothing after a message.
  std::optional<size_t> find(StringRef name) const;

private:
  void report(StringRef name) const;

  const PruneModule *module;
  WeightUses uses;
  std::vector<std::string> names;
};
} // namespace

NamedWeights::NamedWeights(const PruneModule *module)
    : module(module), uses(*module->module) {
  llvm::StringSet<> taken;
  for (const Weight &weight : getWeights()) {
    std::string name = weight.name;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(weight.getValue());
        resource && taken.contains(name))
      name = resource.getRawHandle().getKey().str();
    // One key with two types is left.
    for (unsigned i = 2; taken.contains(name); ++i)
      name = weight.name + "@" + std::to_string(i);
    taken.insert(name);
    names.push_back(std::move(name));
  }
}

std::optional<size_t> NamedWeights::find(StringRef name) const {
  auto found = llvm::find(names, name);
  if (found != names.end())
    return found - names.begin();
  report(name);
  return std::nullopt;
}

void NamedWeights::report(StringRef name) const {
  constexpr size_t kShown = 8;
  for (const NotPrunable &other : uses.getNotPrunable())
    if (other.name == name && !name.empty()) {
      module->owner->fail(PRUNE_UNKNOWN_WEIGHT,
                          "weight '" + name +
                              "' cannot be pruned: " + other.reason);
      return;
    }
  std::string text = "there is no weight '" + name.str() + "'; the module has ";
  text += names.empty() ? "none" : "";
  for (size_t i = 0; i != std::min(names.size(), kShown); ++i)
    text += (i ? ", '" : "'") + names[i] + "'";
  if (names.size() > kShown)
    text += " and " + std::to_string(names.size() - kShown) + " more";
  module->owner->fail(PRUNE_UNKNOWN_WEIGHT, text);
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// What a tensor of a weight's shape looks like.
static Port makePort(const Weight &weight, ElementType element) {
  Port port;
  port.element = element;
  port.shape = llvm::to_vector(weight.getType().getShape());
  return port;
}

static ElementType elementOf(const Weight &weight) {
  return ElementType(*getFloatKind(weight.getType().getElementType()));
}

static PruneWeights::Item makeItem(const Weight &weight, StringRef name) {
  PruneWeights::Item item;
  item.name = name.str();
  item.port = makePort(weight, elementOf(weight));
  std::optional<ConstantBytes> bytes = getConstantBytes(weight.getValue());
  if (!bytes)
    return item;
  item.data = bytes->data;
  if (bytes->isSplat) {
    item.expanded = copyElements(weight.getValue());
    item.data = item.expanded.getData();
  }
  return item;
}

PruneStatus pruneModuleWeights(const PruneModule *module,
                               PruneWeights **weights) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  module->owner->begin();
  if (!weights)
    return module->owner->fail(PRUNE_INVALID_ARGUMENT,
                               "pruneModuleWeights expects an output");
  NamedWeights named(module);
  auto list = std::make_unique<PruneWeights>();
  for (auto [index, weight] : llvm::enumerate(named.getWeights()))
    list->items.push_back(makeItem(weight, named.nameOf(index)));
  *weights = list.release();
  return PRUNE_OK;
}

/// Finds a weight; fails after a message for one that is not there, or whose
/// data was left out.
static PruneStatus lookUp(const NamedWeights &named, StringRef name,
                          const Weight *&weight) {
  std::optional<size_t> index = named.find(name);
  if (!index)
    return PRUNE_UNKNOWN_WEIGHT;
  weight = &named.getWeights()[*index];
  if (getConstantBytes(weight->getValue()))
    return PRUNE_OK;
  (void)reportElided(weight->constants.front());
  return PRUNE_INVALID_ARGUMENT;
}

PruneStatus pruneModuleWeight(const PruneModule *module, const char *name,
                              PruneWeights **weight) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  module->owner->begin();
  if (!name || !weight)
    return module->owner->fail(PRUNE_INVALID_ARGUMENT,
                               "pruneModuleWeight expects a name and an "
                               "output");
  NamedWeights named(module);
  const Weight *found = nullptr;
  if (PruneStatus status = lookUp(named, name, found))
    return status;
  auto list = std::make_unique<PruneWeights>();
  list->items.push_back(makeItem(*found, name));
  *weight = list.release();
  return PRUNE_OK;
}

size_t pruneWeightsCount(const PruneWeights *weights) {
  return weights->items.size();
}

const char *pruneWeightsName(const PruneWeights *weights, size_t index) {
  return weights->items[index].name.c_str();
}

PruneTensor pruneWeightsGet(const PruneWeights *weights, size_t index) {
  const PruneWeights::Item &item = weights->items[index];
  return {PruneElementType(item.port.element), int64_t(item.port.shape.size()),
          item.port.shape.data(), item.data.data()};
}

void pruneWeightsFree(PruneWeights *weights) { delete weights; }

//===----------------------------------------------------------------------===//
// Numbers and masks
//===----------------------------------------------------------------------===//

/// Operations are made outside of a pass, which would load their dialects.
static void loadDialects(PruneContext *context) {
  context->context.loadDialect<arith::ArithDialect, PruneDialect>();
}

/// Fails after a message if `given`, which messages call `what`, is not a
/// tensor of the weight's shape and of this type.
static PruneStatus checkTensor(PruneContext *context, const Weight &weight,
                               StringRef name, const Twine &what,
                               const PruneTensor &given, ElementType element) {
  std::string reason = whyNot(makePort(weight, element), given, "the weight");
  if (reason.empty())
    return PRUNE_OK;
  return context->fail(PRUNE_INVALID_ARGUMENT,
                       what + " weight '" + name + "' " + reason);
}

PruneStatus pruneModuleSetWeight(PruneModule *module, const char *name,
                                 const PruneTensor *weight) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!name || !weight)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleSetWeight expects a name and a tensor");
  NamedWeights named(module);
  const Weight *old = nullptr;
  if (PruneStatus status = lookUp(named, name, old))
    return status;
  if (PruneStatus status = checkTensor(context, *old, name, "the tensor for",
                                       *weight, elementOf(*old)))
    return status;
  loadDialects(context);
  size_t size = byteSize(elementOf(*old)) * old->getType().getNumElements();
  replaceWeight(*old, {static_cast<const char *>(weight->data), size});
  return PRUNE_OK;
}

PruneStatus pruneModuleApplyMask(PruneModule *module, const char *name,
                                 const PruneTensor *mask, const char *by) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!name || !mask)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleApplyMask expects a name and a mask");
  NamedWeights named(module);
  const Weight *weight = nullptr;
  if (PruneStatus status = lookUp(named, name, weight))
    return status;
  if (PruneStatus status = checkTensor(context, *weight, name, "the mask of",
                                       *mask, ElementType::Bool))
    return status;
  ArrayRef<uint8_t> bytes(static_cast<const uint8_t *>(mask->data),
                          weight->getType().getNumElements());
  auto wrong = llvm::find_if(bytes, [](uint8_t byte) { return byte > 1; });
  if (wrong != bytes.end())
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "the mask of weight '" + llvm::Twine(name) +
                             "' expects 0 or 1 but got " +
                             llvm::Twine(unsigned(*wrong)));
  loadDialects(context);
  ArrayRef<bool> keep(reinterpret_cast<const bool *>(bytes.data()),
                      bytes.size());
  maskWeight(*weight, keep, by && *by ? by : "C");
  return PRUNE_OK;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static MaskOptions readOptions(const PruneMaskOptions &given) {
  MaskOptions options;
  auto read = [](const char *text, std::string &option) {
    if (text)
      option = text;
  };
  read(given.pattern, options.pattern);
  read(given.scope, options.scope);
  read(given.include, options.include);
  read(given.exclude, options.exclude);
  if (given.sparsity) {
    // Enough digits for the same number.
    llvm::raw_string_ostream(options.sparsity)
        << llvm::format("%.17g", *given.sparsity);
  }
  return options;
}

PruneStatus pruneModuleChooseWeights(const PruneModule *module,
                                     const PruneMaskOptions *options,
                                     PruneWeights **weights) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!options || !weights)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleChooseWeights expects options and an "
                         "output");
  loadDialects(context);
  NamedWeights named(module);
  ModuleOp root = *module->module;
  FailureOr<SmallVector<size_t>> chosen =
      chooseWeights(named.getWeights(), readOptions(*options), root.getLoc());
  if (failed(chosen))
    return PRUNE_INVALID_ARGUMENT;
  auto list = std::make_unique<PruneWeights>();
  for (size_t index : *chosen)
    list->items.push_back(
        makeItem(named.getWeights()[index], named.nameOf(index)));
  *weights = list.release();
  return PRUNE_OK;
}

/// Finds the weights of the scores, and checks the tensors.
static PruneStatus
readScores(PruneContext *context, const NamedWeights &named,
           ArrayRef<const char *> names, const PruneTensor *tensors,
           SmallVectorImpl<std::optional<TensorView>> &scores) {
  scores.resize(named.getWeights().size());
  for (auto [position, name] : llvm::enumerate(names)) {
    if (!name)
      return context->fail(PRUNE_INVALID_ARGUMENT,
                           "pruneModuleMaskByScores expects a name for each "
                           "tensor of scores");
    std::optional<size_t> index = named.find(name);
    if (!index)
      return PRUNE_UNKNOWN_WEIGHT;
    const Weight &weight = named.getWeights()[*index];
    const PruneTensor &given = tensors[position];
    bool isFloat = unsigned(given.element) <= unsigned(PRUNE_BF16);
    ElementType element =
        isFloat ? ElementType(given.element) : ElementType::F64;
    if (PruneStatus status = checkTensor(context, weight, name,
                                         "the score tensor of", given, element))
      return status;
    auto kind = FloatKind(element);
    size_t size = byteSize(kind) * weight.getType().getNumElements();
    scores[*index] = TensorView{kind,
                                {static_cast<const char *>(given.data), size},
                                weight.getType().getShape()};
  }
  return PRUNE_OK;
}

PruneStatus pruneModuleMaskByScores(PruneModule *module,
                                    const PruneMaskOptions *options,
                                    const char *const *names,
                                    const PruneTensor *scores,
                                    size_t numScores) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!options || (numScores && (!names || !scores)))
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleMaskByScores expects options, names and "
                         "scores");
  loadDialects(context);
  NamedWeights named(module);
  SmallVector<std::optional<TensorView>> views;
  if (PruneStatus status =
          readScores(context, named, {names, numScores}, scores, views))
    return status;
  auto orDefault = [](const char *text, const char *otherwise) {
    return text && *text ? text : otherwise;
  };
  GivenScores given{orDefault(options->by, "C"),
                    orDefault(options->criterion, "scores"), views};
  ModuleOp root = *module->module;
  LeftAlone left(root, "prune-mask-weights", "pruned");
  left.note(named.getUses());
  if (failed(maskWeightsByScores(named.getWeights(), readOptions(*options),
                                 given, root.getLoc(), left)))
    return PRUNE_INVALID_ARGUMENT;
  left.warnIfNothing(kNoWeights);
  return PRUNE_OK;
}
