//===- PluginOptions.h - Plugins of the command line ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_PLUGINOPTIONS_H
#define PRUNE_LIB_TOOLS_PLUGINOPTIONS_H

#include "Tool.h"

#include "prune/InitAll.h"

#include "llvm/Support/CommandLine.h"

namespace mlir::prune {

/// `--load-plugin`, which all tools have.
struct PluginOptions {
  explicit PluginOptions(llvm::cl::OptionCategory &category)
      : paths("load-plugin", llvm::cl::cat(category),
              llvm::cl::value_desc("file.so"),
              llvm::cl::desc("Load criteria, patterns and passes from a shared "
                             "library that links libPrune.so; may be "
                             "repeated")) {}

  /// Before registries are filled.
  llvm::Error load() const {
    for (const std::string &path : paths)
      if (llvm::Error error = loadPlugin(path))
        return withCode(kInput, std::move(error));
    return llvm::Error::success();
  }

private:
  llvm::cl::list<std::string> paths;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_PLUGINOPTIONS_H
