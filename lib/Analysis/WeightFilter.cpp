//===- WeightFilter.cpp - Choosing weights by name ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An option that silently selects nothing is the worst kind of typing mistake,
// so every expression has to match something. Expressions come from users and
// scripts: their length is bounded, and back-references, whose matching takes
// exponential time, are refused.
//
//===----------------------------------------------------------------------===//

#include "prune/Analysis/WeightFilter.h"

#include "llvm/Support/Regex.h"

#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace mlir::prune;

static constexpr size_t kMaxExpression = 1000;
static constexpr uint64_t kMaxExpanded = 100000;

/// The largest count of a repetition that `text` begins with, such as 5 in
/// `{2,5}` or 2 in `{2,}`, and its length; length 0 if there is none.
static std::pair<uint64_t, size_t> readRepetition(StringRef text) {
  size_t end = text.find('}');
  if (!text.starts_with("{") || end == StringRef::npos)
    return {1, 0};
  auto [low, high] = text.slice(1, end).split(',');
  uint64_t count = 1;
  if ((high.empty() ? low : high).getAsInteger(10, count))
    return {1, 0};
  // More than 255 repetitions are an error that the regular-expression compiler
  // reports.
  return {std::clamp<uint64_t>(count, 1, 256), end + 1};
}

/// How long an expression is with its counted repetitions written out, which is
/// what compiling it does: nested ones would take all memory. Stops counting at
/// `kMaxExpanded`.
static uint64_t expandedSize(StringRef expression) {
  // The sizes of the open groups, and of what the next repetition repeats.
  SmallVector<uint64_t> groups = {0};
  uint64_t atom = 0;
  for (size_t i = 0; i < expression.size();) {
    if (auto [count, length] = readRepetition(expression.substr(i)); length) {
      groups.back() += atom * (count - 1);
      atom *= count;
      i += length;
    } else if (expression[i] == '(') {
      groups.push_back(0);
      ++i;
      continue;
    } else if (expression[i] == ')' && groups.size() > 1) {
      atom = groups.pop_back_val() + 1;
      groups.back() += atom;
      ++i;
    } else {
      // A bracket expression is counted by its characters, an upper bound.
      i += expression[i] == '\\' ? 2 : 1;
      groups.back() += atom = 1;
    }
    if (groups.back() >= kMaxExpanded)
      return kMaxExpanded;
  }
  return std::accumulate(groups.begin(), groups.end(), uint64_t(0));
}

/// Compiles an expression or says what is wrong with it.
static FailureOr<llvm::Regex> compile(StringRef expression, StringRef shown,
                                      StringRef option,
                                      ErrorEmitter emitError) {
  std::string reason;
  if (expression.size() > kMaxExpression)
    reason = "is longer than 1000 characters";
  for (size_t i = 0; i + 1 < expression.size(); ++i)
    if (expression[i] == '\\' && expression[++i] >= '1' && expression[i] <= '9')
      reason = "has a back-reference, which is not supported";
  if (reason.empty() && expandedSize(expression) >= kMaxExpanded)
    reason = "has repetitions that make it longer than 100000 characters";
  llvm::Regex regex(reason.empty() ? expression : StringRef());
  std::string syntax;
  if (reason.empty() && !regex.isValid(syntax))
    reason = "is no regular expression: " + syntax;
  if (reason.empty())
    return std::move(regex);
  return emitError() << "option '" << option << "': '"
                     << shown.take_front(kMaxExpression) << "' " << reason;
}

/// Lists the names there are, so that a typing mistake is easy to see.
static void listWeights(InFlightDiagnostic &diagnostic,
                        ArrayRef<Weight> weights) {
  constexpr size_t kShown = 20;
  diagnostic << "; the weights are";
  if (weights.empty())
    diagnostic << " none";
  for (const Weight &weight : weights.take_front(kShown))
    diagnostic << " '" << weight.name << "'";
  if (weights.size() > kShown)
    diagnostic << " and " << weights.size() - kShown << " more";
}

static LogicalResult match(ArrayRef<Weight> weights, StringRef expression,
                           StringRef option, ErrorEmitter emitError,
                           SmallVectorImpl<bool> &matches) {
  matches.assign(weights.size(), false);
  if (expression.empty())
    return success();
  FailureOr<llvm::Regex> regex =
      compile(expression, expression, option, emitError);
  if (failed(regex))
    return failure();
  for (auto [weight, result] : llvm::zip_equal(weights, matches))
    result = regex->match(weight.name);
  if (llvm::is_contained(matches, true))
    return success();
  InFlightDiagnostic diagnostic = emitError();
  diagnostic << "option '" << option << "': '" << expression
             << "' matches no weight";
  listWeights(diagnostic, weights);
  return diagnostic;
}

FailureOr<SmallVector<Choice>>
mlir::prune::filterWeights(ArrayRef<Weight> weights, StringRef include,
                           StringRef exclude, ErrorEmitter emitError) {
  SmallVector<bool> included, excluded;
  if (failed(match(weights, include, "include", emitError, included)) ||
      failed(match(weights, exclude, "exclude", emitError, excluded)))
    return failure();
  SmallVector<Choice> choices;
  for (auto [in, out] : llvm::zip_equal(included, excluded))
    choices.push_back(out               ? Choice::Excluded
                      : include.empty() ? Choice::Implied
                      : in              ? Choice::Named
                                        : Choice::NotIncluded);
  return choices;
}

FailureOr<LayerValues>
mlir::prune::matchLayerValues(ArrayRef<Weight> weights,
                              ArrayRef<std::string> entries,
                              StringRef optionName, ErrorEmitter emitError) {
  LayerValues result;
  result.entryOfWeight.assign(weights.size(), -1);
  for (auto [index, entry] : llvm::enumerate(entries)) {
    auto [layer, value] = StringRef(entry).rsplit(':');
    if (layer.empty() || value.empty())
      return emitError() << "option '" << optionName
                         << "' expects layer:value but got '" << entry << "'";
    FailureOr<llvm::Regex> regex = compile(("^(" + layer + ")([./].*)?$").str(),
                                           layer, optionName, emitError);
    if (failed(regex))
      return failure();
    bool matched = false;
    for (auto [weight, chosen] :
         llvm::zip_equal(weights, result.entryOfWeight)) {
      if (!regex->match(weight.name))
        continue;
      matched = true;
      if (chosen < 0)
        chosen = index;
    }
    if (!matched) {
      InFlightDiagnostic diagnostic = emitError();
      diagnostic << "option '" << optionName << "': '" << layer
                 << "' is no weight";
      listWeights(diagnostic, weights);
      return diagnostic;
    }
    result.values.push_back(value.str());
  }
  return result;
}
