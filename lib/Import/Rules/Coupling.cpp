//===- Coupling.cpp - Indices that stay or leave together -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A union-find forest whose roots carry the state. Products are asked once, and
// again when a class that they read was settled.
//
//===----------------------------------------------------------------------===//

#include "Coupling.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <numeric>

using namespace llvm;
using namespace mlir::prune::onnx_export;

Coupling::Dim Coupling::addDim(int64_t size) {
  size = std::max<int64_t>(size, 0);
  dims.push_back({size, unsigned(parent.size())});
  for (int64_t i = 0; i != size; ++i) {
    parent.push_back(parent.size());
    states.push_back(State::Unknown);
    causeOf.push_back(0);
  }
  return dims.size() - 1;
}

void Coupling::setCause(std::string cause) {
  causes.push_back(std::move(cause));
  current = causes.size() - 1;
}

unsigned Coupling::find(unsigned slot) {
  while (parent[slot] != slot)
    slot = parent[slot] = parent[parent[slot]];
  return slot;
}

Coupling::State Coupling::stateOf(Dim dim, int64_t index) {
  return states[find(dims[dim].first + index)];
}

void Coupling::contradict(unsigned keptBy, unsigned removedBy) {
  if (!contradiction)
    contradiction =
        causes[keptBy] + " needs channels that left with " + causes[removedBy];
}

/// Returns whether anything changed.
bool Coupling::set(Dim dim, int64_t index, State state) {
  unsigned root = find(dims[dim].first + index);
  if (states[root] == state)
    return false;
  if (states[root] != State::Unknown) {
    if (state == State::Removed)
      contradict(causeOf[root], current);
    else
      contradict(current, causeOf[root]);
    return false;
  }
  states[root] = state;
  causeOf[root] = current;
  settled.push_back(root);
  return true;
}

void Coupling::join(Dim a, int64_t aBegin, Dim b, int64_t bBegin,
                    int64_t count) {
  for (int64_t i = 0; i != count; ++i) {
    unsigned x = find(dims[a].first + aBegin + i);
    unsigned y = find(dims[b].first + bBegin + i);
    if (x == y)
      continue;
    if (y < x)
      std::swap(x, y);
    if (states[x] == State::Unknown) {
      states[x] = states[y];
      causeOf[x] = causeOf[y];
    } else if (states[y] != State::Unknown && states[x] != states[y]) {
      bool xStays = states[x] == State::Kept;
      contradict(causeOf[xStays ? x : y], causeOf[xStays ? y : x]);
    }
    parent[y] = x;
  }
}

void Coupling::join(Dim a, Dim b) {
  if (dims[a].size == dims[b].size)
    return join(a, 0, b, 0, dims[a].size);
  keep(a);
  keep(b);
}

void Coupling::keep(Dim dim, int64_t begin, int64_t count) {
  for (int64_t i = 0; i != count; ++i)
    set(dim, begin + i, State::Kept);
}

void Coupling::setKept(Dim dim, ArrayRef<int64_t> kept,
                       function_ref<bool(int64_t)> isMissable) {
  std::vector<State> wanted(dims[dim].size, State::Removed);
  for (int64_t index : kept)
    wanted[index] = State::Kept;
  for (int64_t i = 0; i != dims[dim].size; ++i)
    if (wanted[i] == State::Removed && isMissable(i))
      missable.push_back({dim, i, current});
    else
      set(dim, i, wanted[i]);
}

