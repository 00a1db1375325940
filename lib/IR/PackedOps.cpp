//===- PackedOps.cpp - Products with packed weights -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel attribute and the verifiers of the packed ops: whatever can be
// known of shapes without looking into the buffers is checked here, so that the
// lowering may rely on it.
//
//===----------------------------------------------------------------------===//

#include "prune/IR/Prune.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// KernelAttr
//===----------------------------------------------------------------------===//

static_assert(
    uint32_t(KernelForm::Dense) == uint32_t(PackedForm::Dense) &&
        uint32_t(KernelForm::Blocks) == uint32_t(PackedForm::Blocks) &&
        uint32_t(KernelForm::Patterns) == uint32_t(PackedForm::Patterns) &&
        uint32_t(KernelForm::Elements) == uint32_t(PackedForm::Elements),
    "attribute and numerics name the forms alike");

PackedLayout KernelAttr::getLayout() const {
  return {static_cast<PackedForm>(getForm()), getM(), getK(), getTileRows(),
          getKBlock()};
}

LogicalResult KernelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 KernelForm form, int64_t m, int64_t k,
                                 LaneDim lanes, int64_t width, int64_t tileRows,
                                 int64_t tileColumns, int64_t kBlock) {
  // Bounds that no sensible kernel comes near, and that keep products small.
  constexpr int64_t kMaxSize = int64_t(1) << 31, kMaxTile = 1024;
  auto check = [&](StringRef name, int64_t value, int64_t max) {
    if (value >= 1 && value <= max)
      return success();
    return LogicalResult(emitError() << "kernel expects " << name << " in [1, "
                                     << max << "] but got " << value);
  };
  if (failed(check("m", m, kMaxSize)) || failed(check("k", k, kMaxSize)) ||
      failed(check("width", width, 64)) ||
      failed(check("tile rows", tileRows, kMaxTile)) ||
      failed(check("tile columns", tileColumns, kMaxTile)) ||
      failed(check("k_block", kBlock, k)))
    return failure();
  if (!llvm::isPowerOf2_64(width))
    return emitError() << "kernel expects a width that is a power of two but "
                          "got "
                       << width;
  bool alongColumns = lanes == LaneDim::Columns;
  int64_t laneSize = alongColumns ? tileColumns : tileRows;
  if (laneSize % width != 0)
    return emitError() << "kernel expects "
                       << (alongColumns ? "columns" : "rows")
                       << " of the tile to be a multiple of width " << width
                       << " but got " << laneSize;
  if (!alongColumns && kBlock != k)
    return emitError() << "kernel with lanes along rows expects k_block = k = "
                       << k << " but got " << kBlock;
  if (form == KernelForm::Patterns &&
      (!alongColumns || tileRows > kMaxPatternRows))
    return emitError() << "kernel of patterns expects lanes along columns and "
                          "at most "
                       << kMaxPatternRows << " tile rows";
  if (form == KernelForm::Elements &&
      (alongColumns || width != 1 || tileRows != 1 || tileColumns != 1))
    return emitError()
           << "kernel of elements expects lanes along rows, width 1 "
              "and tile 1 x 1";
  return success();
}

//===----------------------------------------------------------------------===//
// What all packed ops share
//===----------------------------------------------------------------------===//

/// Tensors are values; buffers are read, but for the last operand, which is
/// written.
static void
getPackedEffects(Operation *op, OpOperand &init,
                 SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &operand : op->getOpOperands())
    if (isa<MemRefType>(operand.get().getType()) && &operand != &init)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  if (isa<MemRefType>(init.get().getType()))
    effects.emplace_back(MemoryEffects::Write::get(), &init);
}

