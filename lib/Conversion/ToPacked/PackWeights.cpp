//===- PackWeights.cpp - Products with constant weights, packed -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each product or convolution with a weight: read the weight as a matrix of
// rows (outputs) and columns (inputs), choose a kernel, pack, replace. They are
// taken in the order of the module, so that a layer finds the one before it
// already in panels.
//
//===----------------------------------------------------------------------===//

#include "Conversion/Weights/WeightView.h"
#include "PackedConvolution.h"
#include "PackedProduct.h"

#include "prune/Analysis/LeftAlone.h"
#include "prune/Analysis/WeightFilter.h"
#include "prune/Conversion/Passes.h"
#include "prune/Core/Packing/WorkSplit.h"
#include "prune/IR/ConstantView.h"
#include "prune/IR/WeightRecord.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>
#include <vector>

namespace mlir::prune {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "prune/Conversion/Passes.h.inc"
} // namespace mlir::prune

using namespace mlir;
using namespace mlir::prune;

/// A larger value is taken to be a typing error.
static constexpr unsigned kMaxThreads = 1024;

static constexpr StringLiteral kCategory = "prune-pack-weights";

namespace {
/// A plain product.
struct Product {
  WeightContraction contraction;
  ProductLayout layout;
};

/// One product or convolution to be packed.
struct Candidate {
  const Weight *weight;
  const WeightUse *use;
  std::optional<Product> product;
  std::optional<Convolution> convolution;

  Operation *getOp() const { return use->operand->getOwner(); }
  /// The sizes of the matrix, and the number of its columns' products.
  int64_t rows() const {
    return product ? product->contraction.rows : convolution->rows();
  }
  int64_t columns() const {
    return product ? product->contraction.columns : convolution->columns();
  }
  int64_t vectors() const {
    return product ? product->layout.columns : convolution->pitch();
  }
};

struct PackWeights : prune::impl::PackWeightsPassBase<PackWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(checkOptions()) || failed(readMachine()) ||
        failed(requireData(getOperation())))
      return signalPassFailure();
    WeightUses uses(getOperation());
    FailureOr<SmallVector<Choice>> choices =
        filterWeights(uses.getWeights(), include, exclude,
                      [&] { return emitError(getOperation().getLoc()); });
    if (failed(choices))
      return signalPassFailure();
    LeftAlone kept(getOperation(), kCategory, "packed");
    left = &kept;
    kept.note(uses);
    WeightRecords records;
    for (const Candidate &candidate : collect(uses, *choices))
      if (failed(pack(candidate, records)))
        return signalPassFailure();
    records.commit();
    if (!quiet)
      kept.warnIfNothing(kNoWeights);
  }

private:
  LogicalResult checkOptions();
  LogicalResult readMachine();
  std::vector<Candidate> collect(const WeightUses &uses,
                                 ArrayRef<Choice> choices);
  LogicalResult pack(const Candidate &candidate, WeightRecords &records);
  std::optional<KernelPlan> choose(const Candidate &candidate,
                                   ArrayRef<KernelPlan> plans);
  PackedWeightValues createWeight(OpBuilder &b, const Candidate &candidate,
                                  Type element, PackedMatrix packed);
  void split(PackedWeightValues &values, const KernelPlan &plan,
             const PackedLayout &layout, int64_t columns,
             ArrayRef<char> elements, unsigned elementSize);
  Value createConstant(OpBuilder &b, Location loc, const Twine &name,
                       RankedTensorType type, ByteBuffer data);

  void reportMissed(Location loc, StringRef weight, StringRef reason);

  KernelTarget target;
  /// While the pass runs.
  LeftAlone *left = nullptr;
};
} // namespace

