//===- InlineGlobals.cpp - From ml_program globals to constants -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Frontends keep the weights of a network in globals and read them by symbol.
// What nobody can write is a constant. The symbol is the name that its author
// gave it, so it becomes the resource key, which all other passes know a weight
// by. Data of a resource is copied to the new key: blobs are shared between the
// modules of a context.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/Transforms/Preparation/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::prune {
#define GEN_PASS_DEF_INLINEGLOBALSPASS
#include "prune/Transforms/Preparation/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;
using ml_program::GlobalOp;

/// Whether a tensor of this type may be a weight, which needs a name.
static bool needsName(ShapedType type) {
  return type.hasRank() && type.getRank() != 0 &&
         (getFloatKind(type.getElementType()) ||
          type.getElementType().isInteger(8));
}

/// The value of a global as a constant of the symbol's name, or null if it has
/// none that is known here.
static TypedAttr getNamedValue(GlobalOp global) {
  auto value = dyn_cast_if_present<TypedAttr>(global.getValueAttr());
  if (!value || !isa<ElementsAttr, IntegerAttr, FloatAttr>(value))
    return {};
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || !needsName(elements.getShapedType()) ||
      !getConstantBytes(elements))
    return value;
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (resource && resource.getRawHandle().getKey() == global.getSymName())
    return value;
  return createNamedConstant(elements, global.getSymName());
}

namespace {
/// Inlines the globals of one module.
class GlobalInliner {
public:
  explicit GlobalInliner(ModuleOp module) : module(module) {}

  void inlineLoads() {
    module.walk([&](Operation *op) {
      if (auto load = dyn_cast<ml_program::GlobalLoadConstOp>(op))
        inlineLoad(load);
      else if (auto load = dyn_cast<ml_program::GlobalLoadOp>(op))
        inlineLoad(load);
    });
  }

  /// Erases globals that nothing reads; nobody else can see private ones.
  void eraseUnread(bool erasePublic) {
    SymbolUserMap users(symbols, module);
    SmallVector<GlobalOp> unread;
    module.walk([&](GlobalOp global) {
      if (users.useEmpty(global) && (global.isPrivate() || erasePublic))
        unread.push_back(global);
    });
    for (GlobalOp global : unread)
      global.erase();
  }

private:
  template <typename LoadOp> void inlineLoad(LoadOp load) {
    GlobalOp global = load.getGlobalOp(symbols);
    if (!global || global.getIsMutable())
      return;
    auto [known, isNew] = values.try_emplace(global);
    if (isNew)
      known->second = getNamedValue(global);
    TypedAttr value = known->second;
    if (!value || value.getType() != load.getResult().getType())
      return;
    OpBuilder builder(load);
    load.getResult().replaceAllUsesWith(
        arith::ConstantOp::create(builder, load.getLoc(), value).getResult());
    load.erase();
  }

  ModuleOp module;
  SymbolTableCollection symbols;
  llvm::DenseMap<Operation *, TypedAttr> values;
};

struct InlineGlobals : prune::impl::InlineGlobalsPassBase<InlineGlobals> {
  using Base::Base;

  void runOnOperation() override {
    GlobalInliner inliner(getOperation());
    inliner.inlineLoads();
    inliner.eraseUnread(erasePublic);
  }
};
} // namespace
