//===- ExportONNX.cpp - Pruned models as ONNX files -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights say which of their indices they kept; the operators of the original
// graph say what follows for all other tensors; the patched graph is imported
// again, and every one of its values has to have the size that follows. What
// the module computes beyond that, because a pass did more than mask, rescale
// or remove weights, shows as a weight that has no counterpart, and is refused.
//
//===----------------------------------------------------------------------===//

#include "ComputedWeights.h"
#include "Export/Template/Biases.h"
#include "Export/Template/Parts.h"
#include "Export/Template/Template.h"
#include "Import/Model/Branches.h"
#include "Import/Model/Rewrites.h"
#include "Patch.h"
#include "prune/Export/ONNX.h"

#include "prune/IR/ConstantView.h"
#include "prune/IR/KeptRecord.h"
#include "prune/IR/Prune.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_export;

namespace {
/// A tensor of the file and what the module made of it.
struct Match {
  std::string name;
  const Fact *fact;
  /// The module's weight that it became.
  std::string weight;
  /// Null if the module has no such weight any more.
  DenseResourceElementsAttr value;
  KeptIndices kept;
  /// What a weight that is gone held throughout.
  std::optional<double> number;
  /// A bias that folding made, which follows its node.
  bool isBias = false;
};

/// Exports one module.
class Exporter {
public:
  Exporter(ModuleOp module, StringRef path, const ONNXImportOptions &options)
      : module(module), loc(module.getLoc()), path(path), options(options),
        record(module) {}

  FailureOr<std::string> run();

private:
  InFlightDiagnostic error() { return emitError(loc); }
  LogicalResult checkModule(const Facts &facts);
  LogicalResult checkVersions(const onnx::GraphProto &graph);
  LogicalResult matchWeights(const onnx::GraphProto &graph, const Facts &facts,
                             const Template &file,
                             const Template::Resources &resources);
  LogicalResult matchWeight(StringRef name, const Facts &facts,
                            const Template &file);
  FailureOr<std::string> patch(const onnx::ModelProto &model,
                               const Facts &facts,
                               const llvm::StringMap<unsigned> &wasRead);
  LogicalResult matchGone(Match &match, const Template &file);
  LogicalResult checkShape(const Match &match);
  LogicalResult checkRest(const Facts &facts);
  LogicalResult couple(Network &network);
  LogicalResult writeWeights(Network &network, Patcher &patcher);
  LogicalResult addBiases(Network &network, Patcher &patcher);
  LogicalResult prove(const onnx::ModelProto &patched, const Facts &before,
                      Network &network, Patcher &patcher);

  ModuleOp module;
  Location loc;
  StringRef path;
  const ONNXImportOptions &options;
  KeptRecord record;
  llvm::MapVector<StringRef, Versions> weights;
  std::vector<Match> matches;
  llvm::StringSet<> matched;
  /// Biases that the removal of channels made, with the weight's name.
  SmallVector<std::pair<StringRef, DenseResourceElementsAttr>> biases;
};
} // namespace

static std::string textOf(ArrayRef<int64_t> shape) {
  return "[" +
         llvm::join(
             llvm::map_range(shape,
                             [](int64_t size) { return std::to_string(size); }),
             ", ") +
         "]";
}

//===----------------------------------------------------------------------===//
// The module's weights and the file's
//===----------------------------------------------------------------------===//

/// Whether the module still is what an import, masks and removals make.
LogicalResult Exporter::checkModule(const Facts &facts) {
  WalkResult result = module.walk([&](Operation *op) {
    if (!isa<ScoreOp, MaskOp, ApplyOp>(op))
      return WalkResult::advance();
    op->emitError("'" + op->getName().getStringRef() +
                  "' is a mask that is not folded; run prune-fold-masks before "
                  "the export");
    return WalkResult::interrupt();
  });
  if (result.wasInterrupted())
    return failure();
  std::string type = typeOf(module, "main");
  if (type.empty())
    return error() << "the module has no function 'main'; export what "
                      "--import-onnx made, before it is lowered";
  if (type != facts.getType())
    return error() << "function 'main' has type " << type
                   << ", but the template has " << facts.getType()
                   << "; give the model that the module was imported from, and "
                      "the same --dim";
  return success();
}