/// All operands are tensors and the result has the type of init, or all are
/// buffers and there is no result.
static LogicalResult verifyTensorsOrBuffers(Operation *op, Value init) {
  bool isBuffer = isa<MemRefType>(init.getType());
  for (Value operand : op->getOperands())
    if (isa<MemRefType>(operand.getType()) != isBuffer)
      return op->emitOpError("expects all operands to be ")
             << (isBuffer ? "buffers" : "tensors") << " like init but got "
             << operand.getType();
  if (isBuffer != (op->getNumResults() == 0))
    return op->emitOpError("expects ")
           << (isBuffer ? "no result, since init is a buffer,"
                        : "a result, since init is a tensor,")
           << " but got " << op->getNumResults();
  if (!isBuffer && op->getResult(0).getType() != init.getType())
    return op->emitOpError("expects a result of type ")
           << init.getType() << " like init but got "
           << op->getResult(0).getType();
  return success();
}

/// `size` may be unknown on either side.
static bool differs(int64_t size, int64_t expected) {
  return !ShapedType::isDynamic(size) && !ShapedType::isDynamic(expected) &&
         size != expected;
}

/// Compares with a shape in which unknown sizes fit everything.
static LogicalResult verifyShape(Operation *op, StringRef name, Value value,
                                 ArrayRef<int64_t> expected) {
  auto type = cast<ShapedType>(value.getType());
  bool fits = type.getRank() == int64_t(expected.size());
  for (size_t i = 0; fits && i != expected.size(); ++i)
    fits = !differs(type.getDimSize(i), expected[i]);
  if (fits)
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError("expects ")
                                  << name << " of shape [";
  llvm::interleaveComma(expected, diagnostic, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      diagnostic << "?";
    else
      diagnostic << size;
  });
  return diagnostic << "] but got " << type;
}

//===----------------------------------------------------------------------===//
// PackedMatmulOp
//===----------------------------------------------------------------------===//

void PackedMatmulOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  getPackedEffects(*this, getInitMutable(), effects);
}

static LogicalResult verifyWeights(PackedMatmulOp op) {
  KernelAttr kernel = op.getKernel();
  PackedLayout layout = kernel.getLayout();
  bool isDense = layout.form == PackedForm::Dense;
  if (isDense != !op.getIndices())
    return op.emitOpError("expects ")
           << (isDense ? "values only, since the kernel is dense"
                       : "values, indices and positions, since the kernel is "
                         "not dense");
  if (isDense)
    return verifyShape(op, "values", op.getValues(),
                       {layout.numGroups() * layout.groupRows * layout.k});
  unsigned bits =
      cast<ShapedType>(op.getIndices().getType()).getElementTypeBitWidth();
  if (!op.readsWindows() && layout.k - 1 > int64_t(llvm::maxUIntN(bits)))
    return op.emitOpError("expects indices wide enough for k = ")
           << layout.k << " but got " << op.getIndices().getType();
  return verifyShape(op, "positions", op.getPositions(),
                     {layout.numPositions()});
}

/// The chunks are all groups of rows, in order.
static LogicalResult verifyChunks(PackedMatmulOp op) {
  if (!op.getRowChunks()) {
    if (op.getParallelPanels())
      return op.emitOpError("expects row_chunks beside parallel_panels");
    return success();
  }
  if (op.getParallelPanels() && op.getKernel().getLanes() == LaneDim::Rows)
    return op.emitOpError("expects no parallel_panels, since activations are "
                          "not in panels with lanes along rows");
  ArrayRef<int64_t> chunks = *op.getRowChunks();
  int64_t groups = op.getKernel().getLayout().numGroups();
  bool ascends =
      chunks.size() >= 2 && chunks.front() == 0 && chunks.back() == groups;
  for (size_t i = 1; ascends && i < chunks.size(); ++i)
    ascends = chunks[i - 1] < chunks[i];
  if (ascends)
    return success();
  return op.emitOpError("expects row_chunks to ascend from 0 to the number of "
                        "groups of rows, ")
         << groups << ", but got [" << chunks << "]";
}

