//===- SegmentedNetwork.cpp - A network cut in front of its layers --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations stay in their order; a cut is a place in it. What depends on
// constants and sizes alone is computed again in every piece that reads it.
//
//===----------------------------------------------------------------------===//

#include "prune/Calibration/SegmentedNetwork.h"

#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::prune;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// What an operation reads, its regions included.
static SetVector<Value> getReadValues(Operation *op) {
  SetVector<Value> values(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), values);
  return values;
}

/// The value if it is a constant that can have other numbers, else null.
static DenseResourceElementsAttr getNumbers(Operation *op) {
  Attribute value;
  if (!op->hasTrait<OpTrait::ConstantLike>() ||
      !matchPattern(op, m_Constant(&value)))
    return nullptr;
  auto elements = dyn_cast<DenseResourceElementsAttr>(value);
  return elements && isa<FloatType>(elements.getElementType()) ? elements
                                                               : nullptr;
}

namespace mlir::prune {
/// Cuts one function.
class Cutter {
public:
  Cutter(func::FuncOp function, SegmentedNetwork &network)
      : function(function), network(network) {}

  Error cut(ArrayRef<Operation *> layers, ArrayRef<OpOperand *> inputs);

private:
  void findAgain();
  bool isAgain(Value value) const {
    Operation *op = value.getDefiningOp();
    return op && again.contains(op);
  }
  void placeCuts(ArrayRef<Operation *> layers, ArrayRef<OpOperand *> inputs);
  void collectInputs(Value value, unsigned segment,
                     SetVector<unsigned> &inputs);
  void findInterfaces();
  unsigned number(Value value);
  Error build(unsigned index);
  Value materialize(Value value, OpBuilder &builder, IRMapping &mapping,
                    NetworkSegment &segment, func::FuncOp piece);

  func::FuncOp function;
  SegmentedNetwork &network;
  /// Operations that every piece repeats if it reads them.
  llvm::DenseSet<Operation *> again;
  llvm::DenseMap<Operation *, unsigned> segmentOf;
  std::vector<SmallVector<Operation *>> operations;
  SmallVector<Value> values;
};
} // namespace mlir::prune

/// Constants and what is computed from them; and tensors that hold nothing or
/// one number, which cost nothing.
void Cutter::findAgain() {
  for (Operation &op : function.front().without_terminator()) {
    bool isFilled = isa<tensor::EmptyOp, linalg::FillOp>(op);
    if (!isMemoryEffectFree(&op) && !isFilled)
      continue;
    bool isCheap = llvm::all_of(getReadValues(&op), [&](Value value) {
      return isAgain(value) || (isFilled && !isa<ShapedType>(value.getType()));
    });
    if (isCheap)
      again.insert(&op);
  }
}

void Cutter::placeCuts(ArrayRef<Operation *> layers,
                       ArrayRef<OpOperand *> inputs) {
  llvm::DenseMap<Operation *, unsigned> layerOf;
  for (auto [i, layer] : llvm::enumerate(layers))
    layerOf[layer] = i;
  network.stages.resize(layers.size());
  operations.emplace_back();
  unsigned current = 0;
  for (Operation &op : function.front().without_terminator()) {
    if (auto layer = layerOf.find(&op); layer != layerOf.end()) {
      Operation *source = inputs[layer->second]->get().getDefiningOp();
      // Known already at the last cut?
      bool isKnown =
          current > 0 && (!source || segmentOf.lookup(source) < current);
      if (!isKnown) {
        operations.emplace_back();
        ++current;
      }
      network.stages[layer->second] = current - 1;
    }
    segmentOf[&op] = current;
    if (!again.contains(&op))
      operations.back().push_back(&op);
  }
}

unsigned Cutter::number(Value value) {
  auto [place, isNew] = network.numbers.try_emplace(value, values.size());
  if (isNew)
    values.push_back(value);
  return place->second;
}

/// Adds what a piece needs for a value that it does not compute.
void Cutter::collectInputs(Value value, unsigned segment,
                           SetVector<unsigned> &inputs) {
  Operation *op = value.getDefiningOp();
  if (op && again.contains(op)) {
    for (Value read : getReadValues(op))
      collectInputs(read, segment, inputs);
    return;
  }
  if (!op || segmentOf.lookup(op) != segment)
    inputs.insert(number(value));
}

