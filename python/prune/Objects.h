//===- Objects.h - What the Python classes hold -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_PYTHON_OBJECTS_H
#define PRUNE_PYTHON_OBJECTS_H

#include "prune-c/Prune.h"

#include <pybind11/pybind11.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

namespace prune_python {
namespace py = pybind11;

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

/// Throws if the status is not good, with what was said.
void check(PruneStatus status, const char *diagnostics);

/// Adds what prune/solvers.py calls.
void defineSolvers(py::module_ &m);

template <typename Function> void Module::guarded(Function function) const {
  py::gil_scoped_release release;
  std::lock_guard<std::mutex> lock(*mutex);
  PruneStatus status = function();
  check(status, pruneContextDiagnostics(context.get()));
}

/// The mapping of what has weights, which it keeps alive.
template <typename Owner> Weights weightsOf(const Owner &owner) {
  return {[owner] { return owner.weightNames(); },
          [owner](const std::string &name) { return owner.weight(name); },
          [owner](const std::string &name, const py::object &array) {
            owner.setWeight(name, array);
          }};
}

} // namespace prune_python

#endif // PRUNE_PYTHON_OBJECTS_H
