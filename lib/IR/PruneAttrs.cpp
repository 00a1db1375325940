//===- PruneAttrs.cpp - Criteria and patterns -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The built-in criteria and patterns. Each criterion states its formula twice,
// for constants on buffers and for run time as arith ops; the two are tested to
// agree bit for bit.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Threading.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

#include "prune/IR/PruneAttrInterfaces.cpp.inc"
#include "prune/IR/PruneEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "prune/IR/PruneAttrs.cpp.inc"

void PruneDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "prune/IR/PruneAttrs.cpp.inc"
      >();
}

std::optional<FloatKind> mlir::prune::getFloatKind(Type elementType) {
  return llvm::TypeSwitch<Type, std::optional<FloatKind>>(elementType)
      .Case([](Float64Type) { return FloatKind::F64; })
      .Case([](Float32Type) { return FloatKind::F32; })
      .Case([](Float16Type) { return FloatKind::F16; })
      .Case([](BFloat16Type) { return FloatKind::BF16; })
      .Default([](Type) { return std::nullopt; });
}

//===----------------------------------------------------------------------===//
// Magnitude
//===----------------------------------------------------------------------===//

void MagnitudeAttr::score(const ScoreInputs &inputs, int64_t begin,
                          MutableArrayRef<double> out) const {
  inputs.weight.load(begin, out);
  if (getNorm() == Norm::L1)
    for (double &element : out)
      element = std::fabs(element);
  else
    for (double &element : out)
      element *= element;
}

Value MagnitudeAttr::buildScore(OpBuilder &builder, Location loc,
                                const ScoreValues &values) const {
  Value element = values.element;
  if (getNorm() == Norm::L1)
    return math::AbsFOp::create(builder, loc, element);
  return arith::MulFOp::create(builder, loc, element, element);
}

//===----------------------------------------------------------------------===//
// Random
//===----------------------------------------------------------------------===//

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

static constexpr uint64_t kGoldenGamma = 0x9e3779b97f4a7c15;

/// The part of the random score that all elements of a weight share.
static uint64_t hashWeight(uint64_t seed, StringRef name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mix(seed + hash);
}

void RandomAttr::score(const ScoreInputs &inputs, int64_t begin,
                       MutableArrayRef<double> out) const {
  uint64_t stream = hashWeight(getSeed(), inputs.name);
  for (size_t i = 0, e = out.size(); i != e; ++i) {
    uint64_t hash = mix(stream + (uint64_t(begin) + i + 1) * kGoldenGamma);
    out[i] = double(hash >> 11) * 0x1p-53;
  }
}

Value RandomAttr::buildScore(OpBuilder &builder, Location loc,
                             const ScoreValues &values) const {
  Type i64 = builder.getI64Type();
  auto constant = [&](uint64_t value) -> Value {
    return arith::ConstantOp::create(
        builder, loc, builder.getIntegerAttr(i64, int64_t(value)));
  };
  auto xorShift = [&](Value x, uint64_t shift) -> Value {
    Value shifted = arith::ShRUIOp::create(builder, loc, x, constant(shift));
    return arith::XOrIOp::create(builder, loc, x, shifted);
  };
  auto multiply = [&](Value x, uint64_t factor) -> Value {
    return arith::MulIOp::create(builder, loc, x, constant(factor));
  };
  Value position = arith::IndexCastOp::create(builder, loc, i64, values.index);
  position = arith::AddIOp::create(builder, loc, position, constant(1));
  Value hash = arith::AddIOp::create(
      builder, loc, constant(hashWeight(getSeed(), values.name)),
      multiply(position, kGoldenGamma));
  hash = multiply(xorShift(hash, 30), 0xbf58476d1ce4e5b9);
  hash = multiply(xorShift(hash, 27), 0x94d049bb133111eb);
  hash = xorShift(hash, 31);
  hash = arith::ShRUIOp::create(builder, loc, hash, constant(11));
  Value score =
      arith::UIToFPOp::create(builder, loc, builder.getF64Type(), hash);
  Value scale =
      arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(0x1p-53));
  return arith::MulFOp::create(builder, loc, score, scale);
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

bool ScaleAttr::reads(const ChannelMember &member) const {
  return !member.isWeight && member.isScale;
}

StringRef ScaleAttr::whyNot() const { return "has no normalisation scale"; }

CriterionAttrInterface ScaleAttr::getElements() const {
  return MagnitudeAttr::get(getContext(), Norm::L1);
}

void GeometricMedianAttr::addScores(const ChannelMember &member,
                                    MutableArrayRef<double> scores) const {
  std::vector<std::vector<double>> slices = readChannels(member, scores.size());
  parallelFor(getContext(), 0, scores.size(), [&](size_t i) {
    for (const std::vector<double> &other : slices) {
      double sum = 0;
      for (auto [a, b] : llvm::zip(slices[i], other))
        sum += (a - b) * (a - b);
      scores[i] += std::sqrt(sum);
    }
  });
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

UnitPattern ElementAttr::getUnits(ArrayRef<int64_t> shape) const {
  UnitPattern units;
  units.block.assign(shape.size(), 1);
  return units;
}

LogicalResult ElementAttr::verifyFor(ArrayRef<int64_t>,
                                     function_ref<InFlightDiagnostic()>) const {
  return success();
}

LogicalResult NMAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                             int64_t n, int64_t m, int64_t dim) {
  if (n < 0 || m < 1 || n > m)
    return emitError() << "N:M pattern expects 0 <= N <= M and M >= 1 but got "
                       << n << ":" << m;
  if (dim < 0)
    return emitError()
           << "N:M pattern expects a dimension of at least 0 but got " << dim;
  return success();
}

