//===- Context.cpp - Contexts and diagnostics of the C interface ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream reports through a diagnostic engine, tools read standard error; a
// caller in another language needs text that belongs to the call. The context
// turns every diagnostic, notes included, into lines as a compiler prints them.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include "prune/InitAll.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace mlir;

//===----------------------------------------------------------------------===//
// Buffers and names
//===----------------------------------------------------------------------===//

PruneBuffer prune::copyOut(StringRef bytes) {
  auto *data = static_cast<char *>(llvm::safe_malloc(bytes.size() + 1));
  std::memcpy(data, bytes.data(), bytes.size());
  data[bytes.size()] = 0;
  return {data, bytes.size()};
}

void pruneBufferFree(PruneBuffer *buffer) {
  if (!buffer)
    return;
  std::free(buffer->data);
  *buffer = {nullptr, 0};
}

const char *pruneVersion(void) { return PRUNE_VERSION; }

const char *pruneStatusName(PruneStatus status) {
  switch (status) {
  case PRUNE_OK:
    return "ok";
  case PRUNE_INVALID_ARGUMENT:
    return "invalid argument";
  case PRUNE_PARSE_ERROR:
    return "parse error";
  case PRUNE_PIPELINE_ERROR:
    return "pipeline error";
  case PRUNE_PASS_FAILED:
    return "pass failed";
  case PRUNE_EXPORT_ERROR:
    return "export error";
  case PRUNE_COMPILE_ERROR:
    return "compile error";
  case PRUNE_UNKNOWN_WEIGHT:
    return "unknown weight";
  }
  return "unknown status";
}

PruneStatus pruneLoadPlugin(const char *path, PruneBuffer *message) {
  if (message)
    *message = {nullptr, 0};
  llvm::Error error = prune::loadPlugin(path ? path : "");
  if (!error)
    return PRUNE_OK;
  std::string text = llvm::toString(std::move(error));
  if (message)
    *message = prune::copyOut(text);
  return PRUNE_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

static PruneSeverity severityOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return PRUNE_ERROR;
  case DiagnosticSeverity::Warning:
    return PRUNE_WARNING;
  case DiagnosticSeverity::Remark:
    return PRUNE_REMARK;
  case DiagnosticSeverity::Note:
    return PRUNE_NOTE;
  }
  llvm_unreachable("severity of upstream");
}

static std::string formatted(const Diagnostic &diagnostic) {
  static constexpr StringLiteral kNames[] = {"error", "warning", "remark",
                                             "note"};
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
    os << place.getFilename().getValue() << ":" << place.getLine() << ":"
       << place.getColumn() << ": ";
  os << kNames[severityOf(diagnostic.getSeverity())] << ": " << diagnostic;
  return text;
}

void PruneContext::report(PruneSeverity severity, const std::string &message) {
  diagnostics += message;
  diagnostics += '\n';
  if (callback)
    callback(severity, message.c_str(), userData);
}

PruneStatus PruneContext::fail(PruneStatus status, const llvm::Twine &message) {
  report(PRUNE_ERROR, ("error: " + message).str());
  return status;
}

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

PruneContext::PruneContext(const DialectRegistry &registry)
    : context(registry) {
  // A module behind a message would be text of the size of its weights.
  context.printOpOnDiagnostic(false);
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    report(severityOf(diagnostic.getSeverity()), formatted(diagnostic));
    for (const Diagnostic &note : diagnostic.getNotes())
      report(PRUNE_NOTE, formatted(note));
  });
}

PruneContext *pruneContextCreate(void) {
  static std::once_flag once;
  std::call_once(once, [] {
    registerAllPasses();
    prune::registerAllPasses();
  });
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  prune::registerAllDialects(registry);
  return new PruneContext(registry);
}

void pruneContextFree(PruneContext *context) { delete context; }

void pruneContextSetCallback(PruneContext *context,
                             PruneMessageCallback callback, void *userData) {
  context->callback = callback;
  context->userData = userData;
}

const char *pruneContextDiagnostics(const PruneContext *context) {
  return context->diagnostics.c_str();
}