void Cutter::findInterfaces() {
  for (BlockArgument argument : function.getArguments())
    number(argument);
  network.pieces.resize(operations.size());
  for (unsigned s = 0; s < operations.size(); ++s) {
    SetVector<unsigned> inputs;
    for (Operation *op : operations[s])
      for (Value value : getReadValues(op))
        // What stands in front in its own block is no input.
        if (value.getParentRegion() == &function.getBody())
          collectInputs(value, s, inputs);
    network.pieces[s].inputs.assign(inputs.begin(), inputs.end());
  }
  for (Value value : function.front().getTerminator()->getOperands())
    network.resultNumbers.push_back(number(value));
  for (auto [i, value] : llvm::enumerate(values))
    if (Operation *op = value.getDefiningOp(); op && !again.contains(op))
      network.pieces[segmentOf.lookup(op)].outputs.push_back(i);
  // Where each value is read last.
  llvm::DenseSet<unsigned> later(network.resultNumbers.begin(),
                                 network.resultNumbers.end());
  for (NetworkSegment &piece : llvm::reverse(network.pieces)) {
    for (unsigned input : piece.inputs)
      if (later.insert(input).second)
        piece.dead.push_back(input);
  }
}

Value Cutter::materialize(Value value, OpBuilder &builder, IRMapping &mapping,
                          NetworkSegment &segment, func::FuncOp piece) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (DenseResourceElementsAttr numbers = getNumbers(op)) {
    auto [place, isNew] =
        network.constantNumbers.try_emplace(numbers, network.known.size());
    if (isNew)
      network.known.push_back(numbers);
    unsigned at = piece.getNumArguments();
    (void)piece.insertArgument(at, value.getType(), nullptr, op->getLoc());
    segment.constants.push_back(place->second);
    mapping.map(value, piece.getArgument(at));
    return piece.getArgument(at);
  }
  for (Value read : getReadValues(op))
    materialize(read, builder, mapping, segment, piece);
  builder.clone(*op, mapping);
  return mapping.lookup(value);
}

Error Cutter::build(unsigned index) {
  NetworkSegment &segment = network.pieces[index];
  MLIRContext *context = function.getContext();
  OpBuilder builder(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, function.getLoc());
  builder.setInsertionPointToEnd(module->getBody());
  SmallVector<Type> types;
  for (unsigned input : segment.inputs)
    types.push_back(values[input].getType());
  auto piece = func::FuncOp::create(builder, function.getLoc(), "main",
                                    builder.getFunctionType(types, {}));
  builder.setInsertionPointToStart(piece.addEntryBlock());
  IRMapping mapping;
  for (auto [i, input] : llvm::enumerate(segment.inputs))
    mapping.map(values[input], piece.getArgument(i));
  for (Operation *op : operations[index]) {
    for (Value read : getReadValues(op))
      if (read.getParentRegion() == &function.getBody())
        materialize(read, builder, mapping, segment, piece);
    builder.clone(*op, mapping);
  }
  SmallVector<Value> results;
  SmallVector<Type> resultTypes;
  for (unsigned output : segment.outputs) {
    results.push_back(mapping.lookup(values[output]));
    resultTypes.push_back(results.back().getType());
  }
  func::ReturnOp::create(builder, function.getLoc(), results);
  piece.setType(builder.getFunctionType(piece.getArgumentTypes(), resultTypes));
  CompileOptions options;
  options.module = "a piece of the network";
  Expected<std::unique_ptr<Program>> program =
      Program::compile(*module, options);
  if (!program)
    return program.takeError();
  segment.program = std::move(*program);
  return Error::success();
}

Error Cutter::cut(ArrayRef<Operation *> layers, ArrayRef<OpOperand *> inputs) {
  if (!function.getBody().hasOneBlock())
    return createStringError("calibration expects a function of one block; '" +
                             function.getName() + "' has several");
  findAgain();
  for (Value value : function.front().getTerminator()->getOperands())
    if (isAgain(value))
      return createStringError("'" + function.getName() +
                               "' returns a constant; calibration expects "
                               "results that are computed");
  placeCuts(layers, inputs);
  findInterfaces();
  for (unsigned s = 0; s < operations.size(); ++s)
    if (Error error = build(s))
      return error;
  return Error::success();
}

Expected<std::unique_ptr<SegmentedNetwork>>
SegmentedNetwork::create(func::FuncOp function, ArrayRef<Operation *> layers,
                         ArrayRef<OpOperand *> inputs) {
  std::unique_ptr<SegmentedNetwork> network(new SegmentedNetwork());
  if (Error error = Cutter(function, *network).cut(layers, inputs))
    return std::move(error);
  return network;
}

std::optional<unsigned> SegmentedNetwork::constantOf(Operation *holder) const {
  DenseResourceElementsAttr numbers = getNumbers(holder);
  auto found = constantNumbers.find(numbers);
  return numbers && found != constantNumbers.end()
             ? std::make_optional(found->second)
             : std::nullopt;
}