/// Whether zeros in a tensor add nothing, wherever it is read.
static bool isFactorOnly(StringRef name, const GraphEditor &file) {
  static constexpr StringLiteral kProducts[] = {
      "Conv", "ConvTranspose", "Einsum", "GRU",
      "Gemm", "LSTM",          "MatMul", "RNN"};
  SmallVector<Reader> readers = file.readersOf(name);
  return readers.size() == file.countReads(name) &&
         llvm::all_of(readers, [](const Reader &reader) {
           return llvm::is_contained(kProducts, reader.node->op_type());
         });
}

LogicalResult Exporter::matchGone(Match &match, const Template &file) {
  auto record = module->getAttrOfType<DictionaryAttr>("prune.kept");
  Attribute entry = record ? record.get(match.weight) : Attribute();
  if (auto number = dyn_cast_if_present<FloatAttr>(entry)) {
    match.number = number.getValueAsDouble();
    return success();
  }
  if (entry || file.isFolded(match.name))
    match.number = file.getOnlyNumber(match.name);
  // What it contributed is added elsewhere by now, or was zero.
  if (!match.number && entry && match.fact->rank() > 1 &&
      isFactorOnly(match.name, file))
    match.number = 0;
  if (match.number)
    return success();
  if (entry)
    return error() << "initialiser '" << match.name
                   << "' is gone from the module with everything that it "
                      "contributed to, and it is not one number throughout; "
                      "keep it with min-channels or exclude";
  return error() << "initialiser '" << match.name
                 << "' has no counterpart in the module, and nothing is "
                    "recorded of its removal; export before passes that fold "
                    "or rename weights, such as prune-fold-batch-norms";
}

/// Whether the recorded indices lead from the file's shape to the module's.
LogicalResult Exporter::checkShape(const Match &match) {
  ShapedType type = match.value.getType();
  ShapedType original = match.fact->constant.getShapedType();
  std::string elements, originalElements;
  llvm::raw_string_ostream(elements) << type.getElementType();
  llvm::raw_string_ostream(originalElements) << original.getElementType();
  bool fits =
      elements == originalElements && type.getRank() == original.getRank();
  for (int64_t dim = 0; fits && dim != type.getRank(); ++dim) {
    const auto &list = match.kept[dim];
    int64_t size = original.getDimSize(dim);
    fits = list ? list->empty() || list->back() < size
                : type.getDimSize(dim) == size;
  }
  if (fits)
    return success();
  return error() << "weight '" << match.value.getRawHandle().getKey()
                 << "' of sizes " << textOf(type.getShape()) << " and type "
                 << elements << " is no part of initialiser '" << match.name
                 << "' of sizes " << textOf(original.getShape()) << " and type "
                 << originalElements << " by what 'prune.kept' records; give "
                 << "the model that the module was imported from";
}

LogicalResult Exporter::matchWeight(StringRef name, const Facts &facts,
                                    const Template &file) {
  const Fact *fact = facts.get(name);
  if (!fact || fact->name().empty())
    return success();
  std::optional<StringRef> key = file.keyOf(name);
  Match match{
      name.str(),  fact, fact->name().str(), {}, KeptIndices(fact->rank()),
      std::nullopt};
  if (key)
    match.weight = key->split('#').first.str();
  match.value =
      dyn_cast_if_present<DenseResourceElementsAttr>(file.biasOf(name));
  if (match.value) {
    match.isBias = true;
    matches.push_back(std::move(match));
    return success();
  }
  match.number = file.numberOf(name);
  if (match.number) {
    matches.push_back(std::move(match));
    return success();
  }
  matched.insert(match.weight);
  auto found = weights.find(match.weight);
  if (found == weights.end()) {
    if (facts.isUsed(fact->name()) && failed(matchGone(match, file)))
      return failure();
    matches.push_back(std::move(match));
    return success();
  }
  Versions versions = found->second;
  if (key)
    llvm::erase_if(versions, [&](DenseResourceElementsAttr value) {
      return value.getRawHandle().getKey() != *key;
    });
  if (versions.size() == 1) {
    match.value = versions.front();
    std::optional<KeptIndices> kept = record.get(
        match.value.getRawHandle().getKey(), match.value.getType().getShape());
    if (!kept)
      return error() << "'prune.kept' has several records that fit weight '"
                     << match.value.getRawHandle().getKey() << "'";
    match.kept = std::move(*kept);
  } else if (std::optional<JoinedParts> joined = joinParts(
                 fact->constant.getShapedType().getShape(), versions, record)) {
    match.value = joined->value;
    match.kept = std::move(joined->kept);
  } else {
    return error() << "initialiser '" << name << "' has " << versions.size()
                   << " versions in the module, of which one node reads "
                      "several; keep it in one with exclude=";
  }
  if (failed(checkShape(match)))
    return failure();
  matches.push_back(std::move(match));
  return success();
}

