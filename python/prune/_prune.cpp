//===- _prune.cpp - Python bindings ---------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each module has a context of its own, so that modules in different threads do
// not meet; the interpreter's lock is released while passes run, while a module
// is compiled, and during calls. Arrays are copied only where they are not
// dense or have another type. NumPy has no bfloat16: such arguments and results
// are float32 here, arguments rounded to the nearest, ties to even.
//
//===----------------------------------------------------------------------===//

#include "prune-c/Prune.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

namespace py = pybind11;

namespace {
/// What a failed call reports; becomes the Python exception of its status.
struct Failure {
  PruneStatus status;
  std::string message;
};

/// Frees a context after the modules that use it.
using ContextPtr = std::shared_ptr<PruneContext>;

/// The weights of a module or a program as a mapping from names to arrays.
struct Weights {
  std::function<std::vector<std::string>()> names;
  std::function<py::object(const std::string &name)> get;
  std::function<void(const std::string &name, const py::object &array)> set;
};

class Program {
public:
  explicit Program(PruneProgram *program)
      : program(program, pruneProgramFree),
        mutex(std::make_shared<std::shared_mutex>()) {}

  py::object call(const py::args &arguments) const;
  /// "(4x64xf32) -> (4x10xf32)"
  std::string signature() const;
  Weights weights() const;
  std::vector<std::string> weightNames() const;
  py::object weight(const std::string &name) const;
  void setWeight(const std::string &name, const py::object &array) const;

private:
  size_t findWeight(const std::string &name) const;

  std::shared_ptr<PruneProgram> program;
  /// Calls share it; weights are replaced when none is running.
  std::shared_ptr<std::shared_mutex> mutex;
};

class Module {
public:
  static Module parse(const py::object &source, const std::string &name);
  static Module read(const std::filesystem::path &path);
  static Module importONNX(const std::filesystem::path &path,
                           const std::map<std::string, int64_t> &dims,
                           const std::map<std::string, py::object> &values);
  py::bytes exportONNX(const std::filesystem::path &original,
                       const std::map<std::string, int64_t> &dims,
                       const std::map<std::string, py::object> &values) const;
  Module clone() const;
  void run(const std::string &pipeline);
  std::string print(std::optional<int64_t> elideAbove) const;
  py::object report() const;
  py::bytes bytecode() const;
  Program compile(const std::optional<std::string> &entry,
                  const std::string &kernels, unsigned level, unsigned threads,
                  const std::optional<std::string> &cpu,
                  bool externalize) const;
  Weights weights() const;
  std::vector<std::string> weightNames() const;
  py::object weight(const std::string &name) const;
  void setWeight(const std::string &name, const py::object &array) const;
  void applyMask(const std::string &name, const py::object &array) const;
  void scoreWeights(const py::function &callback,
                    const std::optional<double> &sparsity,
                    const std::string &pattern, const std::string &scope,
                    const std::string &include,
                    const std::string &exclude) const;
  std::string diagnostics() const;

private:
  Module(ContextPtr context, PruneModule *module)
      : context(std::move(context)), module(module, pruneModuleFree),
        mutex(std::make_shared<std::mutex>()) {}

  /// Calls into the library without the interpreter's lock, one thread at a
  /// time, and throws if the status is not good.
  template <typename Function> void guarded(Function function) const;

  /// Calls `visit` with a weight, which nothing changes meanwhile.
  template <typename Visit>
  void visitWeight(const std::string &name, Visit visit) const;
  PruneElementType weightType(const std::string &name) const;

  ContextPtr context;
  std::shared_ptr<PruneModule> module;
  std::shared_ptr<std::mutex> mutex;
};
} // namespace

