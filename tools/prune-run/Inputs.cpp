//===- Inputs.cpp - Arguments from files or at random ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers come from a counter, not from a sequence: number j of argument
// i is a hash of (seed, i, j), so a test can recompute any of them.
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"

#include "prune/Core/TensorView.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

static uint16_t roundToBits(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

NpyArray mlir::prune::toBFloat(const NpyArray &array) {
  NpyArray rounded(NpyType::I16, array.shape());
  auto *out = reinterpret_cast<uint16_t *>(rounded.bytes().data());
  for (int64_t i = 0, e = array.size(); i < e; ++i)
    out[i] = roundToBits(array.asDouble(i), llvm::APFloat::BFloat());
  return rounded;
}

NpyArray mlir::prune::fromBFloat(const NpyArray &array) {
  NpyArray widened(NpyType::F32, array.shape());
  auto *in = reinterpret_cast<const uint16_t *>(array.bytes().data());
  auto *out = reinterpret_cast<float *>(widened.bytes().data());
  for (int64_t i = 0, e = array.size(); i < e; ++i)
    out[i] = bfloatToDouble(in[i]);
  return widened;
}

//===----------------------------------------------------------------------===//
// Random arrays
//===----------------------------------------------------------------------===//

/// The finaliser of splitmix64: every bit of the result depends on every bit.
static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

static void storeRandom(NpyArray &array, int64_t index, uint64_t hash) {
  // 24 bits, so that the number is exact in float32.
  double real = double(hash >> 40) / (1 << 23) - 1;
  float single = real;
  uint16_t half;
  int64_t integer = hash >> 61;
  char *out = array.bytes().data() + index * byteSize(array.type());
  switch (array.type()) {
  case NpyType::F64:
    std::memcpy(out, &real, sizeof(real));
    break;
  case NpyType::F32:
    std::memcpy(out, &single, sizeof(single));
    break;
  case NpyType::F16:
    half = roundToBits(real, llvm::APFloat::IEEEhalf());
    std::memcpy(out, &half, sizeof(half));
    break;
  case NpyType::Bool:
    *out = integer & 1;
    break;
  default:
    std::memcpy(out, &integer, byteSize(array.type()));
    break;
  }
}

static NpyArray makeRandom(NpyType type, ArrayRef<int64_t> shape, uint64_t seed,
                           unsigned argument) {
  NpyArray array(type, shape);
  uint64_t stream = mix(mix(seed) + argument);
  for (int64_t i = 0, e = array.size(); i < e; ++i)
    storeRandom(array, i, mix(stream + i));
  return array;
}

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
  size_t equals = text.starts_with("@") ? StringRef::npos
                  : at != StringRef::npos ? at
                                          : text.rfind('=');
  if (equals != StringRef::npos) {
    name = text.take_front(equals);
    value = text.drop_front(equals + 1);
  }
  request.isFile = value.consume_front("@");
  request.path = value.str();
  if (request.isFile ? value.empty() : !parseShape(value, request.shape))
    return createStringError("--input=" + text +
                             ": expected [name=]@file.npy, or [name=]4x8 for a "
                             "random array of that shape");
  return std::make_pair(name, std::move(request));
}

/// The argument that a name stands for.
static Expected<unsigned> findArgument(const Model &model, StringRef name) {
  std::string names;
  for (auto [i, port] : llvm::enumerate(model.arguments)) {
    if (port.name == name)
      return i;
    if (!port.name.empty())
      names += (names.empty() ? "'" : ", '") + port.name + "'";
  }
  unsigned index;
  if (!name.getAsInteger(10, index) && index < model.arguments.size())
    return index;
  return createStringError("--input: '" + model.entry + "' has no argument '" +
                           name + "'; it has " +
                           Twine(model.arguments.size()) + " arguments" +
                           (names.empty() ? "" : ", named " + names));
}

