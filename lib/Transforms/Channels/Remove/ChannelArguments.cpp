//===- ChannelArguments.cpp - Smaller arguments of functions --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where signatures may change, an input that nothing needs leaves the arguments
// of a function too. An image that is flattened first could lose whole rows and
// columns only, so it is taken flat. What a caller has to do is written on the
// argument: `prune.type_before` says what it was before it was flattened,
// `prune.kept` which indices are left.
//
//===----------------------------------------------------------------------===//

#include "Transforms/Channels/ChannelRemoval.h"

#include "prune/IR/Records.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::prune;

/// Calls `visit` for every argument of an entry function that is a tensor.
static void
forEachArgument(ModuleOp module,
                function_ref<void(FunctionOpInterface, BlockArgument)> visit) {
  llvm::SmallPtrSet<Operation *, 4> entries = getEntryFunctions(module);
  module.walk([&](FunctionOpInterface function) {
    if (entries.contains(function))
      for (BlockArgument argument : function.getArguments())
        if (isa<RankedTensorType>(argument.getType()))
          visit(function, argument);
  });
}

/// The reshape that is all that happens to an argument, but for questions about
/// the sizes of leading dimensions that it leaves alone.
static tensor::CollapseShapeOp getOnlyCollapse(BlockArgument argument) {
  tensor::CollapseShapeOp found;
  for (Operation *user : argument.getUsers())
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(user)) {
      if (found)
        return {};
      found = collapse;
    }
  if (!found || found.getResultType().getRank() == 0)
    return {};
  SmallVector<ReassociationIndices> groups = found.getReassociationIndices();
  for (Operation *user : argument.getUsers()) {
    if (user == found.getOperation())
      continue;
    auto size = dyn_cast<tensor::DimOp>(user);
    std::optional<int64_t> dim = size ? size.getConstantIndex() : std::nullopt;
    if (!dim)
      return {};
    for (int64_t i = 0; i <= *dim; ++i)
      if (i >= int64_t(groups.size()) || groups[i].size() != 1)
        return {};
  }
  return found;
}

std::vector<FlatArgument> mlir::prune::flattenArguments(ModuleOp module) {
  std::vector<FlatArgument> flattened;
  forEachArgument(module, [&](FunctionOpInterface function,
                              BlockArgument argument) {
    unsigned number = argument.getArgNumber();
    tensor::CollapseShapeOp collapse = getOnlyCollapse(argument);
    if (!collapse || function.getArgAttr(number, kKeptRecord))
      return;
    auto type = cast<RankedTensorType>(argument.getType());
    // A type that was noted before is the original.
    if (function.getArgAttr(number, kTypeBeforeRecord))
      return;
    function.setArgAttr(number, kTypeBeforeRecord, TypeAttr::get(type));
    flattened.push_back({argument, type, collapse.getReassociationIndices()});
    argument.setType(collapse.getResultType());
    collapse.getResult().replaceAllUsesWith(argument);
    collapse->erase();
  });
  updateSignatures(module);
  return flattened;
}

bool mlir::prune::restoreArguments(ModuleOp module,
                                   ArrayRef<FlatArgument> flattened) {
  bool anySmaller = false;
  for (const FlatArgument &flat : flattened) {
    BlockArgument argument = flat.argument;
    auto function =
        cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    unsigned number = argument.getArgNumber();
    if (function.getArgAttr(number, kKeptRecord)) {
      anySmaller = true;
      continue;
    }
    Type type = argument.getType();
    argument.setType(flat.type);
    OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
    auto collapse = tensor::CollapseShapeOp::create(
        builder, argument.getLoc(), type, argument, flat.groups);
    argument.replaceUsesWithIf(collapse, [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return user != collapse.getOperation() && !isa<tensor::DimOp>(user);
    });
    function.removeArgAttr(number, kTypeBeforeRecord);
  }
  updateSignatures(module);
  return anySmaller;
}

/// For each dimension the indices of the original that remain, or unit.
static ArrayAttr createRecord(MLIRContext *context, ArrayAttr before,
                              const KeptIndices &kept) {
  SmallVector<Attribute> lists;
  for (auto [dim, list] : llvm::enumerate(kept)) {
    auto old =
        before ? dyn_cast<DenseI64ArrayAttr>(before[dim]) : DenseI64ArrayAttr();
    if (!list) {
      lists.push_back(old ? Attribute(old) : UnitAttr::get(context));
      continue;
    }
    SmallVector<int64_t> indices(list->begin(), list->end());
    if (old)
      for (int64_t &index : indices)
        index = old[index];
    lists.push_back(DenseI64ArrayAttr::get(context, indices));
  }
  return ArrayAttr::get(context, lists);
}

void mlir::prune::recordArguments(ModuleOp module, const ChannelGroups &groups,
                                  const std::vector<bool> &removed) {
  forEachArgument(module, [&](FunctionOpInterface function,
                              BlockArgument argument) {
    std::optional<unsigned> first = groups.getFirstAxis(Value(argument));
    int64_t rank = cast<RankedTensorType>(argument.getType()).getRank();
    KeptIndices kept;
    for (int64_t dim = 0; first && dim != rank; ++dim)
      kept.push_back(getKept(groups, *first + dim, removed));
    if (!llvm::any_of(kept, [](const auto &list) { return bool(list); }))
      return;
    unsigned number = argument.getArgNumber();
    auto before =
        dyn_cast_or_null<ArrayAttr>(function.getArgAttr(number, kKeptRecord));
    function.setArgAttr(number, kKeptRecord,
                        createRecord(module.getContext(), before, kept));
  });
}

void mlir::prune::updateSignatures(ModuleOp module) {
  module.walk([&](FunctionOpInterface function) {
    if (function.isExternal())
      return;
    SmallVector<Type> types =
        llvm::to_vector(ValueRange(function.getArguments()).getTypes());
    if (ArrayRef(types) != function.getArgumentTypes())
      function.setFunctionTypeAttr(TypeAttr::get(
          function.cloneTypeWith(types, function.getResultTypes())));
  });
}
