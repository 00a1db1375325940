//===- Inputs.cpp - Arguments from files or at random ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An argument may be named, numbered, or taken in order. Data sets are often
// float64 or bytes where a network wants float32, so arrays are converted
// where nothing but precision can get lost.
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"

#include "Tools/Tool.h"

#include "prune/Execution/Elements.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

namespace {
/// One --input option.
struct Request {
  std::string text, path;
  SmallVector<int64_t> shape;
  bool isFile = false;
};
} // namespace

/// "4x8" or, for rank 0, "()".
static bool parseShape(StringRef text, SmallVectorImpl<int64_t> &shape) {
  if (text == "()")
    return true;
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  for (StringRef part : parts)
    if (part.getAsInteger(10, shape.emplace_back()) || shape.back() < 0)
      return false;
  return true;
}

/// Splits an option into the name, which may be empty, and the rest.
static Expected<std::pair<StringRef, Request>> parseOption(StringRef text) {
  Request request;
  request.text = text.str();
  StringRef name, value = text;
  // A file name may contain '=' and '@', the name of an argument only '='.
  size_t at = text.starts_with("@") ? StringRef::npos : text.find("=@");
  size_t equals = text.starts_with("@")   ? StringRef::npos
                  : at != StringRef::npos ? at
                                          : text.rfind('=');
  if (equals != StringRef::npos) {
    name = text.take_front(equals);
    value = text.drop_front(equals + 1);
  }
  request.isFile = value.consume_front("@");
  request.path = value.str();
  if (request.isFile ? value.empty() : !parseShape(value, request.shape))
    return makeError(kUsage, "--input=" + text +
                                 ": expected [name=]@file.npy, or [name=]4x8 "
                                 "for a random array of that shape");
  return std::make_pair(name, std::move(request));
}

/// The argument that a name stands for.
static Expected<unsigned> findArgument(const Model &model, StringRef name) {
  std::string names;
  for (auto [i, port] : llvm::enumerate(model.program->arguments())) {
    if (port.name == name)
      return i;
    if (!port.name.empty())
      names += (names.empty() ? "'" : ", '") + port.name + "'";
  }
  unsigned index;
  if (!name.getAsInteger(10, index) &&
      index < model.program->arguments().size())
    return index;
  return makeError(kUsage, "--input: '" + model.program->entry() +
                               "' has no argument '" + name + "'; it has " +
                               Twine(model.program->arguments().size()) +
                               " arguments" +
                               (names.empty() ? "" : ", named " + names));
}

/// Sorts the options by argument.
static Expected<std::vector<std::optional<Request>>>
assignOptions(const Model &model, ArrayRef<std::string> options) {
  std::vector<std::optional<Request>> requests(
      model.program->arguments().size());
  unsigned position = 0;
  for (const std::string &option : options) {
    auto parsed = parseOption(option);
    if (!parsed)
      return parsed.takeError();
    unsigned index;
    if (parsed->first.empty()) {
      index = position++;
      if (index >= requests.size())
        return makeError(kUsage, "--input=" + option + ": '" +
                                     model.program->entry() + "' has only " +
                                     Twine(requests.size()) + " arguments");
    } else {
      Expected<unsigned> found = findArgument(model, parsed->first);
      if (!found)
        return found.takeError();
      index = *found;
    }
    if (requests[index])
      return makeError(kUsage,
                       "--input=" + option + ": " +
                           model.program->arguments()[index].description +
                           " is given twice");
    requests[index] = std::move(parsed->second);
  }
  return std::move(requests);
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

Error mlir::prune::checkInputs(const Model &model, ArrayRef<Input> inputs,
                               const Batching &batching) {
  if (model.program->arguments().size() != inputs.size())
    return makeError(kInput, "'" + model.program->entry() + "' of '" +
                                 model.path + "' has " +
                                 Twine(model.program->arguments().size()) +
                                 " arguments, but there are " +
                                 Twine(inputs.size()) + " inputs");
  for (auto [i, port] : llvm::enumerate(model.program->arguments()))
    if (Error error = checkInput(port, inputs[i],
                                 "input " + std::to_string(i) + " for '" +
                                     model.path + "'",
                                 batching))
      return withCode(kInput, std::move(error));
  return Error::success();
}

/// Makes up an array for an argument whose shape is known.
static Expected<Input> randomInput(const Port &port, unsigned index,
                                   const std::optional<Request> &request,
                                   uint64_t seed) {
  ArrayRef<int64_t> shape =
      request ? ArrayRef(request->shape) : ArrayRef(port.shape);
  if (llvm::is_contained(shape, -1))
    return makeError(kUsage, port.description + " is " + fileTypeText(port) +
                                 "; give it a file, --input=" + Twine(index) +
                                 "=@file.npy, or a shape for random numbers, "
                                 "--input=" +
                                 Twine(index) + "=4x8");
  Expected<NpyArray> array =
      makeRandom(request ? "--input=" + request->text : port.description,
                 fileTypeOf(port.element), shape, seed, index);
  bool isBFloat = port.element == ElementType::BF16;
  if (array && isBFloat)
    array = toBFloat(*array);
  if (!array)
    return array.takeError();
  return Input{std::move(*array), isBFloat};
}

/// Reads an array and converts it to what the argument takes, if it may be.
static Expected<Input> readInput(const Port &port, const Request &request) {
  Expected<NpyArray> array = readNpy(request.path);
  if (!array)
    return withCode(kInput, array.takeError());
  std::string what = "--input=" + request.text;
  NpyType type = array->type(), wanted = fileTypeOf(port.element);
  bool takesBFloat = port.element == ElementType::BF16;
  if (!isSameType(type, wanted) && canConvert(type, wanted)) {
    array = convert(what, *array, wanted);
    if (array)
      note(what + " is converted from " + typeName(type) + " to " +
           (takesBFloat ? "bfloat16" : typeName(wanted)));
  }
  if (!array)
    return withCode(kInput, array.takeError());
  bool isBFloat = takesBFloat && array->type() == NpyType::F32;
  if (isBFloat)
    array = toBFloat(*array);
  if (!array)
    return array.takeError();
  return Input{std::move(*array), isBFloat};
}

Expected<std::vector<Input>>
mlir::prune::makeInputs(const Model &model, ArrayRef<std::string> options,
                        uint64_t seed, const Batching &batching) {
  auto requests = assignOptions(model, options);
  if (!requests)
    return requests.takeError();
  std::vector<Input> inputs;
  for (auto [i, port] : llvm::enumerate(model.program->arguments())) {
    const std::optional<Request> &request = (*requests)[i];
    Expected<Input> input = request && request->isFile
                                ? readInput(port, *request)
                                : randomInput(port, i, request, seed);
    if (!input)
      return input.takeError();
    if (request)
      if (Error error =
              checkInput(port, *input, "--input=" + request->text, batching))
        return withCode(kInput, std::move(error));
    inputs.push_back(std::move(*input));
  }
  return std::move(inputs);
}