void PackWeights::reportMissed(Location loc, StringRef weight,
                               StringRef reason) {
  left->note(reason, loc, weight);
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

/// Understands what a weight is used for; false, with a reason, if it cannot be
/// packed.
static bool match(Candidate &candidate, std::string &reason) {
  auto op = cast<linalg::LinalgOp>(candidate.getOp());
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 ||
      op.getNumDpsInits() != 1) {
    reason = "it does not have two inputs and one output";
    return false;
  }
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if (!element.isF32() && !element.isF64()) {
    reason = "its sums are neither f32 nor f64; prune-widen-sums makes them so";
    return false;
  }
  for (Value value : op->getOperands()) {
    Type stored = getElementTypeOrSelf(value.getType());
    if (stored != element &&
        !(element.isF32() && (stored.isF16() || stored.isBF16()))) {
      reason = "its operands have several element types";
      return false;
    }
  }
  FailureOr<linalg::ConvolutionDimensions> dims =
      linalg::inferConvolutionDims(op);
  if (succeeded(dims)) {
    candidate.convolution = matchConvolution(*candidate.use, *dims, reason);
    return candidate.convolution.has_value();
  }
  std::optional<WeightContraction> contraction =
      matchContraction(*candidate.use, reason);
  std::optional<ProductLayout> layout;
  if (contraction)
    layout = matchProductLayout(*contraction, reason);
  if (layout)
    candidate.product = {*contraction, *layout};
  return layout.has_value();
}

