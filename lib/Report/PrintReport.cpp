//===- PrintReport.cpp - Reports of weights as a table and as JSON --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names come from untrusted files: invalid UTF-8 is repaired for JSON,
// and numbers without a notation in JSON become strings.
//
//===----------------------------------------------------------------------===//

#include "prune/Report/Report.h"

#include "prune/IR/Records.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <array>
#include <cmath>

using namespace mlir;
using namespace mlir::prune;

namespace json = llvm::json;

namespace {
/// Sums over all weights.
struct Totals {
  int64_t pruned = 0, elements = 0, elementsBefore = 0, elementsLeft = 0;
  int64_t nonzeros = 0;
  int64_t bytesBefore = 0, bytesAfter = 0;

  explicit Totals(const WeightReport &report) {
    for (const WeightEntry &entry : report.weights) {
      pruned += entry.getReason().empty();
      elements += entry.getElements();
      elementsBefore += entry.typeBefore.getNumElements();
      if (!entry.isRemoved())
        elementsLeft += entry.getElements();
      nonzeros += entry.nonzeros;
      bytesBefore += entry.getBytesBefore();
      bytesAfter += entry.bytesAfter;
    }
  }

  double getAchieved() const {
    return elements ? double(elements - nonzeros) / elements : 0.0;
  }
};
} // namespace

/// The entry `key` of a record as text; empty if there is none.
static std::string getText(const WeightEntry &entry, StringRef key) {
  Attribute value = entry.record ? entry.record.get(key) : Attribute();
  if (!value)
    return "";
  if (auto string = dyn_cast<StringAttr>(value))
    return string.str();
  std::string text;
  if (auto number = dyn_cast<FloatAttr>(value)) {
    llvm::raw_string_ostream(text)
        << llvm::format("%.6g", number.getValueAsDouble());
    return text;
  }
  llvm::raw_string_ostream os(text);
  value.print(os, /*elideType=*/true);
  return text;
}

/// The first place in a file that a location stands for, or the location.
static std::string getText(Location loc) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto place = loc->findInstanceOf<FileLineColLoc>())
    os << place.getFilename().getValue() << ":" << place.getLine() << ":"
       << place.getColumn();
  else
    os << loc;
  return text;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static json::Value toJSON(StringRef text) {
  return json::isUTF8(text) ? json::Value(text.str())
                            : json::Value(json::fixUTF8(text));
}