/// Sorts the options by argument.
static Expected<std::vector<std::optional<Request>>>
assignOptions(const Model &model, ArrayRef<std::string> options) {
  std::vector<std::optional<Request>> requests(model.arguments.size());
  unsigned position = 0;
  for (const std::string &option : options) {
    auto parsed = parseOption(option);
    if (!parsed)
      return parsed.takeError();
    unsigned index;
    if (parsed->first.empty()) {
      index = position++;
      if (index >= requests.size())
        return createStringError("--input=" + option + ": '" + model.entry +
                                 "' has only " + Twine(requests.size()) +
                                 " arguments");
    } else {
      Expected<unsigned> found = findArgument(model, parsed->first);
      if (!found)
        return found.takeError();
      index = *found;
    }
    if (requests[index])
      return createStringError("--input=" + option + ": " +
                               model.arguments[index].description +
                               " is given twice");
    requests[index] = std::move(parsed->second);
  }
  return std::move(requests);
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

static bool fits(ArrayRef<int64_t> expected, ArrayRef<int64_t> actual) {
  return expected.size() == actual.size() &&
         llvm::all_of_zip(expected, actual, [](int64_t e, int64_t a) {
           return e == -1 || e == a;
         });
}

bool mlir::prune::isSliced(const Port &port, const Input &input,
                           const Batching &batching) {
  ArrayRef<int64_t> shape = input.array.shape();
  if (!batching.enabled || port.shape.empty() || shape.empty() ||
      !fits(ArrayRef(port.shape).drop_front(), shape.drop_front()))
    return false;
  return port.shape[0] == -1 ? batching.size > 0 : port.shape[0] != shape[0];
}

static bool typesFit(const Port &port, const Input &input) {
  if (port.isBFloat != input.isBFloat)
    return false;
  // A signless byte can be either.
  auto isByte = [](NpyType type) {
    return type == NpyType::I8 || type == NpyType::U8;
  };
  NpyType type = input.isBFloat ? NpyType::F32 : input.array.type();
  return type == port.type || (isByte(type) && isByte(port.type));
}

static Error checkInput(const Port &port, const Input &input, StringRef source,
                        const Batching &batching) {
  if (!typesFit(port, input) ||
      (!fits(port.shape, input.array.shape()) &&
       !isSliced(port, input, batching)))
    return createStringError(
        source + " is " + shapeString(input.array.shape()) + " of " +
        (input.isBFloat ? "bfloat16" : typeName(input.array.type())) +
        ", but " + port.description + " is " + port.typeText());
  return Error::success();
}

Error mlir::prune::checkInputs(const Model &model, ArrayRef<Input> inputs,
                               const Batching &batching) {
  if (model.arguments.size() != inputs.size())
    return createStringError("'" + model.entry + "' of '" + model.path +
                             "' has " + Twine(model.arguments.size()) +
                             " arguments, but there are " +
                             Twine(inputs.size()) + " inputs");
  for (auto [i, port] : llvm::enumerate(model.arguments))
    if (Error error = checkInput(port, inputs[i],
                                 "input " + std::to_string(i) + " for '" +
                                     model.path + "'",
                                 batching))
      return error;
  return Error::success();
}

/// Makes up an array for an argument whose shape is known.
static Expected<Input> randomInput(const Port &port, unsigned index,
                                   ArrayRef<int64_t> shape, uint64_t seed) {
  if (llvm::is_contained(shape, -1))
    return createStringError(
        port.description + " is " + port.typeText() +
        "; give it a file, --input=" + Twine(index) +
        "=@file.npy, or a shape for random numbers, --input=" + Twine(index) +
        "=4x8");
  if (!npyByteCount(port.type, shape))
    return createStringError(port.description + " has the absurd shape " +
                             shapeString(shape));
  NpyArray array = makeRandom(port.type, shape, seed, index);
  if (port.isBFloat)
    array = toBFloat(array);
  return Input{std::move(array), port.isBFloat};
}

Expected<std::vector<Input>>
mlir::prune::makeInputs(const Model &model, ArrayRef<std::string> options,
                        uint64_t seed, const Batching &batching) {
  auto requests = assignOptions(model, options);
  if (!requests)
    return requests.takeError();
  std::vector<Input> inputs;
  for (auto [i, port] : llvm::enumerate(model.arguments)) {
    const std::optional<Request> &request = (*requests)[i];
    Input input;
    if (request && request->isFile) {
      Expected<NpyArray> array = readNpy(request->path);
      if (!array)
        return array.takeError();
      input.array = std::move(*array);
      if (port.isBFloat && input.array.type() == NpyType::F32)
        input = {toBFloat(input.array), true};
    } else {
      auto random = randomInput(
          port, i, request ? ArrayRef(request->shape) : ArrayRef(port.shape),
          seed);
      if (!random)
        return random.takeError();
      input = std::move(*random);
    }
    if (request)
      if (Error error = checkInput(port, input, "--input=" + request->text,
                                   batching))
        return std::move(error);
    inputs.push_back(std::move(input));
  }
  return std::move(inputs);
}
