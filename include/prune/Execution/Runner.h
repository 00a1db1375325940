//===- Runner.h - Compile a lowered module and call it ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only place that touches the JIT. A Runner holds the machine code of one
// module in the LLVM dialect; an Invocation binds one function to arguments and
// calls it any number of times. Every heap block of compiled code comes from
// functions given here, so that leaks can be counted.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_EXECUTION_RUNNER_H
#define PRUNE_EXECUTION_RUNNER_H

#include "prune/Execution/Observer.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir {
class ExecutionEngine;
class Operation;

namespace prune {
struct Processor;

/// How one argument or result crosses the boundary: a memory reference of some
/// rank, or a scalar of `elementBytes`.
struct PortType {
  bool isScalar = false;
  unsigned rank = 0;
  unsigned elementBytes = 4;
};

/// A buffer in row-major order. The shape and the data belong to someone else;
/// a scalar is a buffer of rank 0.
struct PortView {
  void *data = nullptr;
  llvm::ArrayRef<int64_t> shape;
};

/// What compiled code has allocated and not freed, in the whole process.
struct HeapUse {
  int64_t allocations = 0;
  int64_t bytes = 0;
};
HeapUse liveHeap();

/// What to do when compiled code finds a run-time check violated. It must not
/// return, because there is nothing to return to; by default the program ends
/// as with a fatal error.
using CheckHandler = void (*)(llvm::StringRef message);
void setCheckHandler(CheckHandler handler);

class HeapUser;
class Invocation;

class Runner {
public:
  /// Compiles a module in the LLVM dialect for a processor that this machine
  /// can stand for, which is checked. The module can be destroyed afterwards.
  /// `level` is LLVM's, from 0 (compiles fast) to 3 (runs fast).
  static llvm::Expected<std::unique_ptr<Runner>>
  compile(Operation *module, const Processor &processor, unsigned level = 2);
  ~Runner();

  /// Who sees what the code observes, in all calls that are bound from now on.
  /// The observer belongs to the runner.
  void setObserver(Observer observer);

  /// Binds a function with `llvm.emit_c_interface`. Arguments must live as long
  /// as the invocation.
  llvm::Expected<std::unique_ptr<Invocation>>
  bind(llvm::StringRef function, llvm::ArrayRef<PortType> argumentTypes,
       llvm::ArrayRef<PortType> resultTypes,
       llvm::ArrayRef<PortView> arguments) const;

private:
  Runner();
  std::unique_ptr<HeapUser> heap;
  std::unique_ptr<Observer> observer;
  std::unique_ptr<llvm::TargetMachine> target;
  std::unique_ptr<ExecutionEngine> engine;
};

class Invocation {
public:
  Invocation(const Invocation &) = delete;
  ~Invocation();

  /// Calls the function. Results of an earlier call are freed first.
  void call();
  /// Frees the results of the last call.
  void freeResults();

  /// The shape of a result of the last call.
  llvm::ArrayRef<int64_t> resultShape(unsigned index) const;
  /// Copies the elements of a result to `out`, in row-major order.
  void copyResult(unsigned index, char *out) const;

private:
  friend class Runner;
  Invocation() = default;
  char *resultAt(unsigned index) const;

  void (*function)(void **) = nullptr;
  /// The runner's, or null.
  const Observer *observer = nullptr;
  llvm::SmallVector<PortType> resultTypes;
  /// One descriptor per argument: two pointers, offset, sizes, strides.
  std::vector<std::vector<int64_t>> descriptors;
  /// What the packed call takes: the address of each argument.
  std::vector<void *> pointers, packed;
  /// All results, laid out as the structure that the function fills.
  std::vector<int64_t> results;
  llvm::SmallVector<size_t> resultOffsets;
  void *resultsPointer = nullptr;
  bool hasResults = false;
};

} // namespace prune
} // namespace mlir

#endif // PRUNE_EXECUTION_RUNNER_H
