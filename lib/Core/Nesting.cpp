//===- Nesting.cpp - Depth of brackets in untrusted text ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scan that knows just enough of MLIR's lexical rules: string literals, line
// comments, and that the `>` of an arrow closes nothing. Strings, which hold
// the weights, are skipped at memory speed.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Nesting.h"

using namespace llvm;

Error mlir::prune::checkNesting(StringRef text, StringRef fileName) {
  if (text.starts_with("ML\xefR"))
    return Error::success();
  size_t depth = 0;
  for (size_t i = 0, e = text.size(); i < e; ++i) {
    switch (text[i]) {
    case '"':
      do
        i = text.find('"', i + 1);
      while (i != StringRef::npos && text[i - 1] == '\\');
      break;
    case '/':
      if (i + 1 < e && text[i + 1] == '/')
        i = text.find('\n', i);
      break;
    case '(':
    case '[':
    case '{':
    case '<':
      if (++depth > kMaxNesting)
        return createStringError(
            "%s:%zu: brackets nest deeper than %u levels", fileName.str().c_str(),
            text.take_front(i).count('\n') + 1, kMaxNesting);
      break;
    case ')':
    case ']':
    case '}':
      depth -= depth > 0;
      break;
    case '>':
      if (i == 0 || text[i - 1] != '-')
        depth -= depth > 0;
      break;
    default:
      break;
    }
    if (i == StringRef::npos)
      break;
  }
  return Error::success();
}
