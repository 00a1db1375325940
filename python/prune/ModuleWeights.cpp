//===- ModuleWeights.cpp - Weights of a module as arrays ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "Objects.h"

namespace py = pybind11;
using namespace prune_python;

namespace {
struct FreeWeights {
  void operator()(PruneWeights *weights) const { pruneWeightsFree(weights); }
};
using WeightsPtr = std::unique_ptr<PruneWeights, FreeWeights>;
} // namespace

static std::vector<std::string> namesOf(const PruneWeights *weights) {
  std::vector<std::string> names;
  for (size_t i = 0; i < pruneWeightsCount(weights); ++i)
    names.push_back(pruneWeightsName(weights, i));
  return names;
}

std::vector<std::string> Module::weightNames() const {
  PruneWeights *raw = nullptr;
  guarded([&] { return pruneModuleWeights(module.get(), &raw); });
  return namesOf(WeightsPtr(raw).get());
}

template <typename Visit>
void Module::visitWeight(const std::string &name, Visit visit) const {
  guarded([&] {
    PruneWeights *raw = nullptr;
    PruneStatus status = pruneModuleWeight(module.get(), name.c_str(), &raw);
    WeightsPtr weights(raw);
    if (status == PRUNE_OK)
      visit(pruneWeightsGet(raw, 0));
    return status;
  });
}

py::object Module::weight(const std::string &name) const {
  py::object array;
  visitWeight(name, [&](const PruneTensor &tensor) {
    // The copy is made before another thread can change the module. Nothing
    // that holds the interpreter's lock waits for ours.
    py::gil_scoped_acquire acquire;
    array = toArray(tensor);
  });
  return array;
}

PruneElementType Module::weightType(const std::string &name) const {
  PruneElementType type = PRUNE_F32;
  visitWeight(name, [&](const PruneTensor &tensor) { type = tensor.element; });
  return type;
}

void Module::setWeight(const std::string &name, const py::object &array) const {
  Argument given(array, weightType(name), "the array for weight '" + name + "'",
                 "the weight");
  guarded([&] {
    return pruneModuleSetWeight(module.get(), name.c_str(), &given.tensor);
  });
}

Weights Module::weights() const { return weightsOf(*this); }

/// A mask as an array of bool, from one of bool or of zeros and ones.
static py::object toMask(const py::object &given, const std::string &name) {
  py::module_ numpy = py::module_::import("numpy");
  py::object any = numpy.attr("asarray")(given);
  py::object kind = any.attr("dtype").attr("kind");
  if (std::string("biuf").find(kind.cast<std::string>()) == std::string::npos)
    throw Failure{PRUNE_INVALID_ARGUMENT,
                  "the mask of weight '" + name + "' is an array of " +
                      py::str(any.attr("dtype")).cast<std::string>() +
                      "; expected bool, or numbers that are 0 or 1"};
  py::object mask = any.attr("astype")("bool");
  py::object differs = numpy.attr("not_equal")(any, mask);
  if (numpy.attr("any")(differs).cast<bool>())
    throw Failure{PRUNE_INVALID_ARGUMENT,
                  "the mask of weight '" + name + "' expects 0 or 1 but got " +
                      py::str(any[differs].attr("flat")[py::int_(0)])
                          .cast<std::string>()};
  return mask;
}

void Module::applyMask(const std::string &name, const py::object &array) const {
  Argument mask(toMask(array, name), PRUNE_BOOL, "the mask", "the weight");
  guarded([&] {
    return pruneModuleApplyMask(module.get(), name.c_str(), &mask.tensor,
                                "python");
  });
}

/// How reports call a criterion: the name of the function, or of the type of
/// another thing that can be called.
static std::string nameOfCallable(const py::object &callable) {
  py::object named = py::hasattr(callable, "__name__")
                         ? callable
                         : py::object(py::type::of(callable));
  return py::str(named.attr("__name__")).cast<std::string>();
}

/// The scores that a function gives for a weight.
static std::unique_ptr<Argument> callScores(const py::function &callback,
                                            const std::string &name,
                                            const py::object &weight) {
  py::object scores =
      py::module_::import("numpy").attr("asarray")(callback(name, weight));
  std::string type = py::str(scores.attr("dtype")).cast<std::string>();
  PruneElementType element = type == "float32"   ? PRUNE_F32
                             : type == "float16" ? PRUNE_F16
                                                 : PRUNE_F64;
  return std::make_unique<Argument>(
      scores, element, "what the criterion returns for weight '" + name + "'",
      "the ranking");
}

void Module::scoreWeights(const py::function &callback,
                          const std::optional<double> &sparsity,
                          const std::string &pattern, const std::string &scope,
                          const std::string &include,
                          const std::string &exclude) const {
  std::string criterion = nameOfCallable(callback);
  const PruneMaskOptions options = {pattern.c_str(),
                                    scope.c_str(),
                                    include.c_str(),
                                    exclude.c_str(),
                                    sparsity ? &*sparsity : nullptr,
                                    "python",
                                    criterion.c_str()};
  PruneWeights *raw = nullptr;
  guarded(
      [&] { return pruneModuleChooseWeights(module.get(), &options, &raw); });
  std::vector<std::string> names = namesOf(WeightsPtr(raw).get());
  std::vector<const char *> texts;
  std::vector<std::unique_ptr<Argument>> scores;
  std::vector<PruneTensor> tensors;
  for (const std::string &name : names) {
    texts.push_back(name.c_str());
    scores.push_back(callScores(callback, name, weight(name)));
    tensors.push_back(scores.back()->tensor);
  }
  guarded([&] {
    return pruneModuleMaskByScores(module.get(), &options, texts.data(),
                                   tensors.data(), tensors.size());
  });
}