/// Weights of the module that are not initialisers.
LogicalResult Exporter::checkRest(const Facts &facts) {
  for (auto &[name, versions] : weights) {
    if (matched.contains(name))
      continue;
    auto [weight, suffix] = name.rsplit('.');
    if (suffix == kShiftSuffix && matched.contains(weight)) {
      for (DenseResourceElementsAttr value : versions)
        biases.push_back({weight, value});
      continue;
    }
    if (!facts.isUsed(name))
      return error() << "weight '" << name << "' of the module is not in the "
                     << "template; give the model that the module was imported "
                     << "from";
    for (DenseResourceElementsAttr value : versions)
      if (value.getRawHandle().getKey() != name)
        return error() << "weight '" << name
                       << "' was rewritten, but lies in a "
                       << "graph inside of a node, which cannot be patched; "
                       << "exclude it from pruning";
  }
  return success();
}

LogicalResult Exporter::matchWeights(const onnx::GraphProto &graph,
                                     const Facts &facts, const Template &file,
                                     const Template::Resources &resources) {
  for (const auto &[name, versions] : resources) {
    Versions rest;
    for (DenseResourceElementsAttr value : versions)
      if (!file.isBias(value.getRawHandle().getKey()))
        rest.push_back(value);
    if (!rest.empty())
      weights[name] = rest;
  }
  for (const onnx::TensorProto &tensor : graph.initializer())
    if (failed(matchWeight(tensor.name(), facts, file)))
      return failure();
  for (const onnx::NodeProto &node : graph.node())
    if (node.op_type() == "Constant" && node.output_size() == 1 &&
        failed(matchWeight(node.output(0), facts, file)))
      return failure();
  return checkRest(facts);
}

//===----------------------------------------------------------------------===//
// What follows
//===----------------------------------------------------------------------===//