void Coupling::addProduct(Dim whole, ArrayRef<Dim> factors) {
  products.push_back({whole, SmallVector<Dim, 2>(factors), current});
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

bool Coupling::toWhole(const Product &product) {
  bool changed = false;
  for (int64_t at = 0; at != dims[product.whole].size; ++at) {
    bool anyLeaves = false, allStay = true;
    int64_t rest = at;
    for (Dim factor : llvm::reverse(product.factors)) {
      State state = stateOf(factor, rest % dims[factor].size);
      rest /= dims[factor].size;
      anyLeaves |= state == State::Removed;
      allStay &= state == State::Kept;
    }
    if (anyLeaves || allStay)
      changed |=
          set(product.whole, at, anyLeaves ? State::Removed : State::Kept);
  }
  return changed;
}

/// An index of a factor stays if any of its indices of the whole does. It
/// leaves if all of them do, and the other factors have others that stay: so
/// that what `toWhole` then says is what is known.
bool Coupling::toFactors(const Product &product) {
  bool changed = false;
  int64_t total = dims[product.whole].size;
  int64_t inner = 1;
  for (Dim factor : llvm::reverse(product.factors)) {
    int64_t size = dims[factor].size;
    std::vector<bool> anyStays(size), allLeave(size, true);
    bool anyAtAll = false;
    for (int64_t at = 0; at != total; ++at) {
      State state = stateOf(product.whole, at);
      int64_t i = at / inner % size;
      anyStays[i] = anyStays[i] || state == State::Kept;
      allLeave[i] = allLeave[i] && state == State::Removed;
      anyAtAll |= state == State::Kept;
    }
    for (int64_t i = 0; i != size; ++i)
      if (anyStays[i] || (allLeave[i] && anyAtAll))
        changed |= set(factor, i, anyStays[i] ? State::Kept : State::Removed);
    inner *= size;
  }
  return changed;
}

/// The products that each class takes part in, by root.
void Coupling::indexProducts() {
  for (auto [number, product] : llvm::enumerate(products)) {
    SmallVector<Dim, 4> all(product.factors.begin(), product.factors.end());
    all.push_back(product.whole);
    for (Dim dim : all)
      for (int64_t i = 0; i != dims[dim].size; ++i)
        productsOf.push_back({find(dims[dim].first + i), unsigned(number)});
  }
  llvm::sort(productsOf);
  productsOf.erase(llvm::unique(productsOf), productsOf.end());
}

void Coupling::conclude() {
  std::vector<bool> isWaiting(products.size(), true);
  std::vector<unsigned> waiting(products.size());
  std::iota(waiting.begin(), waiting.end(), 0);
  settled.clear();
  for (size_t at = 0; at != waiting.size() && !contradiction; ++at) {
    const Product &product = products[waiting[at]];
    isWaiting[waiting[at]] = false;
    current = product.cause;
    // What one says the other goes on from.
    for (bool more = true; more;) {
      more = toWhole(product);
      more |= toFactors(product);
    }
    for (unsigned root : settled)
      for (auto entry = llvm::lower_bound(productsOf, std::pair(root, 0u));
           entry != productsOf.end() && entry->first == root; ++entry)
        if (!isWaiting[entry->second]) {
          isWaiting[entry->second] = true;
          waiting.push_back(entry->second);
        }
    settled.clear();
  }
}

std::optional<std::string> Coupling::solve() {
  indexProducts();
  conclude();
  for (const Missable &one : missable)
    if (stateOf(one.dim, one.index) == State::Unknown) {
      current = one.cause;
      set(one.dim, one.index, State::Removed);
    }
  conclude();
  return contradiction;
}

/// Of each index of a dimension, the first that leaves together with it;
/// nothing if all stay.
std::optional<std::vector<int64_t>> Coupling::getFirst(Dim dim) {
  llvm::DenseMap<unsigned, int64_t> firstOf;
  std::vector<int64_t> first;
  bool stays = true;
  for (int64_t i = 0; i != dims[dim].size; ++i) {
    first.push_back(firstOf.try_emplace(classOf(dim, i), i).first->second);
    stays &= stateOf(dim, i) == State::Kept;
  }
  return stays ? std::nullopt : std::optional(first);
}

void Coupling::joinProduct(const Product &product) {
  // The part of a position in the whole that factors which may lose indices
  // make.
  int64_t size = dims[product.whole].size;
  std::vector<int64_t> free(size, 0);
  int64_t inner = 1;
  for (Dim factor : llvm::reverse(product.factors)) {
    int64_t extent = dims[factor].size;
    if (auto first = getFirst(factor))
      for (int64_t at = 0; at != size; ++at)
        free[at] += (*first)[at / inner % extent] * inner;
    inner *= extent;
  }
  llvm::DenseMap<int64_t, int64_t> firstOf;
  for (int64_t at = 0; at != size; ++at)
    join(product.whole, firstOf.try_emplace(free[at], at).first->second,
         product.whole, at, 1);
}

void Coupling::joinProducts() {
  // What one joins another may have to follow, forward or backward.
  constexpr unsigned kRounds = 4;
  for (unsigned round = 0; round != kRounds; ++round)
    for (const Product &product : products)
      joinProduct(product);
}

/// Whether the indices of the whole that share one of a factor leave together.
bool Coupling::isApplied(const Product &product, Dim factor) {
  int64_t inner = 1, extent = dims[factor].size;
  for (Dim other : llvm::reverse(product.factors)) {
    if (other == factor)
      break;
    inner *= dims[other].size;
  }
  std::vector<std::optional<unsigned>> classes(extent);
  for (int64_t at = 0; at != dims[product.whole].size; ++at) {
    std::optional<unsigned> &first = classes[at / inner % extent];
    if (!first)
      first = classOf(product.whole, at);
    if (*first != classOf(product.whole, at))
      return false;
  }
  return true;
}

void Coupling::chooseFactor(const Product &product, bool last) {
  SmallVector<Dim> free;
  for (Dim factor : product.factors)
    if (getFirst(factor))
      free.push_back(factor);
  if (free.size() < 2)
    return;
  const Dim *chosen = llvm::find_if(
      free, [&](Dim factor) { return isApplied(product, factor); });
  Dim one = chosen != free.end() ? *chosen : last ? free.back() : free.front();
  current = product.cause;
  for (Dim factor : free)
    if (factor != one)
      keep(factor);
}

void Coupling::chooseFactors(bool last) {
  for (const Product &product : products) {
    chooseFactor(product, last);
    joinProduct(product);
  }
  joinProducts();
}

std::optional<StringRef> Coupling::whyKept(Dim dim, int64_t index) {
  unsigned root = find(dims[dim].first + index);
  if (states[root] != State::Kept)
    return std::nullopt;
  return StringRef(causes[causeOf[root]]);
}

bool Coupling::isKept(Dim dim, int64_t index) {
  return stateOf(dim, index) != State::Removed;
}

int64_t Coupling::countKept(Dim dim, int64_t begin, int64_t count) {
  int64_t kept = 0;
  for (int64_t i = 0; i != count; ++i)
    kept += isKept(dim, begin + i);
  return kept;
}
