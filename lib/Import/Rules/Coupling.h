//===- Coupling.h - Indices that stay or leave together ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of a pruned network is which indices its weights kept. From
// there it follows what every other tensor of the graph keeps: indices are
// joined into classes, each class stays or leaves, and a dimension that is the
// product of several follows from these, and they from it. A class that both
// stays and leaves is a contradiction, reported with both causes.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_IMPORT_RULES_COUPLING_H
#define PRUNE_LIB_IMPORT_RULES_COUPLING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlir::prune::onnx_export {

class Coupling {
public:
  /// A dimension of a tensor; its size is 0 if only the run knows it.
  using Dim = unsigned;

  Dim addDim(int64_t size);
  int64_t sizeOf(Dim dim) const { return dims[dim].size; }

  /// From now on, what is said is said by `cause`, for messages.
  void setCause(std::string cause);

  void join(Dim a, int64_t aBegin, Dim b, int64_t bBegin, int64_t count);
  /// All indices of two dimensions, which stay if their sizes differ.
  void join(Dim a, Dim b);
  void keep(Dim dim, int64_t begin, int64_t count);
  void keep(Dim dim) { keep(dim, 0, dims[dim].size); }
  /// Indices that are not kept leave; those that could be missed anyway only if
  /// nothing else needs them.
  void setKept(Dim dim, llvm::ArrayRef<int64_t> kept,
               llvm::function_ref<bool(int64_t)> isMissable);
  /// Index (i, j, ...) of the factors, row-major, is one index of `whole` and
  /// leaves if any of i, j, ... does.
  void addProduct(Dim whole, llvm::ArrayRef<Dim> factors);

  /// Draws all conclusions; what nothing is known of stays. Returns the first
  /// contradiction as a message.
  std::optional<std::string> solve();

  /// After `solve`: joins the indices of a product that differ only in factors
  /// that stay, since they leave together.
  void joinProducts();

  /// After `solve`: of the factors of a product that may lose indices leaves
  /// that to one, the last or the first, unless one was left before; then joins
  /// as `joinProducts`.
  void chooseFactors(bool last);

  bool isKept(Dim dim, int64_t index);
  /// Why an index has to stay; nothing if that is not known.
  std::optional<llvm::StringRef> whyKept(Dim dim, int64_t index);
  /// The same number for indices that leave together.
  unsigned classOf(Dim dim, int64_t index) {
    return find(dims[dim].first + index);
  }
  int64_t countKept(Dim dim, int64_t begin, int64_t count);
  int64_t countKept(Dim dim) { return countKept(dim, 0, dims[dim].size); }

private:
  enum class State : int8_t { Unknown, Kept, Removed };
  struct DimInfo {
    int64_t size;
    unsigned first;
  };
  struct Product {
    Dim whole;
    llvm::SmallVector<Dim, 2> factors;
    unsigned cause;
  };

  unsigned find(unsigned slot);
  State stateOf(Dim dim, int64_t index);
  bool set(Dim dim, int64_t index, State state);
  void contradict(unsigned keptBy, unsigned removedBy);
  void conclude();
  bool toWhole(const Product &product);
  bool toFactors(const Product &product);
  void indexProducts();
  std::optional<std::vector<int64_t>> getFirst(Dim dim);
  void joinProduct(const Product &product);
  void chooseFactor(const Product &product, bool last);
  bool isApplied(const Product &product, Dim factor);

  std::vector<DimInfo> dims;
  std::vector<unsigned> parent;
  /// Of roots: the state, and the cause that set it.
  std::vector<State> states;
  std::vector<unsigned> causeOf;
  std::vector<Product> products;
  /// What leaves if nothing needs it, with the cause.
  struct Missable {
    Dim dim;
    int64_t index;
    unsigned cause;
  };
  std::vector<Missable> missable;
  /// Roots and the products that read them, sorted.
  std::vector<std::pair<unsigned, unsigned>> productsOf;
  /// Roots whose state was set since this was cleared.
  std::vector<unsigned> settled;
  std::vector<std::string> causes = {""};
  unsigned current = 0;
  std::optional<std::string> contradiction;
};

} // namespace mlir::prune::onnx_export

#endif // PRUNE_LIB_IMPORT_RULES_COUPLING_H
