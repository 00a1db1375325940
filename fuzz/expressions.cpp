//===- expressions.cpp - Fuzz what selects weights by name ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lines of the input are `include`, `exclude` and entries of `targets`, matched
// against a few names. No IR is involved, so this is fast enough to search the
// compiler of regular expressions itself.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/WeightFilter.h"

#include "mlir/IR/MLIRContext.h"

#include <cstdlib>

using namespace mlir;
using namespace mlir::prune;

static std::vector<Weight> makeWeights() {
  std::vector<Weight> weights;
  for (const char *name :
       {"fc1.weight", "layer4.0.conv2.weight", "h.0/attn/c_attn", "weight0",
        "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        "[x]{2}(.*)^$\\"})
    weights.emplace_back().name = name;
  return weights;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static std::vector<Weight> weights = makeWeights();
  static MLIRContext context(MLIRContext::Threading::DISABLED);
  bool isDiagnosed = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    isDiagnosed = !diagnostic.str().empty();
    return success();
  });
  auto error = [&] { return emitError(UnknownLoc::get(&context)); };

  SmallVector<StringRef> lines;
  StringRef(reinterpret_cast<const char *>(data), size).split(lines, '\n');
  StringRef include = lines.front();
  StringRef exclude = lines.size() > 1 ? lines[1] : "";
  FailureOr<SmallVector<Choice>> choices =
      filterWeights(weights, include, exclude, error);
  // Every failure says why, and every success decides for every weight.
  if (failed(choices) ? !isDiagnosed : choices->size() != weights.size())
    std::abort();

  isDiagnosed = false;
  SmallVector<std::string> entries;
  for (StringRef line :
       ArrayRef<StringRef>(lines).drop_front(std::min<size_t>(2, lines.size())))
    entries.push_back(line.str());
  FailureOr<LayerValues> layers =
      matchLayerValues(weights, entries, "targets", error);
  if (failed(layers) ? !isDiagnosed
                     : layers->values.size() != entries.size() ||
                           layers->entryOfWeight.size() != weights.size())
    std::abort();
  return 0;
}
