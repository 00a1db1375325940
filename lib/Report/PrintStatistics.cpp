//===- PrintStatistics.cpp - Print what was observed of weights -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table has one line for each statistic, with the range of its numbers; JSON
// has all of them.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Support/FileOutput.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/Records.h"
#include "prune/Report/Passes.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <array>
#include <cmath>
#include <numeric>

namespace mlir::prune {
#define GEN_PASS_DEF_PRINTSTATISTICSPASS
#include "prune/Report/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

namespace json = llvm::json;

namespace {
/// One statistic of one weight.
struct StatisticEntry {
  StringRef weight, name;
  ArrayRef<int64_t> shape;
  std::vector<double> values;

  double least() const {
    return values.empty() ? 0 : *llvm::min_element(values);
  }
  double greatest() const {
    return values.empty() ? 0 : *llvm::max_element(values);
  }
  double mean() const {
    return std::accumulate(values.begin(), values.end(), 0.0) /
           std::max<size_t>(values.size(), 1);
  }
};
} // namespace

/// All of the module, in the order of names. Fails if one has no numbers.
static FailureOr<std::vector<StatisticEntry>> readEntries(ModuleOp module) {
  std::vector<StatisticEntry> entries;
  auto record = module->getAttrOfType<DictionaryAttr>(kStatisticsRecord);
  if (!record)
    return entries;
  for (NamedAttribute weight : record)
    for (NamedAttribute one : cast<DictionaryAttr>(weight.getValue())) {
      std::optional<TensorView> view = getTensorView(one.getValue());
      if (!view)
        return module.emitError("prune-print-statistics: '")
               << one.getName().getValue() << "' of weight '"
               << weight.getName().getValue()
               << "' has no numbers of f64, f32, f16 or bf16";
      StatisticEntry entry{weight.getName(), one.getName(), view->shape, {}};
      entry.values.resize(view->size());
      view->load(0, entry.values);
      entries.push_back(std::move(entry));
    }
  return entries;
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

static std::string toText(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
  return text;
}

static std::string toText(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(shape, os, "x");
  return shape.empty() ? "-" : text;
}

static void printTable(raw_ostream &os, ArrayRef<StatisticEntry> entries) {
  if (entries.empty()) {
    os << "the module has no statistics; prune-insert-observers and then "
          "prune-run --statistics collect them\n";
    return;
  }
  constexpr size_t kNumbersFrom = 3;
  using Line = std::array<std::string, 6>;
  std::vector<Line> lines = {
      {"weight", "statistic", "shape", "least", "mean", "greatest"}};
  for (const StatisticEntry &entry : entries)
    lines.push_back({entry.weight.str(), entry.name.str(), toText(entry.shape),
                     toText(entry.least()), toText(entry.mean()),
                     toText(entry.greatest())});
  std::array<size_t, 6> widths{};
  for (const Line &line : lines)
    for (auto [width, cell] : llvm::zip_equal(widths, line))
      width = std::max(width, cell.size());
  for (const Line &line : lines) {
    for (size_t i = 0; i != line.size(); ++i) {
      if (i >= kNumbersFrom)
        os << "  " << llvm::right_justify(line[i], widths[i]);
      else
        os << (i ? "  " : "") << llvm::left_justify(line[i], widths[i]);
    }
    os << "\n";
  }
}

/// JSON has no notation for NaN and infinity.
static json::Value toNumber(double value) {
  if (std::isfinite(value))
    return value;
  return toText(value);
}

static void printJSON(raw_ostream &os, ArrayRef<StatisticEntry> entries) {
  json::OStream out(os, /*IndentSize=*/2);
  out.array([&] {
    for (const StatisticEntry &entry : entries)
      out.object([&] {
        out.attribute("weight", json::fixUTF8(entry.weight));
        out.attribute("statistic", json::fixUTF8(entry.name));
        out.attribute("shape", json::Array(entry.shape));
        out.attribute("least", toNumber(entry.least()));
        out.attribute("mean", toNumber(entry.mean()));
        out.attribute("greatest", toNumber(entry.greatest()));
        out.attributeArray("values", [&] {
          for (double value : entry.values)
            out.value(toNumber(value));
        });
      });
  });
  os << "\n";
}

namespace {
struct PrintStatistics : prune::impl::PrintStatisticsPassBase<PrintStatistics> {
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    ModuleOp module = getOperation();
    if (format != "text" && format != "json") {
      module.emitError("prune-print-statistics: option 'format' expects text "
                       "or json but got '")
          << StringRef(format) << "'";
      return signalPassFailure();
    }
    FailureOr<std::vector<StatisticEntry>> entries = readEntries(module);
    if (failed(entries))
      return signalPassFailure();
    llvm::Error error = writeFile(output, [&](raw_ostream &os) -> llvm::Error {
      format == "json" ? printJSON(os, *entries) : printTable(os, *entries);
      return llvm::Error::success();
    });
    if (!error)
      return;
    module.emitError("prune-print-statistics: ")
        << llvm::toString(std::move(error));
    signalPassFailure();
  }
};
} // namespace
