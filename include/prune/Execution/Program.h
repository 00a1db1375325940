//===- Program.h - A network, compiled, with its signature ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every interface that runs networks shares: from a module to machine
// code, the arguments and results with their names and types, and calls on
// buffers that are checked before machine code sees a pointer.
//
// Weights may be arguments of the compiled code (`externalize`), so that other
// numbers in them cost no compilation.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_EXECUTION_PROGRAM_H
#define PRUNE_EXECUTION_PROGRAM_H

#include "prune/Execution/Runner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace mlir::prune {

/// The element types that compiled functions take and give.
enum class ElementType {
  F64,
  F32,
  F16,
  BF16,
  I64,
  I32,
  I16,
  I8,
  U8,
  Bool,
  Index
};

/// The size of one element in bytes.
unsigned byteSize(ElementType type);

/// MLIR's name of the type, such as "f32".
StringRef nameOf(ElementType type);

/// One argument or result of a compiled function.
struct Port {
  /// "argument 1 ('x') of 'main'"
  std::string description;
  /// What the attribute `prune.name` says, or nothing; of a weight, its name.
  std::string name;
  ElementType element = ElementType::F32;
  bool isScalar = false;
  /// A dimension that is not known is -1.
  SmallVector<int64_t> shape;

  PortType type() const;
  bool isDynamic() const { return llvm::is_contained(shape, -1); }
  /// "4x?xf32"
  std::string typeText() const;
};

/// How to compile.
struct CompileOptions {
  /// What messages call the module.
  std::string module = "the module";
  /// The function; if empty, `main` or the only public one.
  std::string entry;
  /// dense, reference or packed.
  std::string kernels = "dense";
  /// A processor that this machine can stand for; empty for the default.
  std::string cpu;
  unsigned threads = 1;
  /// LLVM's, from 0 (compiles fast) to 3 (runs fast).
  unsigned level = 2;
  bool runtimeChecks = true;
  /// Makes arguments of the weights, which `setWeight` can replace.
  bool externalize = false;
  /// Who sees what operations with a number observe. If nobody does, observers
  /// are left out.
  Observer observer;
};

/// An option is wrong, or does not go with the module.
class OptionError : public llvm::ErrorInfo<OptionError, llvm::StringError> {
public:
  static char ID;
  explicit OptionError(const Twine &text)
      : ErrorInfo(text, llvm::inconvertibleErrorCode()) {}
};

class Program {
public:
  /// Compiles a copy of the module. Diagnostics go where the context's go; the
  /// error is without words if they have said it all.
  static llvm::Expected<std::unique_ptr<Program>>
  compile(ModuleOp module, const CompileOptions &options);
  ~Program();

  /// The function that `options` mean.
  static llvm::Expected<func::FuncOp> findEntry(ModuleOp module,
                                                const CompileOptions &options);

  /// The arguments that a function takes. Fails if compiled code cannot take
  /// one.
  static llvm::Expected<std::vector<Port>> argumentsOf(func::FuncOp function);

  StringRef entry() const { return name; }
  ArrayRef<Port> arguments() const { return argumentPorts; }
  ArrayRef<Port> results() const { return resultPorts; }

  /// The weights that are arguments, by the order of their first use.
  ArrayRef<Port> weights() const { return weightPorts; }
  /// The elements of a weight, in row-major order.
  ArrayRef<char> weight(unsigned index) const;
  /// Replaces the elements of a weight for all calls that are bound from now
  /// on. `bytes` must have the size that the port says.
  void setWeight(unsigned index, ArrayRef<char> bytes);

  /// Binds the function to arguments, whose shapes must fit and whose data must
  /// live as long as the invocation, as must the program.
  llvm::Expected<std::unique_ptr<Invocation>>
  bind(ArrayRef<PortView> arguments) const;

private:
  Program() = default;

  std::string name;
  std::vector<Port> argumentPorts, resultPorts, weightPorts;
  struct WeightBuffer;
  std::vector<WeightBuffer> buffers;
  std::unique_ptr<Runner> runner;
};

} // namespace mlir::prune

#endif // PRUNE_EXECUTION_PROGRAM_H
