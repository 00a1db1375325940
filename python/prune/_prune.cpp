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
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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

class Program {
public:
  explicit Program(PruneProgram *program)
      : program(program, pruneProgramFree) {}

  py::object call(const py::args &arguments) const;
  /// "(4x64xf32) -> (4x10xf32)"
  std::string signature() const;

private:
  std::shared_ptr<PruneProgram> program;
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
                  const std::optional<std::string> &cpu) const;
  std::string diagnostics() const;

private:
  Module(ContextPtr context, PruneModule *module)
      : context(std::move(context)), module(module, pruneModuleFree),
        mutex(std::make_shared<std::mutex>()) {}

  /// Calls into the library without the interpreter's lock, one thread at a
  /// time, and throws if the status is not good.
  template <typename Function> void guarded(Function function) const;

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
    return pruneModuleExportONNX(module.get(), original.c_str(),
                                 &fixed.options, &model);
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
                        unsigned threads,
                        const std::optional<std::string> &cpu) const {
  const PruneCompileOptions options = {level, threads,
                                       cpu ? cpu->c_str() : nullptr};
  PruneProgram *program = nullptr;
  guarded([&] {
    return pruneModuleCompileWithOptions(module.get(),
                                         entry ? entry->c_str() : nullptr,
                                         kernels.c_str(), &options, &program);
  });
  return Program(program);
}

std::string Module::diagnostics() const {
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
/// One argument with everything that must live as long as the call.
struct Argument {
  py::array array;
  std::vector<uint16_t> bfloats;
  std::vector<int64_t> shape;
  PruneTensor tensor;

  Argument(const py::handle &given, PruneElementType element, size_t index) {
    py::module_ numpy = py::module_::import("numpy");
    py::object dtype = numpy.attr("dtype")(dtypeName(element));
    // "same_kind" lets float64 become float32, but never float an integer.
    py::array any = numpy.attr("asarray")(given);
    if (!numpy.attr("can_cast")(any.dtype(), dtype, "same_kind").cast<bool>())
      throw Failure{PRUNE_INVALID_ARGUMENT,
                    "argument " + std::to_string(index) + " is an array of " +
                        py::str(any.dtype()).cast<std::string>() +
                        ", but the function takes " + dtypeName(element)};
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
        given[i], pruneProgramArgumentType(program.get(), i).element, i));
    tensors.push_back(arguments.back()->tensor);
  }
  tensors.resize(given.size());

  PruneResults *raw = nullptr;
  PruneBuffer message = {nullptr, 0};
  PruneStatus status;
  {
    py::gil_scoped_release release;
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
// The module
//===----------------------------------------------------------------------===//

/// The exception classes by status. Owned by the module, which stays loaded.
static PyObject *exceptionOf[PRUNE_EXPORT_ERROR + 1];

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
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Failure &failure) {
      PyErr_SetString(exceptionOf[failure.status], failure.message.c_str());
    }
  });
}

PYBIND11_MODULE(_prune, m) {
  defineExceptions(m);
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
      .def(
          "export_onnx", &Module::exportONNX, py::arg("template"),
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
           "Compiles a public function for this machine: the one of that name, "
           "or 'main', or the only one. LLVM optimises at `level`: 0 compiles "
           "fast, 3 runs fast. `threads` share each product of the kernels "
           "'packed'; OMP_PROC_BIND=spread in the environment binds them to "
           "cores. `cpu` is 'native', 'x86-64-v2', 'x86-64-v3' or "
           "'x86-64-v4'; otherwise PRUNE_CPU in the environment says.")
      .def_property_readonly("diagnostics", &Module::diagnostics,
                             "Warnings and remarks of the last call.");
}
