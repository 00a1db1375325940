//===- PackWeights.cpp - Products with constant weights, packed -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each product with a weight: read the weight as a matrix of rows (outputs)
// and columns (inputs), choose a kernel, pack, replace. Products are taken in
// the order of the module, so that a layer finds the one before it already in
// panels.
//
//===----------------------------------------------------------------------===//

#include "FoldedWeight.h"
#include "PackedProduct.h"

#include "prune/Analysis/WeightFilter.h"
#include "prune/Conversion/Passes.h"
#include "prune/Core/WorkSplit.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/WeightRecord.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>

namespace mlir::prune {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// More is a slip of the pen.
static constexpr unsigned kMaxThreads = 1024;

static constexpr StringLiteral kCategory = "prune-pack-weights";

namespace {
/// One product to be packed.
struct Candidate {
  const Weight *weight;
  const WeightUse *use;
  SparseContraction contraction;
  ProductLayout layout;
};

struct PackWeights : prune::impl::PackWeightsPassBase<PackWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(checkOptions()) || failed(readMachine()))
      return signalPassFailure();
    WeightUses uses(getOperation());
    FailureOr<SmallVector<Choice>> choices =
        filterWeights(uses.getWeights(), include, exclude,
                      [&] { return emitError(getOperation().getLoc()); });
    if (failed(choices))
      return signalPassFailure();
    WeightRecords records;
    for (const Candidate &candidate : collect(uses, *choices))
      if (failed(pack(candidate, records)))
        return signalPassFailure();
  }

private:
  LogicalResult checkOptions();
  LogicalResult readMachine();
  SmallVector<Candidate> collect(const WeightUses &uses,
                                 ArrayRef<Choice> choices);
  LogicalResult pack(const Candidate &candidate, WeightRecords &records);
  std::optional<KernelPlan> choose(const Candidate &candidate,
                                   ArrayRef<KernelPlan> plans);
  void split(PackedWeightValues &values, const KernelPlan &plan,
             const PackedLayout &layout, int64_t columns,
             ArrayRef<char> elements, unsigned elementSize);
  Value createConstant(OpBuilder &b, Location loc, const Twine &name,
                       RankedTensorType type, ByteBuffer data);

  KernelTarget target;
};
} // namespace

static void reportMissed(Location loc, StringRef weight, StringRef reason) {
  remark::missed(loc, remark::RemarkOpts::name("NotPacked").category(kCategory))
      << remark::metric("Weight", weight) << remark::reason("{0}", reason);
}

LogicalResult PackWeights::checkOptions() {
  Location loc = getOperation().getLoc();
  if (vectorBits != 128 && vectorBits != 256 && vectorBits != 512)
    return emitError(loc, "expects vector-bits 128, 256 or 512 but got ")
           << vectorBits.getValue();
  if (form != "auto" && !symbolizeKernelForm(form))
    return emitError(loc, "unknown form '")
           << form.getValue()
           << "'; expects auto, dense, blocks, patterns or elements";
  if (lanes != "auto" && !symbolizeLaneDim(lanes))
    return emitError(loc, "unknown lanes '")
           << lanes.getValue() << "'; expects auto, columns or rows";
  if (threads < 1 || threads > kMaxThreads)
    return emitError(loc, "expects threads in [1, ")
           << kMaxThreads << "] but got " << threads.getValue();
  if (tileRows < 0 || tileColumns < 0 || kBlock < 0)
    return emitError(loc, "expects tile-rows, tile-columns and k-block of at "
                          "least 0 but got ")
           << tileRows.getValue() << ", " << tileColumns.getValue() << " and "
           << kBlock.getValue();
  return success();
}

/// What kernels are chosen for: built in, or as a file says.
LogicalResult PackWeights::readMachine() {
  target = KernelTarget::get(vectorBits);
  if (machineFile.empty())
    return success();
  Location loc = getOperation().getLoc();
  auto fail = [&](const Twine &text) -> LogicalResult {
    return emitError(loc, "machine file '")
           << machineFile.getValue() << "': " << text;
  };
  auto buffer = llvm::MemoryBuffer::getFile(machineFile);
  if (std::error_code error = buffer.getError())
    return fail(error.message());
  llvm::Expected<KernelTarget> parsed =
      KernelTarget::parse((*buffer)->getBuffer());
  if (!parsed)
    return fail(llvm::toString(parsed.takeError()));
  if (parsed->vectorBits != vectorBits)
    return fail("it is for vectors of " + Twine(parsed->vectorBits) +
                " bits but vector-bits is " + Twine(vectorBits.getValue()));
  target = *parsed;
  return success();
}

