//===- Module.cpp - Modules of the Python package -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each module has a context of its own, so that modules in different threads do
// not meet; the interpreter's lock is released while passes run and while a
// module is compiled.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include <pybind11/stl.h>

namespace py = pybind11;
using namespace prune_python;

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
