//===- _prune.cpp - Python bindings ---------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Python sees: classes, functions and exceptions with their docstrings.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

namespace py = pybind11;
using namespace prune_python;

void prune_python::check(PruneStatus status, const char *diagnostics) {
  if (status == PRUNE_OK)
    return;
  std::string message = diagnostics;
  while (!message.empty() && message.back() == '\n')
    message.pop_back();
  if (message.empty())
    message = pruneStatusName(status);
  throw Failure{status, message};
}

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
  defineSolvers(m);
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