/// The products that can be packed, in the order of the module.
SmallVector<Candidate> PackWeights::collect(const WeightUses &uses,
                                            ArrayRef<Choice> choices) {
  SmallVector<Candidate> candidates;
  for (auto [weight, choice] : llvm::zip_equal(uses.getWeights(), choices)) {
    if (choice == Choice::Excluded || choice == Choice::NotIncluded)
      continue;
    for (const WeightUse &use : weight.uses) {
      std::string reason;
      Candidate candidate{&weight, &use, {}, {}};
      std::optional<SparseContraction> match = matchContraction(use, reason);
      std::optional<ProductLayout> layout;
      if (match)
        layout = matchProductLayout(*match, reason);
      if (!layout) {
        reportMissed(use.operand->getOwner()->getLoc(), weight.name, reason);
        continue;
      }
      candidate.contraction = *match;
      candidate.layout = *layout;
      candidates.push_back(std::move(candidate));
    }
  }
  llvm::DenseMap<Operation *, size_t> order;
  getOperation()->walk([&](Operation *op) { order[op] = order.size(); });
  llvm::sort(candidates, [&](const Candidate &a, const Candidate &b) {
    return order[a.contraction.op] < order[b.contraction.op];
  });
  return candidates;
}

/// The cheapest plan that the options allow.
std::optional<KernelPlan> PackWeights::choose(const Candidate &candidate,
                                              ArrayRef<KernelPlan> plans) {
  for (KernelPlan plan : plans) {
    if (form != "auto" &&
        stringifyKernelForm(static_cast<KernelForm>(plan.form)) != form)
      continue;
    if (lanes != "auto" && plan.lanesAlongRows != (lanes == "rows"))
      continue;
    if (tileRows != 0 && plan.tileRows != tileRows)
      continue;
    if (tileColumns != 0 && plan.tileColumns != tileColumns)
      continue;
    if (kBlock != 0 && !plan.lanesAlongRows)
      plan.kBlock = std::min<int64_t>(kBlock, candidate.contraction.columns);
    return plan;
  }
  return std::nullopt;
}

/// Cuts the product in parts for the threads.
void PackWeights::split(PackedWeightValues &values, const KernelPlan &plan,
                        const PackedLayout &layout, int64_t columns,
                        ArrayRef<char> elements, unsigned elementSize) {
  if (threads < 2)
    return;
  int64_t panels = 1;
  if (!plan.lanesAlongRows)
    panels =
        columns > 0
            ? llvm::divideCeil(columns, std::max(plan.panel, plan.tileColumns))
            : 0;
  std::optional<WorkSplit> split = splitWork(
      getGroupWork(layout, elements, elementSize), columns, panels, threads);
  if (!split)
    return;
  values.rowChunks = DenseI64ArrayAttr::get(&getContext(), split->bounds);
  values.parallelPanels = split->byPanels;
}

Value PackWeights::createConstant(OpBuilder &b, Location loc, const Twine &name,
                                  RankedTensorType type, ByteBuffer data) {
  return arith::ConstantOp::create(
      b, loc,
      createRewrittenConstant(type, name.str(), adoptBlob(std::move(data))));
}

