//===- Tool.cpp - What all command lines have in common -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's parser of command lines ends the program with code 1 unless it is
// given a stream for its errors; so it is given one.
//
//===----------------------------------------------------------------------===//

#include "Tool.h"

#include "prune/Core/Packing/Processor.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace mlir::prune;

/// Set once, by startTool.
static std::string toolName;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

char CodedError::ID;

void CodedError::log(llvm::raw_ostream &os) const { os << message; }

std::error_code CodedError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

llvm::Error mlir::prune::makeError(ExitCode code, const llvm::Twine &message) {
  return llvm::make_error<CodedError>(code, message.str());
}

llvm::Error mlir::prune::withCode(ExitCode code, llvm::Error error) {
  return error ? makeError(code, llvm::toString(std::move(error)))
               : llvm::Error::success();
}

int mlir::prune::fail(ExitCode code, const llvm::Twine &message) {
  if (!message.isTriviallyEmpty())
    llvm::WithColor::error(llvm::errs(), toolName) << message << "\n";
  return code;
}

int mlir::prune::fail(llvm::Error error) {
  ExitCode code = kRefused;
  std::string message;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    if (info.isA<CodedError>())
      code = static_cast<const CodedError &>(info).exitCode();
    message += (message.empty() ? "" : "\n") + info.message();
  });
  return message.empty() ? code : fail(code, message);
}

ExitCode mlir::prune::blameForReading(llvm::StringRef path, bool isONNX) {
  return isONNX && llvm::sys::fs::exists(path) ? kRefused : kInput;
}

void mlir::prune::note(const llvm::Twine &message) {
  llvm::WithColor::note(llvm::errs(), toolName) << message << "\n";
}

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kExitCodes(
    "\nExit codes: 0 done; 1 refused: the compiler cannot do this, or the "
    "output cannot be written;\n2 usage: the command line is wrong; 3 input: "
    "a file cannot be read or is malformed;\n4 mismatch: numbers are not the "
    "expected ones (prune-run only)\n");

llvm::StringRef mlir::prune::getToolName() { return toolName; }

void mlir::prune::setVersion(llvm::StringRef name) {
  toolName = name.str();
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) {
    os << toolName << " of Prune " << PRUNE_VERSION << "\nMLIR and LLVM "
       << LLVM_VERSION_STRING << "\n";
  });
}

void mlir::prune::startTool(llvm::StringRef name, int argc, char **argv,
                            llvm::StringRef overview) {
  setVersion(name);
  std::string text = (overview + kExitCodes).str();
  if (!llvm::cl::ParseCommandLineOptions(argc, argv, text, &llvm::errs()))
    std::exit(kUsage);
}

llvm::Error mlir::prune::useProcessor(llvm::StringRef name) {
  llvm::Expected<Processor> processor = Processor::get(name);
  if (!processor)
    return makeError(kUsage, (name.empty() ? "" : "--cpu: ") +
                                 llvm::toString(processor.takeError()));
  // Passes that are parsed from text have no other way to know.
  ::setenv(kProcessorVariable.data(), Processor::chooseName(name).c_str(),
           /*overwrite=*/1);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Terminals
//===----------------------------------------------------------------------===//

bool mlir::prune::isTerminal(llvm::StringRef outputName) {
  return outputName == "-" && llvm::sys::Process::StandardOutIsDisplayed();
}

void mlir::prune::noteElision() {
  note("the numbers of large constants are left out on a terminal; write to a "
       "file with -o, or to a pipe, to keep them");
}
