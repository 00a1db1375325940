//===- Tool.h - What all command lines have in common -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages carry the name of the tool, and an exit code says who is to blame:
// the command, the input, the compiler, or the numbers. An error knows its code
// from where it was made, so that a tool ends in one place.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_LIB_TOOLS_TOOL_H
#define PRUNE_LIB_TOOLS_TOOL_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

namespace mlir::prune {

enum ExitCode : int {
  /// Everything that was asked for is done.
  kDone = 0,
  /// The input was read, but is refused: a pass, the compiler or the exporter
  /// cannot do it, or its output cannot be written.
  kRefused = 1,
  /// The command line is wrong.
  kUsage = 2,
  /// A file cannot be opened, or does not hold what it should.
  kInput = 3,
  /// Everything ran, but the numbers are not the expected ones.
  kMismatch = 4
};

/// An error that decides the exit code; any other error means `kRefused`.
class CodedError : public llvm::ErrorInfo<CodedError> {
public:
  static char ID;
  CodedError(ExitCode code, std::string message)
      : code(code), message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;
  ExitCode exitCode() const { return code; }

private:
  ExitCode code;
  std::string message;
};

llvm::Error makeError(ExitCode code, const llvm::Twine &message);
/// The same message under another code.
llvm::Error withCode(ExitCode code, llvm::Error error);

/// Parses the command line. Help ends with the exit codes, and `--version` says
/// ours and LLVM's. Ends the program if the command line is wrong.
void startTool(llvm::StringRef name, int argc, char **argv,
               llvm::StringRef overview);
/// What the program is called in messages.
llvm::StringRef getToolName();
/// Only the version, for a tool whose command line upstream parses.
void setVersion(llvm::StringRef name);

/// Writes "tool: error: message", unless diagnostics said it all and the
/// message is empty; returns the code.
int fail(ExitCode code, const llvm::Twine &message);
int fail(llvm::Error error);
/// Writes "tool: note: message".
void note(const llvm::Twine &message);

/// Who is to blame if a file cannot be read. The importer of ONNX models
/// refuses what other runtimes may take.
ExitCode blameForReading(llvm::StringRef path, bool isONNX);

/// Compiles for this processor from now on, whoever asks; the empty name
/// changes nothing. Fails if there is no such processor.
llvm::Error useProcessor(llvm::StringRef name);

/// Whether what is written to the file ("-" is standard output) is seen by a
/// person.
bool isTerminal(llvm::StringRef outputName);
/// Says that numbers are left out of what follows.
void noteElision();

} // namespace mlir::prune

#endif // PRUNE_LIB_TOOLS_TOOL_H
