//===- CallOut.cpp - From compiled code to observers ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled code has one function for all programs. Whose observer is meant
// follows from who called it, in the same thread.
//
//===----------------------------------------------------------------------===//

#include "CallOut.h"

using namespace mlir::prune;

static thread_local const Observer *current = nullptr;

ObserverScope::ObserverScope(const Observer *observer) : outer(current) {
  current = observer;
}

ObserverScope::~ObserverScope() { current = outer; }

static void show(int64_t number, FloatKind kind,
                 const UnrankedReference &tensor) {
  if (!current || !*current)
    return;
  constexpr unsigned kSizesAt = 3;
  const int64_t *words = tensor.descriptor;
  const char *data =
      reinterpret_cast<const char *>(words[1]) + words[2] * byteSize(kind);
  size_t rank = tensor.rank;
  (*current)({number,
              kind,
              data,
              {words + kSizesAt, rank},
              {words + kSizesAt + rank, rank}});
}

void mlir::prune::showF64(int64_t number, const UnrankedReference *tensor) {
  show(number, FloatKind::F64, *tensor);
}

void mlir::prune::showF32(int64_t number, const UnrankedReference *tensor) {
  show(number, FloatKind::F32, *tensor);
}

void mlir::prune::showF16(int64_t number, const UnrankedReference *tensor) {
  show(number, FloatKind::F16, *tensor);
}

void mlir::prune::showBF16(int64_t number, const UnrankedReference *tensor) {
  show(number, FloatKind::BF16, *tensor);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

std::vector<double> ShownTensor::read() const {
  size_t count = countElements(shape), rank = shape.size();
  std::vector<double> values(count);
  if (count == 0)
    return values;
  int64_t inner = rank ? shape.back() : 1;
  int64_t step = rank ? strides.back() : 1;
  unsigned bytes = byteSize(kind);
  std::vector<char> row(inner * bytes);
  int64_t rowShape[] = {inner};
  llvm::SmallVector<int64_t> index(rank);
  int64_t offset = 0;
  for (size_t at = 0; at != count; at += inner) {
    // A row at a time, which is one run if its elements are adjacent.
    const char *from = data + offset * int64_t(bytes);
    TensorView view{kind, {from, row.size()}, rowShape, false};
    if (step != 1) {
      for (int64_t i = 0; i != inner; ++i)
        std::copy_n(from + i * step * int64_t(bytes), bytes,
                    row.data() + i * bytes);
      view.data = row;
    }
    view.load(0, llvm::MutableArrayRef(values).slice(at, inner));
    for (size_t dim = rank; dim-- > 1;) {
      offset += strides[dim - 1];
      if (++index[dim - 1] < shape[dim - 1])
        break;
      offset -= strides[dim - 1] * shape[dim - 1];
      index[dim - 1] = 0;
    }
  }
  return values;
}
