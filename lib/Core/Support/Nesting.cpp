//===- Nesting.cpp - What MLIR's parser does not survive ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scan that knows just enough of MLIR's lexical rules: string literals, line
// comments, and that the `>` of an arrow closes nothing. Strings, which hold
// the weights, are skipped at memory speed. Resources stand in a section of
// their own at the end of a file, as `key: "0x<alignment><data>"`.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/Nesting.h"

#include "llvm/ADT/bit.h"

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
        return createStringError("%s:%zu: brackets nest deeper than %u levels",
                                 fileName.str().c_str(),
                                 text.take_front(i).count('\n') + 1,
                                 kMaxNesting);
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

Error mlir::prune::checkAlignments(StringRef text, StringRef fileName) {
  if (text.starts_with("ML\xefR"))
    return Error::success();
  constexpr StringRef kBlob = "\"0x";
  size_t section = text.find("{-#");
  for (size_t i = text.find(kBlob, section); i != StringRef::npos;
       i = text.find(kBlob, text.find('"', i + kBlob.size()))) {
    // The section's mark may stand in a string long before; then this may be
    // an elements attribute or a string attribute, which state no alignment.
    if (text.take_front(i).rtrim().ends_with("<") ||
        text.take_front(i).rtrim().ends_with("="))
      continue;
    StringRef digits = text.substr(i + kBlob.size(), 8);
    uint32_t stated = 0;
    if (digits.size() < 8 || digits.getAsInteger(16, stated))
      continue;
    uint32_t alignment = llvm::byteswap(stated); // the text is little endian
    if (alignment == 0 || alignment > kMaxAlignment)
      return createStringError(
          "%s:%zu: a resource states an alignment of %u; expects a power of "
          "two from 1 to %u",
          fileName.str().c_str(), text.take_front(i).count('\n') + 1, alignment,
          kMaxAlignment);
  }
  return Error::success();
}