/// Panels of activations, and of results.
static LogicalResult verifyPanelsOfProduct(PackedMatmulOp op) {
  KernelAttr kernel = op.getKernel();
  auto input = cast<ShapedType>(op.getInput().getType());
  constexpr int64_t any = ShapedType::kDynamic;
  if (failed(
          verifyShape(op, "input", op.getInput(), {any, kernel.getK(), any})))
    return failure();
  int64_t panel = input.getDimSize(2);
  int64_t columns = kernel.getTileColumns();
  if (ShapedType::isDynamic(panel) || panel == 0 ||
      panel % kernel.getWidth() != 0 ||
      (panel % columns != 0 && columns % panel != 0))
    return op.emitOpError("expects input in panels that are a multiple or a "
                          "divisor of ")
           << columns << " columns, in whole vectors, but got " << input;
  return verifyShape(op, "init", op.getInit(),
                     {input.getDimSize(0), kernel.getM(), panel});
}

/// Windows of a vector, as long as a row of the result.
static LogicalResult verifyWindows(PackedMatmulOp op) {
  KernelAttr kernel = op.getKernel();
  if (kernel.getLanes() == LaneDim::Rows ||
      kernel.getForm() == KernelForm::Dense)
    return op.emitOpError(
               "expects lanes along columns and a list of columns to "
               "multiply windows of ")
           << op.getInput().getType() << " but got " << kernel;
  constexpr int64_t any = ShapedType::kDynamic;
  if (failed(verifyShape(op, "init", op.getInit(), {kernel.getM(), any})))
    return failure();
  int64_t size = cast<ShapedType>(op.getInput().getType()).getDimSize(0);
  auto init = cast<ShapedType>(op.getInit().getType());
  int64_t columns = init.getDimSize(1);
  if (ShapedType::isDynamic(columns) || columns % kernel.getTileColumns() != 0)
    return op.emitOpError("expects init to have whole tiles of ")
           << kernel.getTileColumns() << " columns but got " << init;
  if (ShapedType::isDynamic(size) || size < columns)
    return op.emitOpError("expects input of at least ")
           << columns << " elements, the length of a window, but got "
           << op.getInput().getType();
  if (kernel.getK() > size - columns + 1)
    return op.emitOpError("expects at least ")
           << kernel.getK() << " windows, one for each column, but "
           << op.getInput().getType() << " has " << size - columns + 1 << " of "
           << columns << " elements";
  return success();
}

/// The shapes of input and init.
static LogicalResult verifyActivations(PackedMatmulOp op) {
  KernelAttr kernel = op.getKernel();
  auto input = cast<ShapedType>(op.getInput().getType());
  if (op.readsWindows())
    return verifyWindows(op);
  if (kernel.getLanes() == LaneDim::Columns)
    return verifyPanelsOfProduct(op);
  if (failed(verifyShape(op, "input", op.getInput(),
                         {ShapedType::kDynamic, kernel.getK()})))
    return failure();
  return verifyShape(op, "init", op.getInit(),
                     {input.getDimSize(0), kernel.getM()});
}

LogicalResult PackedMatmulOp::verify() {
  if (failed(verifyTensorsOrBuffers(*this, getInit())) ||
      failed(verifyWeights(*this)) || failed(verifyChunks(*this)))
    return failure();
  KernelAttr kernel = getKernel();
  Type element = getElementType();
  // Weights of 16 bits are multiplied as f32.
  bool isStoredNarrow =
      element.isF32() &&
      cast<ShapedType>(getValues().getType()).getElementTypeBitWidth() == 16;
  for (Value value : {isStoredNarrow ? Value() : getValues(), getBias(),
                      getResidual(), getInit()})
    if (value && cast<ShapedType>(value.getType()).getElementType() != element)
      return emitOpError("expects element type ")
             << element << " like input but got " << value.getType();
  if (failed(verifyActivations(*this)))
    return failure();
  if (getBias() && failed(verifyShape(*this, "bias", getBias(), kernel.getM())))
    return failure();
  if (getResidual() &&
      failed(verifyShape(*this, "residual", getResidual(),
                         cast<ShapedType>(getInit().getType()).getShape())))
    return failure();
  return success();
}