/// What can be packed, in the order of the module.
std::vector<Candidate> PackWeights::collect(const WeightUses &uses,
                                            ArrayRef<Choice> choices) {
  std::vector<Candidate> candidates;
  for (auto [weight, choice] : llvm::zip_equal(uses.getWeights(), choices)) {
    if (choice == Choice::Excluded || choice == Choice::NotIncluded) {
      left->note("is filtered out by include or exclude", weight.getLoc(),
                 weight.name);
      continue;
    }
    for (const WeightUse &use : weight.uses) {
      std::string reason;
      Candidate candidate{&weight, &use, {}, {}};
      if (match(candidate, reason))
        candidates.push_back(std::move(candidate));
      else
        reportMissed(use.operand->getOwner()->getLoc(), weight.name, reason);
    }
  }
  llvm::DenseMap<Operation *, size_t> order;
  getOperation()->walk([&](Operation *op) { order[op] = order.size(); });
  llvm::sort(candidates, [&](const Candidate &a, const Candidate &b) {
    return order[a.getOp()] < order[b.getOp()];
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
    // Windows are listed, and their neighbours are lanes.
    if (candidate.convolution &&
        (plan.form == PackedForm::Dense || plan.lanesAlongRows))
      continue;
    if (tileRows != 0 && plan.tileRows != tileRows)
      continue;
    if (tileColumns != 0 && plan.tileColumns != tileColumns)
      continue;
    if (kBlock != 0 && !plan.lanesAlongRows)
      plan.kBlock = std::min<int64_t>(kBlock, candidate.columns());
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

/// The weight of a product as a matrix, maybe in `copy`.
static ArrayRef<char> viewMatrix(const WeightContraction &contraction,
                                 const WeightView &weight, ByteBuffer &copy) {
  AffineMap map = contraction.op.getMatchingIndexingMap(contraction.weight);
  auto positionOf = [&](unsigned loop) -> int64_t {
    return *map.getResultPosition(getAffineDimExpr(loop, map.getContext()));
  };
  return weight.view(
      {positionOf(contraction.rowLoop), positionOf(contraction.columnLoops[0])},
      copy);
}

/// The buffers of a packed matrix as constants.
PackedWeightValues PackWeights::createWeight(OpBuilder &b,
                                             const Candidate &candidate,
                                             Type element,
                                             PackedMatrix packed) {
  Location loc = candidate.getOp()->getLoc();
  StringRef name = candidate.weight->name;
  if (packed.values.empty())
    packed.values.resize(packed.elementSize, 0);
  PackedWeightValues values;
  auto type = RankedTensorType::get(packed.numValues(), element);
  values.values = createConstant(b, loc, name, type, std::move(packed.values));
  if (packed.positions.empty())
    return values;
  auto createIntegers = [&](ArrayRef<uint32_t> numbers, unsigned bits,
                            StringRef suffix) {
    ByteBuffer bytes = narrow(numbers, bits);
    auto type =
        RankedTensorType::get(bytes.size() * 8 / bits, b.getIntegerType(bits));
    return createConstant(b, loc, name.split('#').first + suffix, type,
                          std::move(bytes));
  };
  int64_t bound = candidate.columns();
  if (candidate.convolution) {
    bound = candidate.convolution->numOffsets;
    for (uint32_t &index : packed.indices)
      index = candidate.convolution->offsets[index];
  }
  values.indices =
      createIntegers(packed.indices, indexWidth(bound - 1), ".indices");
  values.positions = createIntegers(packed.positions, 32, ".positions");
  return values;
}

static Type getType(FloatKind kind, Builder &b) {
  switch (kind) {
  case FloatKind::F64:
    return b.getF64Type();
  case FloatKind::F32:
    return b.getF32Type();
  case FloatKind::F16:
    return b.getF16Type();
  case FloatKind::BF16:
    return b.getBF16Type();
  }
  llvm_unreachable("unknown kind of number");
}

/// A weight that was stored in 16 bits and extended since is packed as it was
/// stored.
static void storeNarrow(WeightView &folded, const Weight &weight) {
  std::optional<TensorView> source = getTensorView(weight.getValue());
  if (!source || folded.kind != FloatKind::F32 || byteSize(source->kind) != 2)
    return;
  std::vector<char> narrow =
      convertElements(folded.kind, source->kind, folded.data);
  std::vector<char> wide = convertElements(source->kind, folded.kind, narrow);
  if (ArrayRef<char>(wide) != folded.data)
    return;
  folded.storage = std::make_shared<ByteBuffer>(narrow.begin(), narrow.end());
  folded.data = *folded.storage;
  folded.kind = source->kind;
}

LogicalResult PackWeights::pack(const Candidate &candidate,
                                WeightRecords &records) {
  Location loc = candidate.getOp()->getLoc();
  StringRef name = candidate.weight->name;
  std::string reason;
  std::optional<WeightView> weight =
      foldWeight(*candidate.weight, *candidate.use, reason);
  Type element =
      getElementTypeOrSelf(candidate.getOp()->getResult(0).getType());
  if (weight)
    storeNarrow(*weight, *candidate.weight);
  if (!weight || candidate.rows() < 1 || candidate.columns() < 1) {
    reportMissed(loc, name, weight ? "it is empty" : reason);
    return success();
  }
  ByteBuffer copy;
  ArrayRef<char> elements;
  if (candidate.product) {
    elements = viewMatrix(candidate.product->contraction, *weight, copy);
  } else {
    copy = readFilterMatrix(*candidate.convolution, *weight);
    elements = copy;
  }
  unsigned size = byteSize(weight->kind);
  MatrixStatistics matrix = MatrixStatistics::get(
      candidate.rows(), candidate.columns(), elements, size);
  matrix.elementBytes = element.getIntOrFloatBitWidth() / 8;
  if (candidate.convolution)
    matrix.overlap = candidate.convolution->overlap();
  std::vector<KernelPlan> plans =
      rankKernels(matrix, candidate.vectors(), target);
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
  b.setInsertionPoint(candidate.getOp());
  PackedWeightValues values =
      createWeight(b, candidate, getType(weight->kind, b), std::move(*packed));
  split(values, *plan, kernel.getLayout(), candidate.vectors(), elements, size);
  remark::passed(loc, remark::RemarkOpts::name("Packed").category(kCategory))
      << remark::metric("Weight", name)
      << remark::metric("Form", stringifyKernelForm(kernel.getForm()))
      << remark::metric("Nonzeros", matrix.nonzeros)
      << remark::metric("Cycles", int64_t(plan->cycles))
      << remark::metric("DenseCycles",
                        int64_t(llvm::find_if(plans, [](const KernelPlan &p) {
                                  return p.form == PackedForm::Dense;
                                })->cycles));
  PackedMatmulOp op =
      candidate.product
          ? replaceByPackedProduct(b, candidate.product->contraction,
                                   candidate.product->layout, *plan, kernel,
                                   values)
          : replaceByPackedConvolution(b, *candidate.convolution, kernel,
                                       values);
  op->setAttr("prune.weight", b.getStringAttr(name));
  left->noteDone();
  recordPackedWeight(records, *candidate.weight);
  return success();
}
