//===- Diagnostics.cpp - What the compiler says, on a terminal ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's handler writes "<unknown>:0" where a location is no place in a
// text, as in imported models and bytecode. Operations are not printed behind
// a message: a module is an operation, with all of its weights.
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"

#include "Tool.h"

#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::prune;

ToolDiagnostics::ToolDiagnostics(std::shared_ptr<llvm::SourceMgr> given,
                                 MLIRContext *context, StringRef path)
    : SourceMgrDiagnosticHandler(*given, context), sources(std::move(given)),
      path(path.str()) {
  context->printOpOnDiagnostic(false);
  setHandler([this](Diagnostic &diagnostic) { write(diagnostic); });
}

static llvm::raw_ostream &begin(DiagnosticSeverity severity, StringRef path) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return llvm::WithColor::note(llvm::errs(), path);
  case DiagnosticSeverity::Warning:
    return llvm::WithColor::warning(llvm::errs(), path);
  case DiagnosticSeverity::Remark:
    return llvm::WithColor::remark(llvm::errs(), path);
  case DiagnosticSeverity::Error:
    break;
  }
  return llvm::WithColor::error(llvm::errs(), path);
}

void ToolDiagnostics::write(Diagnostic &diagnostic) {
  if (diagnostic.getLocation()->findInstanceOf<FileLineColLoc>()) {
    emitDiagnostic(diagnostic);
    return;
  }
  std::string message = diagnostic.str();
  // Messages about the file as such name it themselves.
  bool namesFile = StringRef(message).contains("'" + path + "'");
  llvm::raw_ostream &os = begin(diagnostic.getSeverity(),
                                namesFile ? getToolName() : StringRef(path));
  if (auto name = diagnostic.getLocation()->findInstanceOf<NameLoc>())
    os << "'" << name.getName().getValue() << "': ";
  os << message << "\n";
  for (const Diagnostic &note : diagnostic.getNotes())
    begin(DiagnosticSeverity::Note, path) << note.str() << "\n";
}