static void check(PruneStatus status, const char *diagnostics) {
  if (status == PRUNE_OK)
    return;
  std::string message = diagnostics;
  while (!message.empty() && message.back() == '\n')
    message.pop_back();
  if (message.empty())
    message = pruneStatusName(status);
  throw Failure{status, message};
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

template <typename Function> void Module::guarded(Function function) const {
  py::gil_scoped_release release;
  std::lock_guard<std::mutex> lock(*mutex);
  PruneStatus status = function();
  check(status, pruneContextDiagnostics(context.get()));
}

Module Module::parse(const py::object &source, const std::string &name) {
  if (!py::isinstance<py::str>(source) && !py::isinstance<py::bytes>(source))
    throw py::type_error("expected the text (str) or bytecode (bytes) of a "
                         "module");
  // Text that is no UTF-8 (a lone surrogate) raises here.
  std::string bytes = source.cast<std::string>();
  PruneModule *parsed = nullptr;
  ContextPtr context;
  {
    py::gil_scoped_release release;
    context = ContextPtr(pruneContextCreate(), pruneContextFree);
    check(pruneModuleParse(context.get(), bytes.data(), bytes.size(),
                           name.c_str(), &parsed),
          pruneContextDiagnostics(context.get()));
  }
  return Module(std::move(context), parsed);
}

Module Module::read(const std::filesystem::path &path) {
  py::gil_scoped_release release;
  ContextPtr context(pruneContextCreate(), pruneContextFree);
  PruneModule *module = nullptr;
  check(pruneModuleRead(context.get(), path.c_str(), &module),
        pruneContextDiagnostics(context.get()));
  return Module(std::move(context), module);
}

/// The elements of a number, a list or an array, row-major: "1,2,3".
static std::string numbersOf(const py::object &value) {
  py::object array = py::module_::import("numpy").attr("ravel")(value);
  std::string text;
  for (py::handle number : array.attr("tolist")()) {
    if (!text.empty())
      text += ",";
    text += py::isinstance<py::bool_>(number)
                ? (number.cast<bool>() ? "1" : "0")
                : py::repr(number).cast<std::string>();
  }
  return text;
}

namespace {
/// Sizes and values to fix, as the library takes them.
struct Fixed {
  Fixed(const std::map<std::string, int64_t> &dims,
        const std::map<std::string, py::object> &values) {
    for (const auto &dim : dims) {
      names.push_back(dim.first.c_str());
      sizes.push_back(dim.second);
    }
    texts.reserve(values.size());
    for (const auto &value : values) {
      inputs.push_back(value.first.c_str());
      numbers.push_back(texts.emplace_back(numbersOf(value.second)).c_str());
    }
    options = {names.data(),  sizes.data(),   names.size(),
               inputs.data(), numbers.data(), inputs.size()};
  }

  std::vector<const char *> names, inputs, numbers;
  std::vector<int64_t> sizes;
  std::vector<std::string> texts;
  PruneImportOptions options;
};
} // namespace

Module Module::importONNX(const std::filesystem::path &path,
                          const std::map<std::string, int64_t> &dims,
                          const std::map<std::string, py::object> &values) {
  Fixed fixed(dims, values);
  py::gil_scoped_release release;
  ContextPtr context(pruneContextCreate(), pruneContextFree);
  PruneModule *imported = nullptr;
  check(pruneModuleImportONNXWithOptions(context.get(), path.c_str(),
                                         &fixed.options, &imported),
        pruneContextDiagnostics(context.get()));
  return Module(std::move(context), imported);
}

py::bytes
Module::exportONNX(const std::filesystem::path &original,
                   const std::map<std::string, int64_t> &dims,
                   const std::map<std::string, py::object> &values) const {
  Fixed fixed(dims, values);
  PruneBuffer model = {nullptr, 0};
  guarded([&] {
    return pruneModuleExportONNX(module.get(), original.c_str(), &fixed.options,
                                 &model);
  });
  py::bytes copy(model.data, model.size);
  pruneBufferFree(&model);
  return copy;
}

Module Module::clone() const {
  // Through bytecode, so that the copy has a context of its own.
  py::bytes copy = bytecode();
  return parse(copy, "clone");
}

void Module::run(const std::string &pipeline) {
  guarded([&] { return pruneModuleRun(module.get(), pipeline.c_str()); });
}

std::string Module::print(std::optional<int64_t> elideAbove) const {
  PruneBuffer text = {nullptr, 0};
  guarded([&] {
    return pruneModulePrint(module.get(), elideAbove.value_or(-1), &text);
  });
  std::string copy(text.data, text.size);
  pruneBufferFree(&text);
  return copy;
}

py::object Module::report() const {
  PruneBuffer text = {nullptr, 0};
  guarded([&] { return pruneModuleReport(module.get(), "json", &text); });
  std::string copy(text.data, text.size);
  pruneBufferFree(&text);
  return py::module_::import("json").attr("loads")(copy);
}

py::bytes Module::bytecode() const {
  PruneBuffer written = {nullptr, 0};
  guarded([&] { return pruneModuleWriteBytecode(module.get(), &written); });
  py::bytes copy(written.data, written.size);
  pruneBufferFree(&written);
  return copy;
}

Program Module::compile(const std::optional<std::string> &entry,
                        const std::string &kernels, unsigned level,
                        unsigned threads, const std::optional<std::string> &cpu,
                        bool externalize) const {
  const PruneCompileOptions options = {
      level, threads, cpu ? cpu->c_str() : nullptr, externalize};
  PruneProgram *program = nullptr;
  guarded([&] {
    return pruneModuleCompileWithOptions(module.get(),
                                         entry ? entry->c_str() : nullptr,
                                         kernels.c_str(), &options, &program);
  });
  return Program(program);
}

std::string Module::diagnostics() const {
  py::gil_scoped_release release;
  std::lock_guard<std::mutex> lock(*mutex);
  return pruneContextDiagnostics(context.get());
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

/// NumPy's name of the type in which arrays of `type` cross.
static const char *dtypeName(PruneElementType type) {
  switch (type) {
  case PRUNE_F64:
    return "float64";
  case PRUNE_F32:
  case PRUNE_BF16:
    return "float32";
  case PRUNE_F16:
    return "float16";
  case PRUNE_I64:
  case PRUNE_INDEX:
    return "int64";
  case PRUNE_I32:
    return "int32";
  case PRUNE_I16:
    return "int16";
  case PRUNE_I8:
    return "int8";
  case PRUNE_U8:
    return "uint8";
  case PRUNE_BOOL:
    return "bool";
  }
  return "float32";
}

static uint16_t toBFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if ((bits & 0x7fffffff) > 0x7f800000) // NaN stays NaN
    return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float fromBFloat(uint16_t value) {
  uint32_t bits = uint32_t(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

namespace {
/// One array with everything that must live as long as the call.
struct Argument {
  py::array array;
  std::vector<uint16_t> bfloats;
  std::vector<int64_t> shape;
  PruneTensor tensor;

  /// `name` and `taker` are what messages call the array and what takes it.
  Argument(const py::handle &given, PruneElementType element,
           const std::string &name, const char *taker) {
    py::module_ numpy = py::module_::import("numpy");
    py::object dtype = numpy.attr("dtype")(dtypeName(element));
    // "same_kind" lets float64 become float32, but never float an integer.
    py::array any = numpy.attr("asarray")(given);
    if (!numpy.attr("can_cast")(any.attr("dtype"), dtype, "same_kind")
             .cast<bool>())
      throw Failure{PRUNE_INVALID_ARGUMENT,
                    name + " is an array of " +
                        py::str(any.attr("dtype")).cast<std::string>() +
                        ", but " + taker + " takes " + dtypeName(element)};
    array = numpy.attr("require")(any, dtype, "C");
    shape.assign(array.shape(), array.shape() + array.ndim());
    tensor = {element, int64_t(shape.size()), shape.data(), array.data()};
    if (element != PRUNE_BF16)
      return;
    auto *values = static_cast<const float *>(array.data());
    for (py::ssize_t i = 0; i < array.size(); ++i)
      bfloats.push_back(toBFloat(values[i]));
    tensor.data = bfloats.data();
  }
};
} // namespace

static py::object toArray(const PruneTensor &tensor) {
  std::vector<py::ssize_t> shape(tensor.shape, tensor.shape + tensor.rank);
  py::array array(py::dtype(dtypeName(tensor.element)), shape);
  if (tensor.element == PRUNE_BF16) {
    auto *from = static_cast<const uint16_t *>(tensor.data);
    auto *to = static_cast<float *>(array.mutable_data());
    for (py::ssize_t i = 0; i < array.size(); ++i)
      to[i] = fromBFloat(from[i]);
  } else if (array.nbytes()) {
    std::memcpy(array.mutable_data(), tensor.data, array.nbytes());
  }
  return std::move(array);
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

py::object Program::call(const py::args &given) const {
  size_t expected = pruneProgramNumArguments(program.get());
  std::vector<std::unique_ptr<Argument>> arguments;
  std::vector<PruneTensor> tensors;
  // The library reports a wrong number of arguments.
  for (size_t i = 0; i < given.size() && i < expected; ++i) {
    arguments.push_back(std::make_unique<Argument>(
        given[i], pruneProgramArgumentType(program.get(), i).element,
        "argument " + std::to_string(i), "the function"));
    tensors.push_back(arguments.back()->tensor);
  }
  tensors.resize(given.size());

  PruneResults *raw = nullptr;
  PruneBuffer message = {nullptr, 0};
  PruneStatus status;
  {
    py::gil_scoped_release release;
    std::shared_lock<std::shared_mutex> lock(*mutex);
    status = pruneProgramCall(program.get(), tensors.data(), tensors.size(),
                              &raw, &message);
  }
  std::string text = message.data ? message.data : "";
  pruneBufferFree(&message);
  check(status, text.c_str());
  std::unique_ptr<PruneResults, decltype(&pruneResultsFree)> results(
      raw, pruneResultsFree);
  size_t count = pruneResultsCount(raw);
  if (count == 1)
    return toArray(pruneResultsGet(raw, 0));
  py::tuple all(count);
  for (size_t i = 0; i < count; ++i)
    all[i] = toArray(pruneResultsGet(raw, i));
  return std::move(all);
}

/// The mapping of what has weights, which it keeps alive.
template <typename Owner> static Weights weightsOf(const Owner &owner) {
  return {[owner] { return owner.weightNames(); },
          [owner](const std::string &name) { return owner.weight(name); },
          [owner](const std::string &name, const py::object &array) {
            owner.setWeight(name, array);
          }};
}

std::vector<std::string> Program::weightNames() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < pruneProgramNumWeights(program.get()); ++i)
    names.push_back(pruneProgramWeightName(program.get(), i));
  return names;
}

size_t Program::findWeight(const std::string &name) const {
  constexpr size_t kShown = 8;
  std::vector<std::string> names = weightNames();
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name)
      return i;
  std::string text = "there is no weight '" + name + "'; the program has ";
  if (names.empty())
    text += "none, compile with externalize=True to make arguments of them";
  for (size_t i = 0; i < names.size() && i < kShown; ++i)
    text += (i ? ", '" : "'") + names[i] + "'";
  if (names.size() > kShown)
    text += " and " + std::to_string(names.size() - kShown) + " more";
  throw Failure{PRUNE_UNKNOWN_WEIGHT, text};
}

py::object Program::weight(const std::string &name) const {
  size_t index = findWeight(name);
  // Whoever sets a weight does not wait for the interpreter's lock.
  std::shared_lock<std::shared_mutex> lock(*mutex);
  return toArray(pruneProgramWeight(program.get(), index));
}

void Program::setWeight(const std::string &name,
                        const py::object &array) const {
  PruneTensor old = pruneProgramWeight(program.get(), findWeight(name));
  Argument given(array, old.element, "weight '" + name + "'", "the function");
  PruneBuffer message = {nullptr, 0};
  PruneStatus status;
  {
    py::gil_scoped_release release;
    std::unique_lock<std::shared_mutex> lock(*mutex);
    status = pruneProgramSetWeight(program.get(), name.c_str(), &given.tensor,
                                   &message);
  }
  std::string text = message.data ? message.data : "";
  pruneBufferFree(&message);
  check(status, text.c_str());
}

Weights Program::weights() const { return weightsOf(*this); }

static std::string typeText(const PruneTensorType &type) {
  std::string text = "[";
  for (int64_t i = 0; i < type.rank; ++i)
    text += (i ? ", " : "") +
            (type.shape[i] < 0 ? "?" : std::to_string(type.shape[i]));
  std::string element =
      type.element == PRUNE_BF16 ? "bfloat16" : dtypeName(type.element);
  return element + text + "]";
}

std::string Program::signature() const {
  std::string text = "(";
  for (size_t i = 0; i < pruneProgramNumArguments(program.get()); ++i)
    text +=
        (i ? ", " : "") + typeText(pruneProgramArgumentType(program.get(), i));
  text += ") -> (";
  for (size_t i = 0; i < pruneProgramNumResults(program.get()); ++i)
    text +=
        (i ? ", " : "") + typeText(pruneProgramResultType(program.get(), i));
  return text + ")";
}

//===----------------------------------------------------------------------===//
// Weights of modules
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

/// The exception classes by status. Owned by the module, which stays loaded.
static PyObject *exceptionOf[PRUNE_UNKNOWN_WEIGHT + 1];

static void loadPlugin(const std::filesystem::path &path) {
  PruneBuffer message;
  PruneStatus status = pruneLoadPlugin(path.c_str(), &message);
  std::string text = message.data ? message.data : "";
  pruneBufferFree(&message);
  check(status, text.c_str());
}

static void defineExceptions(py::module_ &m) {
  static py::exception<void> error(m, "Error");
  static py::exception<void> parse(m, "ParseError", error);
  static py::exception<void> pipeline(m, "PipelineError", error);
  static py::exception<void> pass(m, "PassError", error);
  static py::exception<void> compile(m, "CompileError", error);
  error.attr("__doc__") = "What the compiler said; base of all our exceptions.";
  parse.attr("__doc__") = "The text, bytecode or model cannot be read.";
  pipeline.attr("__doc__") = "A pass or an option of a pipeline is not known.";
  pass.attr("__doc__") = "A pass failed; the module is not to be used further.";
  compile.attr("__doc__") = "There is no such function, or it cannot be "
                            "compiled.";
  exceptionOf[PRUNE_INVALID_ARGUMENT] = error.ptr();
  exceptionOf[PRUNE_PARSE_ERROR] = parse.ptr();
  exceptionOf[PRUNE_PIPELINE_ERROR] = pipeline.ptr();
  exceptionOf[PRUNE_PASS_FAILED] = pass.ptr();
  exceptionOf[PRUNE_COMPILE_ERROR] = compile.ptr();
  static py::exception<void> exporting(m, "ExportError", error);
  exporting.attr("__doc__") = "The module cannot be written as an ONNX file.";
  exceptionOf[PRUNE_EXPORT_ERROR] = exporting.ptr();
  exceptionOf[PRUNE_UNKNOWN_WEIGHT] = PyExc_KeyError;
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Failure &failure) {
      PyErr_SetString(exceptionOf[failure.status], failure.message.c_str());
    }
  });
}

