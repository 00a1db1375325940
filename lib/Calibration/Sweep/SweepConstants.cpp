//===- SweepConstants.cpp - The numbers of a network that changes ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SweepState.h"

#include "prune/Core/Packing/LevelStorage.h"
#include "prune/IR/Prune.h"

using namespace mlir;
using namespace mlir::prune;

void Sweep::set(Operation *constant, ArrayRef<double> values) {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  Type type = network->constants()[*number].getElementType();
  changed[*number] = convertElements(
      FloatKind::F64, *getFloatKind(type),
      {reinterpret_cast<const char *>(values.data()), values.size() * 8});
}

std::vector<double> Sweep::get(Operation *constant) const {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  TensorView view = *getTensorView(network->constants()[*number]);
  if (!changed[*number].empty()) {
    view.data = changed[*number];
    view.splat = false;
  }
  std::vector<double> values(view.size());
  view.load(0, values);
  return values;
}

std::vector<double> Sweep::getDense(Operation *constant) const {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  TensorView view = *getTensorView(network->constants()[*number]);
  std::vector<double> values(view.size());
  view.load(0, values);
  return values;
}

std::vector<char> Sweep::getBytes(Operation *constant) const {
  std::optional<unsigned> number = network->constantOf(constant);
  assert(number && "expects a constant of the network");
  if (!changed[*number].empty())
    return changed[*number];
  return copyElements(network->constants()[*number]).getData().vec();
}

void Sweep::reset() {
  for (std::vector<char> &bytes : changed)
    bytes.clear();
}

std::vector<ConstantChange> Sweep::changes() const {
  std::vector<ConstantChange> all;
  for (auto [number, bytes] : llvm::enumerate(changed))
    if (!bytes.empty())
      all.push_back({unsigned(number), bytes});
  return all;
}

void Sweep::apply(ArrayRef<ConstantChange> changes) {
  for (const ConstantChange &change : changes)
    changed[change.constant] = change.bytes;
}

void Sweep::visitChanged(
    llvm::function_ref<void(DenseResourceElementsAttr, ArrayRef<char>)> visit) {
  for (auto [constant, bytes] : llvm::zip_equal(network->constants(), changed))
    if (!bytes.empty())
      visit(constant, bytes);
}
