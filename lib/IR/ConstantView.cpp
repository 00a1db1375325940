//===- ConstantView.cpp - Constants as buffers ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers are looked at in place: nothing is copied, whatever the size.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/ConstantView.h"
#include "prune/IR/Prune.h"
#include "prune/IR/WeightRecord.h"

#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

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
    bytes.isSplat =
        bytes.data.size() == bytes.elementSize && elements.getNumElements() > 1;
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

//===----------------------------------------------------------------------===//
// Data that was left out
//===----------------------------------------------------------------------===//

bool mlir::prune::isElided(Attribute value) {
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value);
  return resource && !resource.getRawHandle().getBlob() &&
         resource.getRawHandle().getKey() == "__elided__";
}

LogicalResult mlir::prune::reportElided(Operation *op) {
  return op->emitError(
      "its data was left out when the module was printed "
      "(dense_resource<__elided__>): weights can be listed and channel groups "
      "printed, but nothing computed; print it without an option that elides "
      "elements or resources, or write bytecode");
}

LogicalResult mlir::prune::requireData(Operation *root) {
  WalkResult result = root->walk([](Operation *op) {
    if (!op->hasTrait<OpTrait::ConstantLike>())
      return WalkResult::advance();
    Attribute value;
    matchPattern(op, m_Constant(&value));
    if (!isElided(value))
      return WalkResult::advance();
    (void)reportElided(op);
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// New constants
//===----------------------------------------------------------------------===//

AsmResourceBlob mlir::prune::copyElements(ElementsAttr constant) {
  ConstantBytes bytes = *getConstantBytes(constant);
  int64_t count = constant.getNumElements();
  AsmResourceBlob blob = allocateBlob(size_t(bytes.elementSize) * count);
  char *data = blob.getMutableData().data();
  if (bytes.isSplat)
    for (int64_t i = 0; i != count; ++i)
      std::memcpy(data + i * bytes.elementSize, bytes.data.data(),
                  bytes.elementSize);
  else
    std::memcpy(data, bytes.data.data(), bytes.data.size());
  return blob;
}

DenseResourceElementsAttr mlir::prune::createNamedConstant(ElementsAttr value,
                                                           StringRef name) {
  // Splats are written out, since a masked weight stops being a splat.
  AsmResourceBlob blob = copyElements(value);
  auto &manager =
      DenseResourceElementsHandle::getManagerInterface(value.getContext());
  return DenseResourceElementsAttr::get(value.getShapedType(),
                                        manager.insert(name, std::move(blob)));
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