/// A mapping as collections.abc has it, from which we take what follows from
/// the rest.
static void defineWeights(py::module_ &m) {
  py::class_<Weights> weights(
      m, "Weights",
      "Weights by name, as a collections.abc.Mapping to NumPy arrays. Arrays "
      "are copies; float32 if the weight is of bfloat16. Assignment replaces "
      "the numbers of a weight.");
  weights
      .def("__len__", [](const Weights &self) { return self.names().size(); })
      .def("__iter__",
           [](const Weights &self) { return py::iter(py::cast(self.names())); })
      .def("__contains__",
           [](const Weights &self, const py::object &name) {
             return py::cast(self.names()).contains(name);
           })
      .def("__getitem__",
           [](const Weights &self, const std::string &name) {
             return self.get(name);
           })
      .def("__setitem__",
           [](const Weights &self, const std::string &name,
              const py::object &array) { self.set(name, array); })
      .def("__repr__", [](const Weights &self) {
        return "<prune.Weights " +
               py::repr(py::cast(self.names())).cast<std::string>() + ">";
      });
  py::object mapping = py::module_::import("collections.abc").attr("Mapping");
  for (const char *name : {"get", "items", "keys", "values"})
    weights.attr(name) = mapping.attr(name);
  mapping.attr("register")(weights);
}

