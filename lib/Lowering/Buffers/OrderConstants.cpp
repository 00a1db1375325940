//===- OrderConstants.cpp - Constants in the order of their use -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's bufferization visits the functions of a module in an order that
// differs from run to run, and numbers the globals of constants as it meets
// them. Here they are numbered again, in the order in which the module reads
// them, so that the same module always becomes the same text.
//
//===----------------------------------------------------------------------===//

#include "prune/Lowering/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::prune {
#define GEN_PASS_DEF_ORDERCONSTANTSPASS
#include "prune/Lowering/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// The name that upstream gives to the first constant of a type.
static std::string getFirstName(MemRefType type) {
  std::string name;
  llvm::raw_string_ostream os(name);
  os << "__constant_";
  llvm::interleave(type.getShape(), os, "x");
  if (type.getRank())
    os << "x";
  os << type.getElementType();
  return name;
}

/// Whether bufferization made a global.
static bool isMade(memref::GlobalOp global) {
  return global.isPrivate() && global.getConstant() &&
         global.getSymName().starts_with("__constant_");
}

namespace {
/// The globals that bufferization made, with what reads them, by first reads.
using Readers =
    llvm::MapVector<StringAttr, SmallVector<memref::GetGlobalOp, 1>>;
} // namespace

static Readers collectReaders(ModuleOp module) {
  Readers readers;
  module->walk<WalkOrder::PreOrder>([&](Operation *op) {
    // Symbols of a module inside are others.
    if (isa<ModuleOp>(op) && op != module.getOperation())
      return WalkResult::skip();
    if (auto read = dyn_cast<memref::GetGlobalOp>(op))
      readers[read.getNameAttr().getAttr()].push_back(read);
    return WalkResult::advance();
  });
  return readers;
}

namespace {
struct OrderConstants : prune::impl::OrderConstantsPassBase<OrderConstants> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Readers readers = collectReaders(module);
    llvm::DenseMap<StringAttr, memref::GlobalOp> made;
    llvm::StringSet<> taken;
    for (Operation &op : *module.getBody()) {
      auto name =
          op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
      auto global = dyn_cast<memref::GlobalOp>(op);
      if (global && isMade(global) && readers.contains(name))
        made[name] = global;
      else if (name)
        taken.insert(name);
    }
    llvm::StringMap<unsigned> numbers;
    Operation *last = nullptr;
    for (auto &[old, reads] : readers) {
      memref::GlobalOp global = made.lookup(old);
      if (!global)
        continue;
      std::string first = getFirstName(global.getType()), name = first;
      while (!taken.insert(name).second)
        name = first + "_" + std::to_string(numbers[first]++);
      global.setSymName(name);
      for (memref::GetGlobalOp read : reads)
        read.setName(name);
      if (last)
        global->moveAfter(last);
      else
        global->moveBefore(&module.getBody()->front());
      last = global;
    }
  }
};
} // namespace
