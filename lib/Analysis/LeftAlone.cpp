//===- LeftAlone.cpp - Why a pass changed nothing -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reasons are shown by how often they apply, the commonest first, since a
// network has many layers and few reasons.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/LeftAlone.h"

#include "prune/IR/Prune.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SparseTensor/IR/SparseTensor.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mlir::prune;

void mlir::prune::reportNotPrunable(const WeightUses &uses,
                                    StringRef category) {
  for (const NotPrunable &item : uses.getNotPrunable())
    remark::missed(item.op->getLoc(),
                   remark::RemarkOpts::name("NotPrunable").category(category))
        << remark::metric("Weight", item.name)
        << remark::reason("{0}", item.reason);
}

void LeftAlone::note(StringRef text, Location loc, StringRef name) {
  constexpr size_t kNames = 5;
  StringRef key = texts.try_emplace(text, 0).first->getKey();
  Reason &reason = reasons.insert({key, Reason(loc)}).first->second;
  ++reason.count;
  if (!name.empty() && reason.names.size() < kNames &&
      !llvm::is_contained(reason.names, name))
    reason.names.push_back(name.str());
}

void LeftAlone::note(const WeightUses &uses) {
  for (const NotPrunable &item : uses.getNotPrunable())
    note(item.reason, item.op->getLoc(), item.name);
}

/// What the module is that has no weights; empty if nothing special.
static StringRef describeModule(Operation *root) {
  bool isPacked = false;
  WalkResult result = root->walk([&](Operation *op) {
    isPacked |= isa<PackedMatmulOp, sparse_tensor::AssembleOp>(op);
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    bool isLowered = isa_and_present<LLVM::LLVMDialect, memref::MemRefDialect>(
                         op->getDialect()) ||
                     (structured && structured.hasPureBufferSemantics());
    return isLowered ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (result.wasInterrupted())
    return "the module is lowered to buffers or LLVM already; prune it before "
           "that";
  return isPacked ? "the weights are packed already; prune them before that"
                  : "";
}

void LeftAlone::warnIfNothing(StringRef otherwise) {
  if (anyDone)
    return;
  constexpr size_t kReasons = 8;
  InFlightDiagnostic warning = emitWarning(root->getLoc())
                               << pass << ": nothing was " << done;
  if (StringRef kind = describeModule(root); !kind.empty()) {
    warning << ": " << kind;
    return;
  }
  if (reasons.empty()) {
    warning << ": " << otherwise;
    return;
  }
  auto sorted = reasons.takeVector();
  llvm::stable_sort(sorted, [](const auto &a, const auto &b) {
    return a.second.count > b.second.count;
  });
  for (const auto &[text, reason] : ArrayRef(sorted).take_front(kReasons)) {
    Diagnostic &note = warning.attachNote(reason.loc);
    note << "left alone " << (reason.count == 1 ? "once" : "");
    if (reason.count != 1)
      note << reason.count << " times";
    note << ": " << text;
    StringRef separator = " ('";
    for (const std::string &name : reason.names) {
      note << separator << name;
      separator = "', '";
    }
    if (!reason.names.empty())
      note << (reason.count > int64_t(reason.names.size()) ? "', ...)" : "')");
  }
  if (sorted.size() > kReasons)
    warning.attachNote(root->getLoc())
        << "and " << sorted.size() - kReasons
        << " reasons more; --remarks-filter=" << pass << " shows all";
}
