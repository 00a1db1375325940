//===- Emitter.h - Tensor computations as linalg ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the importer knows of a tensor, and the building blocks that operators
// are made of: elementwise maps with broadcasting, reductions, contractions,
// movements of elements.
//
// Sizes are affine expressions over symbols, one symbol per size that only the
// run knows. Expressions are unique, so "equal sizes" is pointer equality, a
// convolution that keeps H gives exactly H, and arithmetic on shapes vanishes:
// a small tensor of integers carries its elements as such expressions.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_EMITTER_EMITTER_H
#define PRUNE_LIB_IMPORT_EMITTER_EMITTER_H

#include "Scalar.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

#include <deque>
#include <optional>

namespace mlir::prune::onnx_import {

/// Element types, numbered as in ONNX.
enum class DataType : int {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  BFloat16 = 16,
  // How weights are stored: see NarrowTypes.h.
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26
};

/// The type of an element, or null if tensors of it cannot be imported.
Type elementType(DataType type, MLIRContext *context);
bool isFloat(DataType type);
bool isUnsigned(DataType type);
/// Floats of 16 bits, which sums and functions of several steps are too good
/// for: these are computed in f32 and rounded once.
bool isHalf(DataType type);
/// ONNX's spelling.
StringRef nameOf(DataType type);

/// The elements of a small tensor, row-major: `ints` for integers and
/// booleans, `floats` for floats.
struct Contents {
  SmallVector<AffineExpr> ints;
  SmallVector<double> floats;
};

/// Elements of larger tensors are not followed.
constexpr int64_t kMaxContents = 4096;

/// No tensor of a network has more elements.
constexpr int64_t kMaxElements = int64_t(1) << 40;

/// No network has tensors of more dims; expressions of their sizes stay small.
constexpr int64_t kMaxRank = 64;

using Sizes = SmallVector<AffineExpr>;

/// What is known of one ONNX value.
struct Tensor {
  DataType type = DataType::Undefined;
  Sizes dims;
  /// Null for a constant that is not used as a tensor yet.
  Value value;
  /// The whole of a constant, for initialisers.
  ElementsAttr constant;
  std::optional<Contents> contents;
  /// What this is a reshape of; reshaping back gives it.
  Tensor *source = nullptr;
  /// What the model calls a tensor that nodes compute from constants only;
  /// empty for others, and once it was computed or cannot be.
  std::string computedName;

  int64_t rank() const { return dims.size(); }
  bool isConstant() const;
  /// A stored weight: it keeps its name and is not folded.
  bool isNamed() const;
};

/// What all nodes of a model share.
struct State {
  explicit State(MLIRContext *context) : context(context) {}

  MLIRContext *context;
  /// Addresses stay.
  std::deque<Tensor> tensors;
  /// Sizes known at run time, as index values.
  SmallVector<Value> symbols;
  /// What the model calls them, for messages; empty or missing: nothing.
  SmallVector<std::string> symbolNames;
  /// Where constants go: the head of the function, visible everywhere.
  Block *entry = nullptr;
  Operation *lastConstant = nullptr;
  /// Nodes imported so far. Bodies of loops are imported more than once, and
  /// so a few nested ones could take forever.
  int64_t numNodes = 0;
  /// Whether a weight that is too large to be computed was reported.
  bool saidTooLarge = false;
  /// Set with the first diagnostic.
  bool failed = false;
};

/// The body of an elementwise map: elements in, element out.
using MapBody = function_ref<Value(Scalar &, ValueRange)>;

class Emitter {
public:
  Emitter(State &state, OpBuilder &b, Location loc)
      : state(state), b(b), loc(loc) {}
  virtual ~Emitter() = default;

  State &state;
  OpBuilder &b;
  Location loc;

  /// Reports an error about the node being imported.
  virtual InFlightDiagnostic error();

  //===--- Sizes ----------------------------------------------------------===//

