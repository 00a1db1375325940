//===- VerifyResources.cpp - Check resources of constants -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser and verifier accept a resource without data, or with too little of it.
// Every later step reads the buffer, so the check stands at the very beginning.
// It looks at all attributes of all operations, nested ones included.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/ConstantView.h"
#include "prune/Transforms/Preparation/Passes.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::prune {
#define GEN_PASS_DEF_VERIFYRESOURCESPASS
#include "prune/Transforms/Preparation/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;

/// The bytes that a resource of this type holds, or nothing if the type has no
/// fixed element size.
static std::optional<uint64_t> expectedBytes(ShapedType type) {
  Type element = type.getElementType();
  uint64_t bits = 0;
  if (auto complex = dyn_cast<ComplexType>(element))
    element = complex.getElementType(), bits = 2;
  if (element.isIndex())
    bits = std::max<uint64_t>(bits, 1) * 64;
  else if (element.isIntOrFloat())
    bits = std::max<uint64_t>(bits, 1) * element.getIntOrFloatBitWidth();
  else
    return std::nullopt;
  // Each element starts at a byte, except that bits are packed.
  uint64_t count = type.getNumElements();
  return bits == 1 ? (count + 7) / 8 : count * ((bits + 7) / 8);
}

static LogicalResult verifyResource(Operation *op,
                                    DenseResourceElementsAttr attr,
                                    bool allowElided) {
  if (prune::isElided(attr))
    return allowElided ? success() : prune::reportElided(op);
  ShapedType type = attr.getType();
  StringRef key = attr.getRawHandle().getKey();
  AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  if (!blob)
    return op->emitError("resource '")
           << key << "' has no data; add it to the file's "
           << "dialect_resources, or check the spelling of its key";
  std::optional<uint64_t> expected = expectedBytes(type);
  uint64_t actual = blob->getData().size();
  if (!expected || *expected == actual)
    return success();
  // A buffer of one element may stand for a splat.
  if (type.getNumElements() > 0 && type.getElementType().isIntOrFloat() &&
      actual == (type.getElementTypeBitWidth() + 7) / 8)
    return success();
  return op->emitError("resource '")
         << key << "' holds " << actual << " bytes, but " << type << " needs "
         << *expected;
}

namespace {
struct VerifyResources : prune::impl::VerifyResourcesPassBase<VerifyResources> {
  using Base::Base;

  void runOnOperation() override {
    bool failed = false;
    getOperation()->walk([&](Operation *op) {
      AttrTypeWalker walker;
      walker.addWalk([&](DenseResourceElementsAttr attr) {
        failed |= verifyResource(op, attr, allowElided).failed();
      });
      walker.walk(op->getAttrDictionary());
    });
    if (failed)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
