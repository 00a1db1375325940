//===- LoopConstants.cpp - What slices hold in every iteration ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hidden unit whose gates are zero is zero in every step if it starts as
// zero: true because it is assumed, and the assumption holds by itself. So a
// nest of loops is swept over until the values that control flow passes on are
// what was assumed of them. At first nothing contradicts, each sweep only takes
// assumptions back, and those that the last one allowed leaves are dropped
// together: the work stays linear, and what is left was proved.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/Evaluation/SliceConstants.h"
#include "prune/IR/PassedValues.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mlir::prune;

/// A chain of units that make each other nonzero takes a sweep for each.
static constexpr unsigned kMaxSweeps = 16;

/// One value that is passed on, by its first axes.
struct SliceConstants::Edge {
  std::optional<unsigned> from, to;
  Value target;
};

/// Takes back what `target` was assumed to hold where the operand holds
/// something else; returns whether anything changed.
bool SliceConstants::pass(const Edge &edge, Log *log) {
  bool changed = false;
  int64_t rank = cast<RankedTensorType>(edge.target.getType()).getRank();
  for (int64_t dim = 0; edge.to && dim != rank; ++dim) {
    const Axis &to = groups.getAxes()[*edge.to + dim];
    for (int64_t i = 0; i != to.size; ++i) {
      Attribute source;
      if (edge.from)
        source = constants[groups.getAxes()[*edge.from + dim].first + i];
      Attribute old = constants[to.first + i];
      if (source == old || isa_and_nonnull<UnitAttr>(source) || !old)
        continue;
      store(to.first + i, isa<UnitAttr>(old) ? source : Attribute(), log);
      changed = true;
    }
  }
  return changed;
}

void SliceConstants::evaluateNest(ArrayRef<Operation *> nest, Log *log) {
  llvm::DenseMap<Operation *, SmallVector<Edge>> edges;
  SmallVector<Edge> rest;
  llvm::SmallPtrSet<Operation *, 16> inNest(nest.begin(), nest.end());
  SmallVector<std::pair<unsigned, unsigned>> targets;
  for (Operation *op : nest)
    for (const PassedValue &passed : getPassedValues(op)) {
      Edge edge{std::nullopt, groups.getFirstAxis(passed.to), passed.to};
      if (passed.from->get().getType() == passed.to.getType())
        edge.from = groups.getFirstAxis(*passed.from);
      Operation *owner = passed.from->getOwner();
      (inNest.contains(owner) ? edges[owner] : rest).push_back(edge);
      int64_t rank = cast<RankedTensorType>(passed.to.getType()).getRank();
      for (int64_t dim = 0; edge.to && dim != rank; ++dim) {
        const Axis &axis = groups.getAxes()[*edge.to + dim];
        targets.push_back({axis.first, axis.size});
      }
    }
  auto setTargets = [&](Attribute value) {
    for (auto [first, size] : targets)
      for (unsigned i = 0; i != size; ++i)
        store(first + i, value, log);
  };
  setTargets(UnitAttr::get(nest.front()->getContext()));
  bool changed = true;
  for (unsigned sweep = 0; changed && sweep <= kMaxSweeps; ++sweep) {
    if (sweep == kMaxSweeps)
      setTargets(Attribute());
    changed = false;
    for (Operation *op : nest) {
      // Entering a region comes before its operations, so only what goes back
      // is news to them.
      bool goesBack = isPassingTerminator(op);
      for (const Edge &edge : edges.lookup(op))
        changed |=
            pass(edge, log) && goesBack && isa<BlockArgument>(edge.target);
      if (!passesValues(op))
        evaluate(op, log);
    }
    for (const Edge &edge : rest)
      changed |= pass(edge, log);
  }
}

void SliceConstants::evaluate(ArrayRef<Operation *> ops, Log *log) {
  while (!ops.empty()) {
    Operation *op = ops.front();
    size_t count = 1;
    if (passesValues(op)) {
      while (count != ops.size() && op->isProperAncestor(ops[count]))
        ++count;
      evaluateNest(ops.take_front(count), log);
    } else {
      evaluate(op, log);
    }
    ops = ops.drop_front(count);
  }
}