  AffineExpr size(int64_t value);
  /// A size that only the run knows.
  AffineExpr symbol(Value index);
  static std::optional<int64_t> known(AffineExpr size);
  static std::optional<SmallVector<int64_t>> known(ArrayRef<AffineExpr> sizes);
  AffineExpr product(ArrayRef<AffineExpr> sizes);
  Value index(AffineExpr size);
  OpFoldResult fold(AffineExpr size);
  SmallVector<OpFoldResult> fold(ArrayRef<AffineExpr> sizes);
  SmallVector<OpFoldResult> fold(ArrayRef<int64_t> sizes);
  /// Whether two sizes are equal: decided, or checked when the program runs.
  /// Reports sizes that differ for certain.
  bool requireEqual(AffineExpr a, AffineExpr b, StringRef what);
  /// A size for a message: `3`, or `N` names what the user can fix.
  std::string text(AffineExpr size);
  std::string text(ArrayRef<AffineExpr> sizes);

  //===--- Tensors --------------------------------------------------------===//

  RankedTensorType typeOf(ArrayRef<AffineExpr> dims, DataType type);
  Tensor *make(Value value, DataType type, ArrayRef<AffineExpr> dims);
  Tensor *makeInts(DataType type, ArrayRef<AffineExpr> dims,
                   ArrayRef<AffineExpr> ints);
  Tensor *makeFloats(DataType type, ArrayRef<AffineExpr> dims,
                     ArrayRef<double> floats);
  /// A tensor of rank zero.
  Tensor *number(DataType type, double value);
  /// The tensor in the IR; makes a constant if it is none yet.
  Value value(Tensor *tensor);
  Value empty(ArrayRef<AffineExpr> dims, DataType type);
  Value splat(ArrayRef<AffineExpr> dims, DataType type, double value);
  Value splat(ArrayRef<AffineExpr> dims, DataType type, TypedAttr value);
  /// The only element, if it is known: works for any tensor of one element.
  std::optional<double> scalarOf(Tensor *tensor);

  //===--- Computations: null after a diagnostic --------------------------===//

  /// The sizes that two shapes broadcast to.
  std::optional<Sizes> broadcast(ArrayRef<AffineExpr> a,
                                 ArrayRef<AffineExpr> b);
  /// Elementwise, with multidirectional broadcasting. Several operations on
  /// numbers of 16 bits are computed in f32.
  Tensor *map(ArrayRef<Tensor *> operands, DataType type, MapBody body);
  /// One element from its position.
  Tensor *generate(ArrayRef<AffineExpr> dims, DataType type, MapBody body);
  /// Folds the axes with `body(element, accumulator)`.
  Tensor *reduce(Tensor *x, ArrayRef<int64_t> axes, bool keepDims,
                 TypedAttr start, MapBody body);
  Tensor *sum(Tensor *x, ArrayRef<int64_t> axes, bool keepDims);
  Tensor *greatest(Tensor *x, ArrayRef<int64_t> axes, bool keepDims);
  Tensor *mean(Tensor *x, ArrayRef<int64_t> axes, bool keepDims);
  Tensor *softmax(Tensor *x, int64_t axis, bool logarithm);

  /// Multiplies matrices as numpy does, all ranks.
  Tensor *matmul(Tensor *x, Tensor *y);
  /// Two matrices, either of them read transposed.
  Tensor *gemm(Tensor *x, Tensor *y, bool transposeX, bool transposeY);
  /// A contraction by subscripts, `ik,kj->ij`; result dims in their order.
  Tensor *contract(Tensor *x, ArrayRef<unsigned> xDims, Tensor *y,
                   ArrayRef<unsigned> yDims, ArrayRef<unsigned> resultDims,
                   unsigned numDims);

