//===- SharedFunctions.h - One function for equal ones ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function is written down as text, and functions that come to the same text
// are one.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_LOWERING_BUFFERS_SHAREDFUNCTIONS_H
#define PRUNE_LIB_LOWERING_BUFFERS_SHAREDFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::prune {

class SharedFunctions {
public:
  explicit SharedFunctions(Operation *module) : symbols(module) {}

  /// Takes a function that is in no module: puts it into ours, under a name
  /// that is free, or erases it and returns the equal one that is there.
  func::FuncOp insert(func::FuncOp function) {
    // Where it were inlined, nothing would be gained.
    function->setAttr(
        "passthrough",
        Builder(function.getContext()).getStrArrayAttr({"noinline"}));
    std::string text;
    llvm::raw_string_ostream os(text);
    function.print(os);
    auto [entry, isNew] = known.try_emplace(text, function);
    if (isNew)
      symbols.insert(function);
    else
      function.erase();
    return entry->second;
  }

private:
  SymbolTable symbols;
  llvm::StringMap<func::FuncOp> known;
};

} // namespace mlir::prune

#endif // PRUNE_LIB_LOWERING_BUFFERS_SHAREDFUNCTIONS_H