LogicalResult Exporter::couple(Network &network) {
  for (const Match &match : matches) {
    if (!match.value || match.isBias)
      continue;
    network.coupling.setCause("initialiser '" + match.name + "'");
    for (auto [at, dim, list] :
         llvm::enumerate(network.dimsOf(match.name), match.kept)) {
      if (!list) {
        network.coupling.keep(dim);
        continue;
      }
      // A partial bias of zeros loses nothing, but occupies its place in the
      // file.
      std::optional<TensorView> view = getTensorView(match.fact->constant);
      std::vector<bool> isLive(network.coupling.sizeOf(dim), true);
      if (view)
        isLive = findLiveSlices(
            *view, at, std::vector<std::vector<bool>>(match.fact->rank()));
      network.coupling.setKept(dim, *list, [&, at = at](int64_t index) {
        return !isLive[index] || network.isUnread(match.name, at, index);
      });
    }
  }
  network.addRules();
  if (std::optional<std::string> problem = network.coupling.solve())
    return error()
           << *problem
           << "; the template's operators cannot express that; mask and "
              "remove with export-safe=true, or keep the weight with "
              "exclude=";
  return success();
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Filters that the importer reversed in space for transposed convolutions.
static llvm::StringSet<> getReversed(const onnx::GraphProto &graph) {
  llvm::StringSet<> names;
  for (const onnx::NodeProto &node : graph.node())
    if (node.op_type() == "ConvTranspose" && node.input_size() > 1)
      names.insert(node.input(1));
  return names;
}

static void reverseKernels(std::vector<char> &bytes, ShapedType type) {
  size_t size = type.getElementTypeBitWidth() / 8;
  size_t kernel = size;
  for (int64_t extent : type.getShape().drop_front(2))
    kernel *= extent;
  for (size_t first = 0; first + kernel <= bytes.size(); first += kernel)
    for (size_t a = first, b = first + kernel - size; a < b;
         a += size, b -= size)
      std::swap_ranges(bytes.begin() + a, bytes.begin() + a + size,
                       bytes.begin() + b);
}

/// What the dimensions of a tensor kept, all of them as lists.
static KeptIndices keptOf(Network &network, StringRef name) {
  KeptIndices kept;
  for (Coupling::Dim dim : network.dimsOf(name)) {
    auto &list = kept.emplace_back().emplace();
    for (int64_t i = 0; i != network.coupling.sizeOf(dim); ++i)
      if (network.coupling.isKept(dim, i))
        list.push_back(i);
  }
  return kept;
}

/// The original's elements at what its dimensions kept.
static std::vector<char> gather(const Match &match, const KeptIndices &kept,
                                int64_t count) {
  ConstantBytes data = *getConstantBytes(match.fact->constant);
  std::vector<char> bytes(count * data.elementSize);
  gatherSlices(data.data, data.elementSize,
               match.fact->constant.getShapedType().getShape(), kept,
               bytes.data());
  return bytes;
}

LogicalResult Exporter::writeWeights(Network &network, Patcher &patcher) {
  llvm::StringSet<> reversed = getReversed(network.graph);
  for (const Match &match : matches) {
    SmallVector<int64_t> shape = network.keptShape(match.name);
    int64_t count = ShapedType::getNumElements(shape);
    auto elements = match.fact->constant.getElementType();
    std::optional<ConstantBytes> data = getConstantBytes(
        match.value ? ElementsAttr(match.value) : match.fact->constant);
    if (!data || data->isSplat)
      return error() << "weight '" << match.name << "' has no data";
    if (match.isBias && match.value.getNumElements() != count)
      return error() << "bias '" << match.value.getRawHandle().getKey()
                     << "' has " << match.value.getNumElements()
                     << " elements, where " << count
                     << " channels remain; export before "
                        "prune-fold-batch-norms";
    std::vector<char> bytes;
    if (match.number)
      bytes = fill(*match.number, cast<FloatType>(elements), count);
    else if (match.value && (match.isBias || match.value.getType().getShape() ==
                                                 ArrayRef(shape)))
      bytes.assign(data->data.begin(), data->data.end());
    else
      bytes = gather(match, keptOf(network, match.name), count);
    // What nothing reads is not in the module, but has its place in the file.
    if (match.value && !match.isBias &&
        match.value.getType().getShape() != ArrayRef(shape))
      writePart(bytes, keptOf(network, match.name), match.value, match.kept);
    if (match.value && reversed.contains(match.name) && shape.size() > 2)
      reverseKernels(bytes, match.value.getType());
    Patcher::setTensor(*patcher.findTensor(match.name), shape, bytes);
  }
  return success();
}

LogicalResult Exporter::addBiases(Network &network, Patcher &patcher) {
  llvm::StringMap<std::vector<ModuleUse>> uses;
  if (!biases.empty())
    uses = collectUses(module);
  llvm::StringMap<std::vector<BiasSite>> sitesOf;
  for (auto [weight, value] : biases) {
    if (auto [entry, isNew] = sitesOf.try_emplace(weight); isNew)
      for (const Match &match : matches)
        if (match.weight == weight)
          llvm::append_range(entry->second,
                             findBiasSites(match.name, network, patcher));
    std::vector<BiasSite> &sites = sitesOf[weight];
    StringRef key = value.getRawHandle().getKey();
    for (const ModuleUse &use : uses[key.split('#').first]) {
      if (use.key != key)
        continue;
      auto isOfUse = [&](const BiasSite &site) {
        return sites.size() == 1 || site.node == use.node;
      };
      auto site = llvm::find_if(sites, isOfUse);
      if (llvm::count_if(sites, isOfUse) != 1 ||
          failed(addBiasAt(patcher, *site, value)))
        return error() << "the removal of constant channels left numbers to "
                          "add behind weight '"
                       << weight
                       << "', and the template has no place for them there; "
                          "keep its channels with exclude=";
    }
  }
  patcher.finish();
  return success();
}

//===----------------------------------------------------------------------===//
// Proof
//===----------------------------------------------------------------------===//

/// Compares every value of the patched graph with what has to remain of it.
static std::optional<std::string>
findDifference(Network &network, const Facts &before, const Facts &after) {
  for (const onnx::NodeProto &node : network.graph.node())
    for (const std::string &name : node.output()) {
      const Fact *old = before.get(name), *now = after.get(name);
      if (!old || !now)
        continue;
      SmallVector<int64_t> kept = network.keptShape(name);
      if (now->shape() != kept)
        return describe(node) + " would make '" + name + "' of sizes " +
               textOf(now->shape()) + ", where " + textOf(kept) + " remain";
    }
  return std::nullopt;
}

LogicalResult Exporter::prove(const onnx::ModelProto &patched,
                              const Facts &before, Network &network,
                              Patcher &patcher) {
  constexpr unsigned kMaxRounds = 8;
  for (unsigned round = 0; round != kMaxRounds; ++round) {
    Facts after(patched, path, loc, options);
    if (!after.isValid())
      return error() << "the patched model would not be valid; exclude the "
                        "weights around that node from pruning";
    FailureOr<bool> changed = patcher.pinSizes(before, after);
    if (failed(changed))
      return failure();
    if (*changed)
      continue;
    if (std::optional<std::string> problem =
            findDifference(network, before, after))
      return error() << *problem << "; exclude its weights from pruning";
    return success();
  }
  return error() << "sizes that became smaller are computed with in too many "
                    "places";
}

/// A file has one version of each operator set for all nodes.
LogicalResult Exporter::checkVersions(const onnx::GraphProto &graph) {
  for (const onnx::NodeProto &node : graph.node())
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      if (attribute.name() == onnx_import::kOpsetAttribute)
        return error() << describe(node) << " comes from a function of opset "
                       << attribute.i() << ", which differs from the model's; "
                       << "convert the model to one opset first";
      if (attribute.has_g() && failed(checkVersions(attribute.g())))
        return failure();
    }
  return success();
}