static json::Value toJSON(double value) {
  if (std::isfinite(value))
    return value;
  return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

static json::Value textOrNull(const WeightEntry &entry, StringRef key) {
  std::string text = getText(entry, key);
  return text.empty() ? json::Value(nullptr) : toJSON(text);
}

static json::Value numberOrNull(const WeightEntry &entry, StringRef key) {
  Attribute value = entry.record ? entry.record.get(key) : Attribute();
  if (auto number = dyn_cast_or_null<FloatAttr>(value))
    return toJSON(number.getValueAsDouble());
  if (auto number = dyn_cast_or_null<IntegerAttr>(value))
    return number.getInt();
  return nullptr;
}

static json::Value getTarget(const WeightEntry &entry) {
  for (StringRef key : kTargetKeys)
    if (json::Value value = numberOrNull(entry, key);
        value.kind() != json::Value::Null)
      return json::Object{{key, std::move(value)}};
  return nullptr;
}

/// The passes that decided before, which still holds.
static json::Array getEarlier(const WeightEntry &entry) {
  json::Array passes;
  auto list = entry.record ? entry.record.getAs<ArrayAttr>("earlier") : nullptr;
  if (list)
    for (DictionaryAttr decision : list.getAsRange<DictionaryAttr>())
      if (auto by = decision.getAs<StringAttr>("by"))
        passes.push_back(toJSON(by.getValue()));
  return passes;
}

static void print(json::OStream &out, const WeightEntry &entry) {
  std::string element, reason = entry.getReason();
  llvm::raw_string_ostream(element) << entry.type.getElementType();
  out.object([&] {
    out.attribute("name", toJSON(entry.name));
    out.attribute("location", toJSON(getText(entry.loc)));
    out.attribute("type", element);
    out.attribute("shape", json::Array(entry.type.getShape()));
    out.attribute("shape_before", json::Array(entry.typeBefore.getShape()));
    out.attribute("elements", entry.getElements());
    out.attribute("nonzeros", entry.nonzeros);
    out.attribute("uses", entry.uses);
    out.attribute("pruned", reason.empty());
    out.attribute("reason",
                  reason.empty() ? json::Value(nullptr) : toJSON(reason));
    for (StringRef key : {"by", "criterion", "pattern", "scope", "group"})
      out.attribute(key, textOrNull(entry, key));
    out.attribute("target", getTarget(entry));
    out.attribute("unit", textOrNull(entry, "unit"));
    for (StringRef key : {"kept", "removed", "cut"})
      out.attribute(key, numberOrNull(entry, key));
    out.attribute("earlier", getEarlier(entry));
    out.attribute("achieved", entry.getAchieved());
    out.attribute("format", llvm::join(entry.formats, "+"));
    out.attribute("bytes_before", entry.getBytesBefore());
    out.attribute("bytes_after", entry.bytesAfter);
  });
}

static void print(json::OStream &out, StringRef name, StringRef operation,
                  StringRef reason, Location loc) {
  out.object([&] {
    out.attribute("name", name.empty() ? json::Value(nullptr) : toJSON(name));
    out.attribute("operation", operation);
    out.attribute("location", toJSON(getText(loc)));
    out.attribute("reason", toJSON(reason));
  });
}

void WeightReport::printJSON(raw_ostream &os) const {
  json::OStream out(os, /*IndentSize=*/2);
  Totals totals(*this);
  out.object([&] {
    out.attributeArray("weights", [&] {
      for (const WeightEntry &entry : weights)
        print(out, entry);
    });
    out.attributeArray("not_pruned", [&] {
      for (const WeightEntry &entry : weights)
        if (std::string reason = entry.getReason(); !reason.empty())
          print(out, entry.name, "arith.constant", reason, entry.loc);
      for (const SkippedEntry &entry : skipped)
        print(out, entry.name, entry.operation, entry.reason, entry.loc);
    });
    out.attributeObject("totals", [&] {
      out.attribute("weights", int64_t(weights.size()));
      out.attribute("pruned", totals.pruned);
      out.attribute("elements", totals.elements);
      out.attribute("elements_before", totals.elementsBefore);
      out.attribute("nonzeros", totals.nonzeros);
      out.attribute("achieved", totals.getAchieved());
      out.attribute("bytes_before", totals.bytesBefore);
      out.attribute("bytes_after", totals.bytesAfter);
      if (multiplications) {
        out.attribute("multiplications_before", multiplications->first);
        out.attribute("multiplications", multiplications->second);
      }
    });
  });
  os << "\n";
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static constexpr size_t kColumns = 14;
using Row = std::array<std::string, kColumns>;

static std::string percent(double fraction) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2f%%", 100 * fraction);
  return text;
}

/// What went, such as "3 of 6 channels".
static std::string getRemoved(const WeightEntry &entry) {
  auto count = [&](StringRef key) {
    return entry.record ? entry.record.getAs<IntegerAttr>(key) : IntegerAttr();
  };
  IntegerAttr kept = count("kept"), removed = count("removed");
  if (!kept || !removed)
    return "";
  int64_t all = kept.getInt() + removed.getInt();
  std::string unit = getText(entry, "unit");
  // The plural of branch.
  return std::to_string(removed.getInt()) + " of " + std::to_string(all) + " " +
         unit +
         (all == 1                          ? ""
          : StringRef(unit).ends_with("ch") ? "es"
                                            : "s");
}

static Row makeRow(const WeightEntry &entry) {
  std::string type, target;
  llvm::raw_string_ostream os(type);
  if (entry.typeBefore != entry.type) {
    llvm::interleave(entry.typeBefore.getShape(), os, "x");
    os << "->";
  }
  for (int64_t size : entry.type.getShape())
    os << size << "x";
  os << entry.type.getElementType();
  for (StringRef key : kTargetKeys)
    if (std::string text = getText(entry, key); !text.empty() && target.empty())
      target = (key + " " + text).str();
  auto orDash = [](std::string text) { return text.empty() ? "-" : text; };
  return {entry.name,
          type,
          std::to_string(entry.getElements()),
          std::to_string(entry.nonzeros),
          percent(entry.getAchieved()),
          orDash(getText(entry, "criterion")),
          orDash(getText(entry, "pattern")),
          orDash(getText(entry, "scope")),
          orDash(target),
          orDash(getRemoved(entry)),
          orDash(getText(entry, "cut")),
          llvm::join(entry.formats, "+"),
          std::to_string(entry.bytesAfter),
          std::to_string(entry.getBytesBefore())};
}

static void printTable(raw_ostream &os, ArrayRef<Row> rows) {
  // Numbers are flush right.
  constexpr bool isNumber[kColumns] = {false, false, true,  true,  true,
                                       false, false, false, false, false,
                                       true,  false, true,  true};
  std::array<size_t, kColumns> widths{};
  for (const Row &row : rows)
    for (size_t i = 0; i < kColumns; ++i)
      widths[i] = std::max(widths[i], row[i].size());
  for (const Row &row : rows) {
    std::string line;
    for (size_t i = 0; i < kColumns; ++i) {
      std::string padding(widths[i] - row[i].size(), ' ');
      line += (i ? "  " : "");
      line += isNumber[i] ? padding + row[i] : row[i] + padding;
    }
    os << StringRef(line).rtrim() << "\n";
  }
}

void WeightReport::printText(raw_ostream &os) const {
  Totals totals(*this);
  std::vector<Row> rows = {{"weight", "type", "elements", "nonzeros", "zeros",
                            "criterion", "pattern", "scope", "target",
                            "removed", "cut", "format", "bytes", "was"}};
  for (const WeightEntry &entry : weights)
    rows.push_back(makeRow(entry));
  rows.push_back({"total", "", std::to_string(totals.elements),
                  std::to_string(totals.nonzeros),
                  percent(totals.getAchieved()), "", "", "", "", "", "", "",
                  std::to_string(totals.bytesAfter),
                  std::to_string(totals.bytesBefore)});
  printTable(os, rows);
  os << "\n"
     << totals.pruned << " of " << weights.size() << " weights pruned\n";
  if (multiplications)
    os << "channels removed: " << totals.elementsLeft << " of "
       << totals.elementsBefore << " elements left, " << multiplications->second
       << " of " << multiplications->first << " multiplications a call\n";
  auto printReason = [&](StringRef name, StringRef operation, Location loc,
                         StringRef reason) {
    os << "not pruned: " << (name.empty() ? operation : name) << " ("
       << getText(loc) << "): " << reason << "\n";
  };
  for (const WeightEntry &entry : weights)
    if (std::string reason = entry.getReason(); !reason.empty())
      printReason(entry.name, "", entry.loc, reason);
  for (const SkippedEntry &entry : skipped)
    printReason(entry.name, entry.operation, entry.loc, entry.reason);
}