template <typename T> static ByteBuffer narrowTo(ArrayRef<uint32_t> numbers) {
  // At least one, since buffers without elements are awkward.
  ByteBuffer bytes(std::max<size_t>(numbers.size(), 1) * sizeof(T));
  if (numbers.empty())
    llvm::fill(bytes, 0);
  for (size_t i = 0, e = numbers.size(); i != e; ++i) {
    T number = static_cast<T>(numbers[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &number, sizeof(T));
  }
  return bytes;
}

/// Integers in the given number of bits.
static ByteBuffer narrow(ArrayRef<uint32_t> numbers, unsigned bits) {
  return bits == 8    ? narrowTo<uint8_t>(numbers)
         : bits == 16 ? narrowTo<uint16_t>(numbers)
                      : narrowTo<uint32_t>(numbers);
}

LogicalResult PackWeights::pack(const Candidate &candidate,
                                WeightRecords &records) {
  const SparseContraction &contraction = candidate.contraction;
  Location loc = contraction.op.getLoc();
  StringRef name = candidate.weight->name;
  std::string reason;
  std::optional<FoldedWeight> weight =
      foldWeight(*candidate.weight, *candidate.use, reason);
  if (weight && weight->kind != FloatKind::F32 &&
      weight->kind != FloatKind::F64) {
    weight.reset();
    reason = "its element type is neither f32 nor f64";
  }
  if (!weight || contraction.rows < 1 || contraction.columns < 1) {
    reportMissed(loc, name, weight ? "it is empty" : reason);
    return success();
  }
  AffineMap map = contraction.op.getMatchingIndexingMap(contraction.weight);
  auto positionOf = [&](unsigned loop) -> int64_t {
    return *map.getResultPosition(getAffineDimExpr(loop, &getContext()));
  };
  ByteBuffer copy;
  ArrayRef<char> elements = weight->view(
      {positionOf(contraction.rowLoop), positionOf(contraction.columnLoops[0])},
      copy);
  unsigned size = byteSize(weight->kind);

  MatrixStatistics matrix = MatrixStatistics::get(
      contraction.rows, contraction.columns, elements, size);
  std::vector<KernelPlan> plans =
      rankKernels(matrix, candidate.layout.columns, target);
  std::optional<KernelPlan> plan = choose(candidate, plans);
  if (!plan) {
    reportMissed(loc, name, "no kernel is as the options ask for");
    return success();
  }
  auto kernel = KernelAttr::get(
      &getContext(), static_cast<KernelForm>(plan->form), matrix.m, matrix.k,
      plan->lanesAlongRows ? LaneDim::Rows : LaneDim::Columns, plan->width,
      plan->tileRows, plan->tileColumns, plan->kBlock);
  std::optional<PackedMatrix> packed =
      packMatrix(kernel.getLayout(), elements, size);
  if (!packed) {
    reportMissed(loc, name, "it is too large for 31-bit positions");
    return success();
  }

  IRRewriter b(&getContext());
  b.setInsertionPoint(contraction.op);
  if (packed->values.empty())
    packed->values.resize(size, 0);
  Type element = getElementTypeOrSelf(contraction.output->get().getType());
  PackedWeightValues values;
  auto valuesType =
      RankedTensorType::get(packed->values.size() / size, element);
  values.values =
      createConstant(b, loc, name, valuesType, std::move(packed->values));
  if (plan->form != PackedForm::Dense) {
    unsigned bits = matrix.k <= 256 ? 8 : matrix.k <= 65536 ? 16 : 32;
    auto createIntegers = [&](ArrayRef<uint32_t> numbers, unsigned bits,
                              StringRef suffix) {
      ByteBuffer bytes = narrow(numbers, bits);
      auto type = RankedTensorType::get(bytes.size() * 8 / bits,
                                        b.getIntegerType(bits));
      return createConstant(b, loc, name.split('#').first + suffix, type,
                            std::move(bytes));
    };
    values.indices = createIntegers(packed->indices, bits, ".indices");
    values.positions = createIntegers(packed->positions, 32, ".positions");
  }
  split(values, *plan, kernel.getLayout(), candidate.layout.columns, elements,
        size);
  remark::passed(loc, remark::RemarkOpts::name("Packed").category(kCategory))
      << remark::metric("Weight", name)
      << remark::metric("Form", stringifyKernelForm(kernel.getForm()))
      << remark::metric("Nonzeros", matrix.nonzeros)
      << remark::metric("Cycles", int64_t(plan->cycles))
      << remark::metric("DenseCycles",
                        int64_t(llvm::find_if(plans, [](const KernelPlan &p) {
                                  return p.form == PackedForm::Dense;
                                })->cycles));
  PackedMatmulOp op = replaceByPackedProduct(b, contraction, candidate.layout,
                                             *plan, kernel, values);
  op->setAttr("prune.weight", b.getStringAttr(name));
  recordPackedWeight(records, *candidate.weight);
  return success();
}
