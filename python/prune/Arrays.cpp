//===- Arrays.cpp - NumPy arrays as tensors -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays are copied only where they are not dense or have another type. NumPy
// has no bfloat16: such arguments and results are float32 here, arguments
// rounded to the nearest, ties to even.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"

#include "Objects.h"

#include <cstring>

namespace py = pybind11;
using namespace prune_python;

const char *prune_python::dtypeName(PruneElementType type) {
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

Argument::Argument(const py::handle &given, PruneElementType element,
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

py::object prune_python::toArray(const PruneTensor &tensor) {
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