FailureOr<std::string>
Exporter::patch(const onnx::ModelProto &model, const Facts &facts,
                const llvm::StringMap<unsigned> &wasRead) {
  if (!facts.hasFewIndices())
    return error() << "the template's tensors have more than 33554432 indices "
                      "in all, too many to follow one by one; fix smaller "
                      "sizes with --dim";
  Network network(model.graph(), facts, opsetOf(model));
  if (failed(couple(network)))
    return failure();
  onnx::ModelProto patched(model);
  Patcher patcher(patched, wasRead, loc);
  if (failed(writeWeights(network, patcher)) ||
      failed(patcher.patchNodes(network)) ||
      failed(addBiases(network, patcher)))
    return failure();
  patcher.patchStatedShapes(network);
  if (failed(prove(patched, facts, network, patcher)))
    return failure();
  patcher.dropUnused();
  if (!options.dims.empty())
    patcher.stateFixedSizes(facts);
  std::string bytes;
  if (!patched.SerializeToString(&bytes))
    return error() << "the patched model is larger than 2 GB, which ONNX files "
                      "cannot be";
  return bytes;
}

FailureOr<std::string> Exporter::run() {
  llvm::Expected<std::unique_ptr<onnx::ModelProto>> model =
      onnx_import::loadModel(path, options, module.getContext());
  if (!model)
    return error() << llvm::toString(model.takeError());
  if (failed(checkVersions((*model)->graph())))
    return failure();
  Facts original(**model, path, loc, options);
  if (!original.isValid() || failed(checkModule(original)))
    return failure();
  onnx_import::inlineBranches(*(*model)->mutable_graph(),
                              original.getBranches());
  Template::Resources resources = collectResources(module);
  storeComputedWeights(**model, original, [&](StringRef name) {
    auto found = resources.find(name);
    return found == resources.end() ||
           llvm::any_of(found->second, [&](DenseResourceElementsAttr value) {
             return value.getRawHandle().getKey() != name;
           });
  });
  llvm::StringMap<unsigned> wasRead;
  collectReads((*model)->graph(), wasRead);
  Template file(**model, original, module, resources);
  if (failed(file.adapt()))
    return failure();
  std::optional<Facts> adapted;
  if (file.hasChanged()) {
    adapted.emplace(**model, path, loc, options);
    if (!adapted->isValid())
      return error() << "the template without the nodes that were folded would "
                        "not be valid; export before prune-fold-batch-norms";
  }
  const Facts &facts = adapted ? *adapted : original;
  if (failed(matchWeights((*model)->graph(), facts, file, resources)))
    return failure();
  return patch(**model, facts, wasRead);
}

FailureOr<std::string>
mlir::prune::exportONNX(ModuleOp module, StringRef original,
                        const ONNXImportOptions &options) {
  return Exporter(module, original, options).run();
}