  Tensor *add(Tensor *x, Tensor *y);
  Tensor *sub(Tensor *x, Tensor *y);
  Tensor *mul(Tensor *x, Tensor *y);
  Tensor *div(Tensor *x, Tensor *y);
  Tensor *unary(StringRef name, Tensor *x);
  Tensor *convert(Tensor *x, DataType type);
  /// To floats of 8 bits or less; what is too large becomes the largest number,
  /// or else infinite or no number.
  Tensor *toNarrow(Tensor *x, DataType type, bool saturates);

  //===--- Loops ----------------------------------------------------------===//

  using LoopBody =
      function_ref<SmallVector<Tensor *>(Value position, ArrayRef<Tensor *>)>;
  /// Runs `body` for each position below `count`; carried tensors keep their
  /// sizes. Empty after a diagnostic.
  SmallVector<Tensor *> loop(AffineExpr count, ArrayRef<Tensor *> carried,
                             LoopBody body);
  /// Visits the positions of `dims` in row-major order and carries a tensor.
  Tensor *loopOver(ArrayRef<AffineExpr> dims, Tensor *carried,
                   function_ref<Value(Scalar &, ValueRange, Value)> body);
  /// Writes a slice of one position along an axis.
  Tensor *insertAt(Tensor *part, Tensor *whole, int64_t axis, Value position);
  /// The slice of one position along an axis, without that axis.
  Tensor *sliceAt(Tensor *x, int64_t axis, Value position);

  //===--- Movements ------------------------------------------------------===//

  Tensor *transpose(Tensor *x, ArrayRef<int64_t> permutation);
  /// To sizes of the same number of elements.
  Tensor *reshape(Tensor *x, ArrayRef<AffineExpr> dims);
  Tensor *squeeze(Tensor *x, ArrayRef<int64_t> axes);
  Tensor *unsqueeze(Tensor *x, ArrayRef<int64_t> axes);
  /// Steps may be negative; `sizes` are the result's.
  Tensor *slice(Tensor *x, ArrayRef<AffineExpr> offsets,
                ArrayRef<AffineExpr> sizes, ArrayRef<int64_t> steps);
  Tensor *slice(Tensor *x, int64_t axis, AffineExpr offset, AffineExpr size);
  Tensor *concat(ArrayRef<Tensor *> parts, int64_t axis);
  Tensor *pad(Tensor *x, ArrayRef<AffineExpr> low, ArrayRef<AffineExpr> high,
              TypedAttr value);
  Tensor *pad(Tensor *x, ArrayRef<AffineExpr> low, ArrayRef<AffineExpr> high,
              double value = 0);
  /// One-directional broadcasting.
  Tensor *expand(Tensor *x, ArrayRef<AffineExpr> dims);
  /// Known elements of `x`, one for each position of `dims`: `source` is its
  /// row-major position in `x`. Null if they are not known.
  Tensor *moved(Tensor *x, ArrayRef<AffineExpr> dims,
                function_ref<int64_t(ArrayRef<int64_t>)> source);

  TypedAttr attribute(DataType type, double value);
  TypedAttr extreme(DataType type, bool greatest);

private:
  /// `map`, whatever the body does.
  Tensor *mapAsIs(ArrayRef<Tensor *> operands, DataType type, MapBody body);
  /// Drops size-one dims that a broadcast stretches; the map onto `dims`.
  Value operandOf(Tensor *tensor, ArrayRef<AffineExpr> dims, AffineMap &map);
};

/// An index from the data: negative ones count from the end, and none leaves
/// the tensor.
Value indexWithin(Scalar &s, Value element, Value size);

/// An integer that keeps its low bits, as all conversions do.
APInt integerOf(Type type, int64_t value);
/// Rounded to what the type holds.
APFloat floatOf(Type type, double value);

/// first, first + 1, ... last - 1.
SmallVector<int64_t> range(int64_t first, int64_t last);

/// A row-major walk over static sizes.
void forEachPosition(ArrayRef<int64_t> shape,
                     function_ref<void(ArrayRef<int64_t>)> visit);

} // namespace mlir::prune::onnx_import

#endif // PRUNE_LIB_IMPORT_EMITTER_EMITTER_H
