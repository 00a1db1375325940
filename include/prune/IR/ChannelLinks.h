//===- ChannelLinks.h - Which dimensions move together ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an operation has to say about channels: index for index, which slices of
// its operands and results can only be removed together, and which cannot be
// removed at all. Structured linalg operations say it through their indexing
// maps; other operations through ChannelOpInterface.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_IR_CHANNELLINKS_H
#define PRUNE_IR_CHANNELLINKS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::prune {

/// One dimension of an operand or result, or of a tensor that scalar code in a
/// region of the operation reads.
struct ChannelPort {
  bool isResult;
  unsigned index;
  int64_t dim;
  /// The operand of the inner operation that reads it.
  OpOperand *read = nullptr;

  static ChannelPort operand(unsigned index, int64_t dim) {
    return {false, index, dim};
  }
  static ChannelPort result(unsigned index, int64_t dim) {
    return {true, index, dim};
  }
  static ChannelPort readBy(OpOperand &operand, int64_t dim) {
    return {false, operand.getOperandNumber(), dim, &operand};
  }
  /// Null for a result.
  OpOperand *getOperand(Operation *op) const {
    return isResult ? nullptr : read ? read : &op->getOpOperand(index);
  }
  Value getValue(Operation *op) const {
    return isResult ? Value(op->getResult(index)) : getOperand(op)->get();
  }
};

/// Index `aBegin + t` of `a`, for t < count, moves with all indices
/// `bBegin + (o * count + t) * inner + r` of `b`, for o < outer and r < inner.
struct ChannelLink {
  ChannelPort a, b;
  int64_t count;
  int64_t aBegin = 0, bBegin = 0;
  int64_t outer = 1, inner = 1;
  /// Of the links with the same choice, other than -1, one can hold; the `a`
  /// of the others cannot be removed. They stand outermost dimension first.
  int choice = -1;
};

/// Indices that have to stay, and why: what the reason says of the dimension
/// starts with a verb.
struct FrozenChannels {
  ChannelPort port;
  int64_t begin, count;
  StringRef reason;
};

/// Everything that one operation says.
struct ChannelLinks {
  SmallVector<ChannelLink> links;
  SmallVector<FrozenChannels> frozen;
  int numChoices = 0;

  /// Two dimensions of the same size that move index for index.
  void couple(Operation *op, ChannelPort a, ChannelPort b);
  void freeze(Operation *op, ChannelPort port, StringRef reason);
  /// Freezes every dimension of every operand and result.
  void freezeAll(Operation *op, StringRef reason);
};

/// What `op` says, whatever its kind: an operation that says nothing freezes
/// all that it touches.
ChannelLinks getChannelLinks(Operation *op);

/// The elements that the body of a structured operation itself reads from
/// tensors outside of it.
SmallVector<tensor::ExtractOp> getElementReads(linalg::LinalgOp op);

/// The loop whose index is the read's coordinate along a dimension, as it is.
std::optional<unsigned> getLoopOfRead(tensor::ExtractOp read, int64_t dim);

/// A read along a dimension at coordinates that a constant table lists, one for
/// each step of a loop.
struct TableRead {
  /// The operand of the read of the table; all of it is read in order.
  OpOperand *table;
  unsigned loop;
  SmallVector<int64_t> coordinates;
};
std::optional<TableRead> getTableRead(linalg::LinalgOp op,
                                      tensor::ExtractOp read, int64_t dim);

/// Whether the operation's dimensions are described by itself, so that its
/// regions hold nothing but scalar code.
bool hasChannelLinks(Operation *op);

/// The constants that slices hold throughout, index by index; null is unknown.
/// An empty list: nothing is known about the dimension. A unit attribute: the
/// slice has no content yet, and any statement about it is true.
using OperandConstants =
    llvm::function_ref<ArrayRef<Attribute>(unsigned operand, int64_t dim)>;
using ResultConstants = llvm::function_ref<MutableArrayRef<Attribute>(
    unsigned result, int64_t dim)>;

/// Whether an index of a dimension stays.
using IsKept = llvm::function_ref<bool(ChannelPort port, int64_t index)>;

} // namespace mlir::prune

#include "prune/IR/ChannelOpInterface.h.inc"

#endif // PRUNE_IR_CHANNELLINKS_H