LogicalResult PackedMatmulOp::verifyRegions() {
  Type element = getElementType();
  Block &block = getEpilogue().front();
  unsigned expected = 1 + !!getBias() + !!getResidual();
  if (block.getNumArguments() != expected)
    return emitOpError("expects an epilogue with ")
           << expected << " arguments (the element, bias, residual) but got "
           << block.getNumArguments();
  for (Type type : block.getArgumentTypes())
    if (type != element)
      return emitOpError("expects epilogue arguments of type ")
             << element << " but got " << type;
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("expects an epilogue that ends with prune.yield");
  if (yield.getValue().getType() != element)
    return emitOpError("expects the epilogue to yield ")
           << element << " but got " << yield.getValue().getType();
  for (Operation &op : block.without_terminator()) {
    bool isElementwise = op.hasTrait<OpTrait::ConstantLike>() ||
                         OpTrait::hasElementwiseMappableTraits(&op);
    if (!isElementwise || !isMemoryEffectFree(&op)) {
      InFlightDiagnostic diagnostic =
          emitOpError("expects only elementwise operations in the epilogue");
      diagnostic.attachNote(op.getLoc()) << "this one is not: " << op.getName();
      return diagnostic;
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// PackPanelsOp, UnpackPanelsOp
//===----------------------------------------------------------------------===//

/// `plain` is n x k, or k x n if feature-major; `panels` ceil(n/panel) x k x
/// panel.
static LogicalResult verifyPanels(Operation *op, Value plain, Value panels,
                                  bool featureMajor) {
  auto plainType = cast<ShapedType>(plain.getType());
  auto panelsType = cast<ShapedType>(panels.getType());
  if (plainType.getElementType() != panelsType.getElementType())
    return op->emitOpError("expects one element type but got ")
           << plainType << " and " << panelsType;
  if (plainType.getRank() != 2 || panelsType.getRank() != 3)
    return op->emitOpError("expects an activation of rank 2 and panels of rank "
                           "3 but got ")
           << plainType << " and " << panelsType;
  int64_t panel = panelsType.getDimSize(2);
  if (ShapedType::isDynamic(panel) || panel < 1)
    return op->emitOpError("expects panels of a known number of columns but "
                           "got ")
           << panelsType;
  int64_t n = plainType.getDimSize(featureMajor ? 1 : 0);
  int64_t k = plainType.getDimSize(featureMajor ? 0 : 1);
  int64_t numPanels = ShapedType::isDynamic(n)
                          ? ShapedType::kDynamic
                          : int64_t(llvm::divideCeil(n, panel));
  return verifyShape(op, "panels", panels, {numPanels, k, panel});
}

void PackPanelsOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  getPackedEffects(*this, getInitMutable(), effects);
}

LogicalResult PackPanelsOp::verify() {
  if (failed(verifyTensorsOrBuffers(*this, getInit())))
    return failure();
  return verifyPanels(*this, getSource(), getInit(), getFeatureMajor());
}

/// Panels that were only unpacked are still there.
LogicalResult PackPanelsOp::fold(FoldAdaptor,
                                 SmallVectorImpl<OpFoldResult> &results) {
  auto unpack = getSource().getDefiningOp<UnpackPanelsOp>();
  if (!unpack || getNumResults() == 0 ||
      unpack.getFeatureMajor() != getFeatureMajor() ||
      unpack.getSource().getType() != getInit().getType())
    return failure();
  results.push_back(unpack.getSource());
  return success();
}

void UnpackPanelsOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  getPackedEffects(*this, getInitMutable(), effects);
}

LogicalResult UnpackPanelsOp::verify() {
  if (failed(verifyTensorsOrBuffers(*this, getInit())))
    return failure();
  return verifyPanels(*this, getInit(), getSource(), getFeatureMajor());
}
