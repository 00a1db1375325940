//===- ForeignArrays.cpp - Files that are no .npy files -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Archives, tables and images have libraries in Python that read them all;
// here, what the user needs is the one line that calls them.
//
//===----------------------------------------------------------------------===//

#include "ForeignArrays.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

/// A command for the shell; file names are given as words, not in the code.
static std::string python(StringRef code, StringRef path, StringRef target) {
  auto quoted = [](StringRef word) {
    std::string text = "'";
    for (char c : word)
      text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
  };
  return ("python3 -c \"import sys, numpy as n; " + code + "\" " +
          quoted(path) + " " + quoted(target))
      .str();
}

std::string mlir::prune::describeForeignArray(StringRef contents,
                                              StringRef path) {
  std::string target = (sys::path::filename(path) + ".npy").str();
  StringRef stem = path;
  if (sys::path::has_extension(path))
    target = (sys::path::stem(path) + ".npy").str();
  if (contents.starts_with("PK\x03\x04"))
    return "is an archive; choose one of its arrays: " +
           python("a = n.load(sys.argv[1]); n.save(sys.argv[2], a[a.files[0]])",
                  path, target);
  bool isPicture =
      contents.starts_with("\x89PNG") || contents.starts_with("\xff\xd8\xff");
  if (isPicture || (!stem.empty() && sys::fs::is_directory(path)))
    return "is no array; make one of pictures (here NCHW, from 0 to 1): " +
           python("from PIL import Image; from pathlib import Path; p = "
                  "Path(sys.argv[1]); n.save(sys.argv[2], n.stack("
                  "[n.asarray(Image.open(f).convert('RGB'), 'f4')"
                  ".transpose(2, 0, 1) / 255 for f in (sorted(p.iterdir()) if "
                  "p.is_dir() else [p])]))",
                  path, target);
  StringRef extension = sys::path::extension(path);
  if (extension == ".csv" || extension == ".txt" || extension == ".tsv")
    return "is no .npy file; for a table of labels: " +
           python("n.save(sys.argv[2], n.genfromtxt(sys.argv[1], "
                  "delimiter=',').astype('i8'))",
                  path, target);
  return "is not a .npy file (save it with numpy.save)";
}
