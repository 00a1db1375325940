//===- Program.cpp - Compiled functions of the Python package -------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "Objects.h"

namespace py = pybind11;
using namespace prune_python;

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
