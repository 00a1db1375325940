//===- ConstantView.cpp - Constants as buffers ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers are looked at in place: nothing is copied, whatever the size.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"

#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::prune;

std::optional<ConstantBytes> mlir::prune::getConstantBytes(Attribute value) {
  auto elements = dyn_cast_or_null<ElementsAttr>(value);
  if (!elements || !elements.getElementType().isIntOrFloat())
    return std::nullopt;
  unsigned bits = elements.getElementType().getIntOrFloatBitWidth();
  if (bits % 8 != 0)
    return std::nullopt;
  ConstantBytes bytes{{}, bits / 8, false};
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    bytes.data = dense.getRawData();
    bytes.isSplat = dense.isSplat();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    bytes.data = blob->getData();
    bytes.isSplat = bytes.data.size() == bytes.elementSize &&
                    elements.getNumElements() > 1;
  } else {
    return std::nullopt;
  }
  size_t count = bytes.isSplat ? 1 : elements.getNumElements();
  if (bytes.data.size() != count * bytes.elementSize)
    return std::nullopt;
  return bytes;
}

std::optional<TensorView> mlir::prune::getTensorView(Attribute value) {
  std::optional<ConstantBytes> bytes = getConstantBytes(value);
  if (!bytes)
    return std::nullopt;
  auto elements = cast<ElementsAttr>(value);
  std::optional<FloatKind> kind = getFloatKind(elements.getElementType());
  if (!kind)
    return std::nullopt;
  return TensorView{*kind, bytes->data, elements.getShapedType().getShape(),
                    bytes->isSplat};
}

DenseResourceElementsAttr
mlir::prune::createRewrittenConstant(ShapedType type, StringRef oldKey,
                                     AsmResourceBlob blob) {
  auto &manager =
      DenseResourceElementsHandle::getManagerInterface(type.getContext());
  auto [name, count] = oldKey.split('#');
  unsigned next = 0;
  if (count.getAsInteger(10, next))
    next = 0;
  std::string key;
  do
    key = (name + "#" + llvm::Twine(++next)).str();
  while (manager.getBlobManager().lookup(key));
  return DenseResourceElementsAttr::get(type,
                                        manager.insert(key, std::move(blob)));
}

TypedAttr mlir::prune::createConstantLike(Attribute old, ShapedType type,
                                          ArrayRef<char> data) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(old);
  if (!resource)
    return cast<TypedAttr>(
        Attribute(DenseElementsAttr::getFromRawBuffer(type, data)));
  return createRewrittenConstant(
      type, resource.getRawHandle().getKey(),
      HeapAsmResourceBlob::allocateAndCopyWithAlign(data, 64));
}
