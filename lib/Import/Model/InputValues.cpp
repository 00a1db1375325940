//===- InputValues.cpp - Inputs that are fixed at import ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Some inputs choose what a network is: a sampling rate, a mode. Given their
// elements they become constants, and branches that depend on them fold.
//
//===----------------------------------------------------------------------===//

#include "Rewrites.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace mlir;
using namespace mlir::prune;
using namespace mlir::prune::onnx_import;

/// Appends one element as the bytes that a tensor holds; false if the text is
/// no number of the type.
static bool appendElement(StringRef text, DataType type, Type element,
                          std::string &bytes) {
  APInt bits;
  unsigned width = element.getIntOrFloatBitWidth();
  if (isa<FloatType>(element)) {
    double value;
    if (text.getAsDouble(value))
      return false;
    bits = floatOf(element, value).bitcastToAPInt();
  } else if (type == DataType::Bool) {
    if (text != "0" && text != "1" && text != "true" && text != "false")
      return false;
    bits = APInt(8, text == "1" || text == "true");
  } else {
    // One digit more than a sign and 64 bits need.
    APSInt value;
    if (text.getAsInteger(10, bits) && !text.starts_with("-"))
      return false;
    StringRef digits = text;
    bool isNegative = digits.consume_front("-");
    if (digits.getAsInteger(10, bits) || bits.getActiveBits() > 64)
      return false;
    value = APSInt(bits.zextOrTrunc(66), /*isUnsigned=*/false);
    if (isNegative)
      value = -value;
    bool fits = isUnsigned(type) ? !value.isNegative() && value.isIntN(width)
                                 : value.isSignedIntN(width);
    if (!fits)
      return false;
    bits = value.trunc(width);
  }
  uint64_t raw = bits.getZExtValue();
  bytes.append(reinterpret_cast<const char *>(&raw),
               divideCeil(bits.getBitWidth(), 8));
  return true;
}

/// Sizes of a fixed input. One that is open is as long as the list of elements.
static Expected<SmallVector<int64_t>>
readShape(const onnx::ValueInfoProto &info, const ONNXImportOptions &options,
          int64_t numGiven) {
  SmallVector<int64_t> shape;
  std::optional<size_t> open;
  for (auto [at, dim] : enumerate(info.type().tensor_type().shape().dim())) {
    std::string position = (info.name() + ":" + Twine(at)).str();
    int64_t size = dim.has_dim_value() ? dim.dim_value() : -1;
    for (const auto &[name, given] : options.dims)
      if (size < 0 && (name == position || name == dim.dim_param()))
        size = given;
    if (size < 0 && open)
      return createStringError("has several open sizes; fix them with --dim");
    if (size < 0)
      open = at;
    shape.push_back(open == at ? 1 : size);
  }
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size > kMaxContents || (count *= size) > kMaxContents)
      return createStringError("has more than " + Twine(kMaxContents) +
                               " elements");
  }
  if (open && count != 0 && numGiven % count == 0)
    shape[*open] = numGiven / count;
  return shape;
}

/// The tensor that an input is fixed to.
static Expected<onnx::TensorProto> makeTensor(const onnx::ValueInfoProto &info,
                                              StringRef text,
                                              const ONNXImportOptions &options,
                                              MLIRContext *context) {
  auto type = static_cast<DataType>(info.type().tensor_type().elem_type());
  Type element = elementType(type, context);
  if (!element || !info.type().tensor_type().has_shape())
    return createStringError("is no tensor of numbers with a shape");
  SmallVector<StringRef> elements;
  text.split(elements, ',');
  int64_t numGiven = elements.size();
  Expected<SmallVector<int64_t>> shape = readShape(info, options, numGiven);
  if (!shape)
    return shape.takeError();
  onnx::TensorProto tensor;
  int64_t count = 1;
  for (int64_t size : *shape) {
    tensor.add_dims(size);
    count *= size;
  }
  if (numGiven != 1 && numGiven != count)
    return createStringError(
        formatv("takes one number or {0}, but got {1}", count, numGiven).str());
  tensor.set_name(info.name());
  tensor.set_data_type(static_cast<int>(type));
  std::string &bytes = *tensor.mutable_raw_data();
  for (int64_t at = 0; at != count; ++at) {
    StringRef number = elements[numGiven == 1 ? 0 : at].trim();
    if (!appendElement(number, type, element, bytes))
      return createStringError("takes numbers of type " + nameOf(type) +
                               ", but got '" + number + "'");
  }
  return tensor;
}

Error mlir::prune::onnx_import::fixInputs(onnx::GraphProto &graph,
                                          const ONNXImportOptions &options,
                                          MLIRContext *context) {
  auto &inputs = *graph.mutable_input();
  for (const auto &[name, text] : options.values) {
    auto found =
        llvm::find_if(inputs, [&, name = StringRef(name)](const auto &info) {
          return StringRef(info.name()) == name;
        });
    if (found == inputs.end()) {
      auto names = map_range(inputs, [](const auto &i) { return i.name(); });
      return createStringError("there is no input '" + name +
                               "' to fix; there are: " + join(names, ", "));
    }
    Expected<onnx::TensorProto> tensor =
        makeTensor(*found, text, options, context);
    if (!tensor)
      return createStringError("input '" + name + "' " +
                               toString(tensor.takeError()));
    // A default that the file gives is replaced.
    auto &stored = *graph.mutable_initializer();
    auto old =
        llvm::find_if(stored, [&, name = StringRef(name)](const auto &other) {
          return StringRef(other.name()) == name;
        });
    if (old != stored.end())
      old->Swap(&*tensor);
    else
      stored.Add()->Swap(&*tensor);
    inputs.erase(found);
  }
  return Error::success();
}