UnitPattern NMAttr::getUnits(ArrayRef<int64_t> shape) const {
  UnitPattern units;
  units.block.assign(shape.size(), 1);
  units.groupDim = getDim();
  units.groupSize = getM();
  units.groupKeep = getN();
  return units;
}

LogicalResult
NMAttr::verifyFor(ArrayRef<int64_t> shape,
                  function_ref<InFlightDiagnostic()> emitError) const {
  if (getDim() < int64_t(shape.size()))
    return success();
  return emitError() << "N:M pattern along dimension " << getDim()
                     << " expects a tensor of rank " << getDim() + 1
                     << " or more but got rank " << shape.size();
}

bool NMAttr::isTarget() const { return true; }

LogicalResult BlockAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<int64_t> shape) {
  for (int64_t size : shape)
    if (size < 1)
      return emitError() << "block pattern expects sizes of at least 1 but got "
                         << size;
  if (shape.empty())
    return emitError() << "block pattern expects at least one size";
  return success();
}

UnitPattern BlockAttr::getUnits(ArrayRef<int64_t> shape) const {
  UnitPattern units;
  units.block.assign(getShape().begin(), getShape().end());
  units.block.resize(shape.size(), 1);
  return units;
}

LogicalResult
BlockAttr::verifyFor(ArrayRef<int64_t> shape,
                     function_ref<InFlightDiagnostic()> emitError) const {
  if (getShape().size() <= shape.size())
    return success();
  return emitError() << "block pattern of rank " << getShape().size()
                     << " expects a tensor of that rank or more but got rank "
                     << shape.size();
}

//===----------------------------------------------------------------------===//
// Option syntax
//===----------------------------------------------------------------------===//

CriterionAttrInterface mlir::prune::parseCriterion(Location loc, StringRef text,
                                                   uint64_t seed) {
  MLIRContext *context = loc.getContext();
  if (text == "l1" || text == "l2")
    return MagnitudeAttr::get(context, text == "l1" ? Norm::L1 : Norm::L2);
  if (text == "random")
    return RandomAttr::get(context, seed);
  if (text == "wanda")
    return WandaAttr::get(context);
  if (text == "ria")
    return RIAAttr::get(context, Builder(context).getF64FloatAttr(0.5));
  if (text.starts_with("#"))
    if (auto criterion = dyn_cast_or_null<CriterionAttrInterface>(
            parseAttribute(text, context)))
      return criterion;
  emitError(loc) << "unknown criterion '" << text
                 << "': expects l1, l2, random, wanda, ria, or an attribute "
                    "that implements a criterion";
  return {};
}

Attribute mlir::prune::parseChannelCriterion(Location loc, StringRef text,
                                             uint64_t seed) {
  MLIRContext *context = loc.getContext();
  if (text == "scale")
    return ScaleAttr::get(context);
  if (text == "geometric-median")
    return GeometricMedianAttr::get(context);
  if (text == "removal-cost")
    return RemovalCostAttr::get(context);
  if (text == "mean-activation")
    return MeanActivationAttr::get(context);
  if (text == "zero-share")
    return ZeroShareAttr::get(context);
  if (text.starts_with("#"))
    if (auto criterion = dyn_cast_or_null<ChannelCriterionAttrInterface>(
            parseAttribute(text, context)))
      return criterion;
  return parseCriterion(loc, text, seed);
}

//===----------------------------------------------------------------------===//
// Patterns in options
//===----------------------------------------------------------------------===//

static bool readSizes(StringRef text, char separator,
                      SmallVectorImpl<int64_t> &sizes) {
  SmallVector<StringRef> parts;
  text.split(parts, separator);
  return llvm::all_of(parts, [&](StringRef part) {
    return !part.getAsInteger(10, sizes.emplace_back()) && sizes.back() >= 0;
  });
}

PatternAttrInterface ParsedPattern::along(int64_t dim) const {
  auto nm = dyn_cast<NMAttr>(attribute);
  if (hasDim || !nm)
    return attribute;
  return NMAttr::get(nm.getContext(), nm.getN(), nm.getM(), dim);
}

FailureOr<ParsedPattern>
mlir::prune::parsePattern(MLIRContext *context, StringRef text,
                          function_ref<InFlightDiagnostic()> emitError) {
  if (text == "element")
    return ParsedPattern{ElementAttr::get(context)};
  SmallVector<int64_t> sizes;
  if (StringRef sizesText = text; sizesText.consume_front("block:")) {
    if (!readSizes(sizesText, 'x', sizes))
      return emitError() << "'" << text
                         << "' expects block sizes such as block:4x1";
    auto block =
        BlockAttr::getChecked(emitError, context, ArrayRef<int64_t>(sizes));
    if (!block)
      return failure();
    return ParsedPattern{block};
  }
  if (text.starts_with("#"))
    if (auto pattern = dyn_cast_or_null<PatternAttrInterface>(
            parseAttribute(text, context)))
      return ParsedPattern{pattern};
  auto [ratio, dimText] = text.split('@');
  int64_t dim = 0;
  bool hasDim = ratio.size() != text.size();
  if (!readSizes(ratio, ':', sizes) || sizes.size() != 2 ||
      (hasDim && dimText.getAsInteger(10, dim)))
    return emitError() << "unknown pattern '" << text
                       << "': expects element, N:M, N:M@dim, block:AxB..., or "
                          "an attribute that implements a pattern";
  auto nm = NMAttr::getChecked(emitError, context, sizes[0], sizes[1], dim);
  if (!nm)
    return failure();
  return ParsedPattern{nm, hasDim};
}
