//===- Npy.h - Arrays in NumPy's file format --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs, outputs and labels cross the command line as .npy files. Supported
// are the element types that networks use, little endian, in C order, of any
// rank. A file is checked completely before memory is allocated for it.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_NPY_H
#define PRUNE_CORE_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace mlir::prune {

enum class NpyType { Bool, I8, U8, I16, I32, I64, F16, F32, F64 };

/// The size of one element in bytes.
unsigned byteSize(NpyType type);

/// NumPy's name of the type, such as "float32".
llvm::StringRef typeName(NpyType type);

/// "3x4", or "()" for rank 0.
std::string shapeString(llvm::ArrayRef<int64_t> shape);

/// An array in C order that owns its elements, aligned for vector loads.
class NpyArray {
public:
  NpyArray() = default;
  /// All elements are zero. There must be memory for it, as for results of
  /// which the size is known; `make` is for sizes that someone asks for.
  NpyArray(NpyType type, llvm::ArrayRef<int64_t> shape);

  /// Zeros, or an error that says how much memory is missing. `what` names the
  /// array and begins the message.
  static llvm::Expected<NpyArray> make(const llvm::Twine &what, NpyType type,
                                       llvm::ArrayRef<int64_t> shape);

  NpyType type() const { return elementType; }
  llvm::ArrayRef<int64_t> shape() const { return dims; }
  int64_t size() const;

  llvm::ArrayRef<char> bytes() const { return {data.get(), byteCount}; }
  llvm::MutableArrayRef<char> bytes() { return {data.get(), byteCount}; }

  /// The element at a row-major position as a number.
  double asDouble(int64_t index) const;
  /// The same for integers and booleans.
  int64_t asInteger(int64_t index) const;

private:
  struct Free {
    void operator()(char *pointer) const { std::free(pointer); }
  };
  NpyType elementType = NpyType::F32;
  llvm::SmallVector<int64_t, 4> dims;
  size_t byteCount = 0;
  std::unique_ptr<char, Free> data;
};

/// The size in bytes of an array, or nothing if it does not fit into 63 bits or
/// a dimension is negative.
std::optional<uint64_t> npyByteCount(NpyType type,
                                     llvm::ArrayRef<int64_t> shape);

/// Reads an array from a file. The error names the file.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Reads an array from the contents of a file called `name`.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef contents,
                                  llvm::StringRef name);

/// Writes an array. A failed write leaves an existing file as it was.
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &array);

} // namespace mlir::prune

#endif // PRUNE_CORE_NPY_H
