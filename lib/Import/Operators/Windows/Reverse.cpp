//===- Reverse.cpp - Reversal of convolution filters ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reversing all kernel dims of a filter reverses, for each pair of channels,
// the order of its elements in memory.
//
//===----------------------------------------------------------------------===//

#include "Reverse.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

/// A new constant with the elements of each run of `kernel` reversed.
static Tensor *reverseConstant(Node &n, Tensor *filter,
                               DenseResourceElementsAttr source,
                               int64_t kernel) {
  ArrayRef<char> from = source.getData();
  auto type = cast<RankedTensorType>(source.getType());
  size_t size = (type.getElementTypeBitWidth() + 7) / 8;
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(from.size(), 64);
  MutableArrayRef<char> to = blob.getMutableData();
  int64_t count = from.size() / size;
  for (int64_t first = 0; first + kernel <= count; first += kernel)
    for (int64_t at = 0; at < kernel; ++at)
      std::memcpy(to.data() + (first + kernel - 1 - at) * size,
                  from.data() + (first + at) * size, size);
  std::string key = (source.getRawHandle().getKey() + "#1").str();
  Tensor *result = n.make(nullptr, filter->type, filter->dims);
  result->constant = DenseResourceElementsAttr::get(type, key, std::move(blob));
  return result;
}

Tensor *mlir::prune::onnx_import::reverseKernel(Node &n, Tensor *filter) {
  std::optional<SmallVector<int64_t>> kernel =
      Emitter::known(ArrayRef(filter->dims).drop_front(2));
  int64_t count = 1;
  if (kernel)
    for (int64_t size : *kernel)
      count *= size;
  if (kernel && count == 1)
    return filter;
  if (auto source =
          dyn_cast_if_present<DenseResourceElementsAttr>(filter->constant);
      source && kernel && source.getRawHandle().getBlob())
    return reverseConstant(n, filter, source, count);
  Sizes offsets(filter->rank(), n.size(0));
  SmallVector<int64_t> steps(filter->rank(), 1);
  for (int64_t dim = 2; dim < filter->rank(); ++dim) {
    offsets[dim] = filter->dims[dim] - 1;
    steps[dim] = -1;
  }
  return n.slice(filter, offsets, filter->dims, steps);
}
