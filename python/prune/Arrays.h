//===- Arrays.h - NumPy arrays as tensors -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_PYTHON_ARRAYS_H
#define PRUNE_PYTHON_ARRAYS_H

#include "prune-c/Prune.h"

#include <pybind11/numpy.h>

#include <string>
#include <vector>

namespace prune_python {
namespace py = pybind11;

/// NumPy's name of the type in which arrays of `type` cross.
const char *dtypeName(PruneElementType type);

/// One array with everything that must live as long as the call.
struct Argument {
  py::array array;
  std::vector<uint16_t> bfloats;
  std::vector<int64_t> shape;
  PruneTensor tensor;

  /// `name` and `taker` are what messages call the array and what takes it.
  Argument(const py::handle &given, PruneElementType element,
           const std::string &name, const char *taker);
};

/// A copy as an array.
py::object toArray(const PruneTensor &tensor);

} // namespace prune_python

#endif // PRUNE_PYTHON_ARRAYS_H