PYBIND11_MODULE(_prune, m) {
  defineExceptions(m);
  defineWeights(m);
  m.def("version", &pruneVersion, "The version of the library.");
  m.def("load_plugin", &loadPlugin, py::arg("path"),
        "Loads criteria, patterns and passes from a shared library that links "
        "libPrune.so, for all modules that are made afterwards.");

  py::class_<Program>(m, "Program",
                      "A compiled function: call it with NumPy arrays.")
      .def("__call__", &Program::call,
           "Takes one array per argument; returns an array, or a tuple if the "
           "function has none or several results.")
      .def_property_readonly("signature", &Program::signature,
                             "Types of arguments and results, such as "
                             "'(float32[?, 3]) -> (float32[?, 4])'.")
      .def_property_readonly(
          "weights", &Program::weights,
          "What calls read, by name, if compiled with `externalize`; else "
          "empty.")
      .def("set_weight", &Program::setWeight, py::arg("name"), py::arg("array"),
           "Gives later calls other numbers for a weight; the same as "
           "assigning to `weights[name]`. Waits for calls that are running.")
      .def("__repr__", [](const Program &program) {
        return "<prune.Program " + program.signature() + ">";
      });

  py::class_<Module>(m, "Module", "A network as IR.")
      .def_static(
          "parse", &Module::parse, py::arg("source"), py::arg("name") = "-",
          "Reads text (str or bytes) or bytecode (bytes, from a trusted "
          "source). `name` stands in diagnostics.")
      .def_static("read", &Module::read, py::arg("path"),
                  "Reads a file: an ONNX model if its name ends in .onnx, and "
                  "MLIR as text or bytecode else.")
      .def_static(
          "import_onnx", &Module::importONNX, py::arg("path"),
          py::arg("dims") = std::map<std::string, int64_t>(),
          py::arg("values") = std::map<std::string, py::object>(),
          "Reads an ONNX model. `dims` fixes sizes that it leaves open, by "
          "name or as 'input:position'. `values` makes inputs constants: a "
          "number for all elements, or as many as the input has.")
      .def("export_onnx", &Module::exportONNX, py::arg("template"),
           py::arg("dims") = std::map<std::string, int64_t>(),
           py::arg("values") = std::map<std::string, py::object>(),
           "A smaller ONNX file, as bytes: the one at `template`, which the "
           "network was imported from with the same `dims` and `values`, with "
           "what is left of it.")
      .def("clone", &Module::clone, "A copy that changes independently.")
      .def(
          "run", &Module::run, py::arg("pipeline"),
          "Runs passes in place, e.g. 'prune-weights{sparsity=0.9},cse'. After "
          "a PassError the module is not to be used any more.")
      .def("text", &Module::print, py::arg("elide_above") = py::none(),
           "The IR; constants of more elements than `elide_above` shortened.")
      .def("__str__", [](const Module &m) { return m.print(std::nullopt); })
      .def("bytecode", &Module::bytecode, "The IR as MLIR bytecode.")
      .def("report", &Module::report,
           "What prune-report-weights reports as JSON, as a dictionary.")
      .def("compile", &Module::compile, py::arg("entry") = py::none(),
           py::arg("kernels") = "dense", py::arg("level") = 2,
           py::arg("threads") = 1, py::arg("cpu") = py::none(),
           py::arg("externalize") = false,
           "Compiles a public function for this machine: the one of that name, "
           "or 'main', or the only one. LLVM optimises at `level`: 0 compiles "
           "fast, 3 runs fast. `threads` share each product of the kernels "
           "'packed'; OMP_PROC_BIND=spread in the environment binds them to "
           "cores. `cpu` is 'native', 'x86-64-v2', 'x86-64-v3' or "
           "'x86-64-v4'; otherwise PRUNE_CPU in the environment says. With "
           "`externalize` the program takes its weights from a table, "
           "`Program.weights`, whose numbers can be replaced without another "
           "compilation; all products are dense then.")
      .def_property_readonly(
          "weights", &Module::weights,
          "The weights that can be pruned, by name. One with a mask is there "
          "again when prune-fold-masks has run.")
      .def("apply_mask", &Module::applyMask, py::arg("name"), py::arg("array"),
           "Puts a mask on a weight, as prune-mask-weights does: an array of "
           "its shape, of bool or of 0 and 1, true for what is kept. "
           "prune-fold-masks carries it out.")
      .def("score_weights", &Module::scoreWeights, py::arg("callback"),
           py::arg("sparsity") = py::none(), py::arg("pattern") = "element",
           py::arg("scope") = "local", py::arg("include") = "",
           py::arg("exclude") = "",
           "Decides as prune-mask-weights does, with a function as the "
           "criterion: `callback(name, array)` returns an array of scores of "
           "the same shape, higher for what is to be kept. The options are "
           "those of the pass. prune-fold-masks carries the masks out. If the "
           "callback raises, the module stays as it was.")
      .def_property_readonly("diagnostics", &Module::diagnostics,
                             "Warnings and remarks of the last call.");
}
