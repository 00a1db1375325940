//===- ModelOptions.cpp - Options for reading models ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelOptions.h"

#include "Tool.h"

using namespace mlir::prune;
namespace cl = llvm::cl;

ModelOptions::ModelOptions(cl::OptionCategory &category)
    : dims("dim", cl::cat(category), cl::value_desc("name=size"),
           cl::desc("Fix an open dimension of an ONNX model, by its name in "
                    "the model (N=1) or by input and position (image:0=1); may "
                    "be repeated")),
      values("value", cl::cat(category), cl::value_desc("input=number,..."),
             cl::desc("Make an input of an ONNX model a constant: one number "
                      "for all elements or a list of them (sr=16000); may be "
                      "repeated")) {}

/// Splits `input=numbers` at its last `=`.
llvm::Error ModelOptions::readValues(ONNXImportOptions &options) const {
  for (llvm::StringRef value : values) {
    auto [name, numbers] = value.rsplit('=');
    if (name.empty() || numbers.empty())
      return makeError(kUsage, "expects --value=input=number,... but got '" +
                                   value + "'");
    for (const auto &other : options.values)
      if (name == other.first)
        return makeError(kUsage, "--value=" + name + " is given twice");
    options.values.push_back({name.str(), numbers.str()});
  }
  return llvm::Error::success();
}

llvm::Expected<ONNXImportOptions> ModelOptions::get() const {
  ONNXImportOptions options;
  if (llvm::Error error = readValues(options))
    return error;
  for (llvm::StringRef dim : dims) {
    // Names may contain anything, so the last `=` counts.
    auto [name, size] = dim.rsplit('=');
    int64_t value;
    if (name.empty() || size.getAsInteger(10, value) || value < 1 ||
        value > (int64_t(1) << 40))
      return makeError(kUsage, "expects --dim=name=size with a positive size, "
                               "but got '" +
                                   dim + "'");
    for (const auto &other : options.dims)
      if (name == other.first)
        return makeError(kUsage, "--dim=" + name + " is given twice");
    options.dims.push_back({name.str(), value});
  }
  return options;
}
