//===- LowerToLLVM.cpp - From tensors to the LLVM dialect -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles whatever a network consists of: tosa, linalg, tensor, arith, math,
// scf, cf and calls, static and dynamic. Four stages: everything becomes linalg
// structured operations with a good order of loops; tensors become buffers that
// are freed; loops are generated; scalars become LLVM. Canonicalisation only
// makes the result smaller, so each stage works without it.
//
// What must be as it is:
// - Control flow is structured before bufferization, because buffer
//   deallocation rejects loops of branches.
// - bf16 is converted by integer operations instead of being left to LLVM:
//   processors that convert it in hardware flush denormal numbers to zero, and
//   for others LLVM calls a compiler's library. So it does for f16 on
//   processors that do not convert it. Arithmetic is done in f32, and what is
//   left of 16-bit numbers is moved as integers.
// - Half-precision rewriting follows loop generation: upstream changes scalar
//   operations one by one, not bodies of linalg operations.
// - `math` goes to LLVM intrinsics where the processor computes exactly what
//   the C library would (or the intrinsic becomes that call), and to the C
//   library for the rest. Nothing is approximated.
//
//===----------------------------------------------------------------------===//

#include "prune/Pipelines/Pipelines.h"

#include "prune/Conversion/Passes.h"
#include "prune/Core/Packing/Processor.h"
#include "prune/Lowering/Passes.h"
#include "prune/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SparseTensor/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::prune;

/// Stage 1: linalg structured operations on tensors.
static void addStructuring(OpPassManager &pm, bool isSparse,
                           std::optional<unsigned> packedBits,
                           unsigned threads) {
  // From here on, the numbers of constants are read.
  pm.addPass(createVerifyResourcesPass());
  if (!isSparse)
    pm.addPass(createVerifyDensePass());
  InlineGlobalsPassOptions globals;
  globals.erasePublic = true; // nothing else can read them once compiled
  pm.addPass(createInlineGlobalsPass(globals));
  pm.addPass(createLowerTosaPass());
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // Masks of constants are constants; what is left of them runs.
  FoldMasksPassOptions masks;
  masks.quiet = true;
  pm.addPass(createFoldMasksPass(masks));
  pm.addPass(createConvertPruneToLinalgPass());
  pm.addPass(createLiftControlFlowToSCFPass());
  pm.addPass(createDecomposeOperationsPass());
  pm.addPass(createConvertElementwiseToLinalgPass());
  pm.addPass(createConvertTensorToLinalgPass());
  // Transposes are looked at by name, before everything becomes generic.
  if (!isSparse)
    pm.addPass(createFoldTransposesPass());
  pm.addPass(createLinalgGeneralizeNamedOpsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createWidenSumsPass());
  // The sparsifier wants its contractions and their order of loops as they are.
  if (isSparse) {
    SparsifyWeightsPassOptions options;
    options.unlessPacked = true; // who packed some meant the rest to be dense
    options.quiet = true;
    pm.addPass(createSparsifyWeightsPass(options));
    pm.addPass(createConvertTensorToLinalgPass());
    pm.addPass(createLinalgGeneralizeNamedOpsPass());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    return;
  }
  // Kernels take in the elementwise operations behind them one by one.
  if (packedBits) {
    PackWeightsPassOptions options;
    options.vectorBits = *packedBits;
    options.threads = threads;
    options.quiet = true;
    pm.addPass(createPackWeightsPass(options));
    pm.addPass(createCanonicalizerPass());
  }
  pm.addPass(createFuseElementwisePass());
  pm.addPass(createScheduleReductionsPass());
  pm.addPass(createFoldTransposesPass());
  pm.addPass(createLinalgGeneralizeNamedOpsPass());
  pm.addPass(createCSEPass());
}

/// Stage 2, with sparse operands: each kernel becomes loops in a function of
/// its own, by the upstream sparsifier without its run-time library, so that
/// the constants that a weight is assembled from are read where they are. No
/// vectors: sums keep the order of the dense operation.
static void addSparseBufferization(OpPassManager &pm) {
  pm.addPass(createOutlineSparseKernelsPass());
  bufferization::OneShotBufferizationOptions options =
      getBufferizationOptionsForSparsification(/*analysisOnly=*/false);
  options.allowUnknownOps = false;
  options.allowReturnAllocsFromLoops = true;
  pm.addPass(createSparsificationAndBufferizationPass(
      options,
      SparsificationOptions(SparseParallelizationStrategy::kNone,
                            SparseEmitStrategy::kFunctional,
                            /*enableRT=*/false),
      /*createSparseDeallocs=*/true, /*enableRuntimeLibrary=*/false,
      /*enableBufferInitialization=*/false, /*vectorLength=*/0,
      /*enableVLAVectorization=*/false, /*enableSIMDIndex32=*/false,
      /*enableGPULibgen=*/false, SparseEmitStrategy::kFunctional,
      SparseParallelizationStrategy::kNone));
  pm.addPass(createStorageSpecifierToLLVMPass());
  // A kernel returns the buffer that it was given; drop that result.
  pm.addPass(createDropReturnedArgumentsPass());
}

/// Stage 2: buffers, each freed once.
static void addBufferization(OpPassManager &pm, bool isSparse) {
  // Reports read tensors only, and translation to LLVM IR knows no records.
  pm.addPass(createStripRecordsPass());
  pm.addPass(createBoundAliasesPass());
  pm.addPass(createOwnResultsPass());
  if (isSparse) {
    addSparseBufferization(pm);
  } else {
    bufferization::OneShotBufferizePassOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.functionBoundaryTypeConversion =
        bufferization::LayoutMapOption::IdentityLayoutMap;
    options.allowReturnAllocsFromLoops = true;
    pm.addPass(bufferization::createOneShotBufferizePass(options));
  }
  pm.addPass(createOrderConstantsPass());
  pm.addPass(createFreeBuffersPass());
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
}

/// Stage 3: loops over scalars, and over vectors in packed kernels.
static void addLoops(OpPassManager &pm, unsigned threads, bool runtimeChecks,
                     unsigned vectorBits, bool hasFMA) {
  // Structured operations are checked as a whole, not element by element.
  if (runtimeChecks)
    pm.addPass(createGenerateRuntimeVerificationPass());
  pm.addPass(createOutlinePackedKernelsPass());
  ConvertPrunePackedToVectorPassOptions packed;
  packed.vectorBits = vectorBits;
  packed.threads = threads;
  packed.fma = hasFMA;
  pm.addPass(createConvertPrunePackedToVectorPass(packed));
  // Strided copies are loops, too.
  pm.addPass(createExpandCopiesPass());
  pm.addPass(createOutlineLoopsPass());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // Canonicalisation can replace the operands of a copy by strided ones, so
  // copies are looked at last.
  pm.addPass(createExpandCopiesPass());
  pm.addPass(createConvertLinalgToLoopsPass());
}

/// Stage 4: the LLVM dialect.
static void addLLVM(OpPassManager &pm, bool isParallel, bool hasF16C) {
  // Operations that LLVM does not have, or not on these types. Parts of complex
  // numbers are numbers like others.
  pm.addPass(createConvertComplexToStandardPass());
  pm.addPass(math::createMathExtendToSupportedTypes());
  arith::ArithEmulateUnsupportedFloatsOptions floats;
  floats.sourceTypeStrs = {"bf16", "f16"};
  floats.targetTypeStr = "f32";
  pm.addPass(arith::createArithEmulateUnsupportedFloats(floats));
  pm.addPass(createLegalizeScalarsPass());
  ExpandNarrowFloatsPassOptions narrow;
  narrow.nativeHalf = hasF16C;
  pm.addPass(createExpandNarrowFloatsPass(narrow));
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(createConvertMathToFuncs());

  // Addresses and control flow.
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(createSCFToControlFlowPass());

  // One dialect at a time.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertComplexToStandardPass());
  pm.addPass(createConvertComplexToLLVMPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createArithToLLVMConversionPass());
  FinalizeMemRefToLLVMConversionPassOptions memref;
  memref.useAlignedAlloc = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memref));
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  if (isParallel)
    pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createStoreNarrowFloatsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createFlattenConstantsPass());
  pm.addPass(createVerifyLoweredPass());
}

//===----------------------------------------------------------------------===//
// The stages together, and one by one
//===----------------------------------------------------------------------===//

namespace {
/// Options that were checked, with what follows from the processor.
struct Lowering {
  bool isSparse, isPacked, runtimeChecks, hasFMA, hasF16C;
  unsigned bits, threads;
};
} // namespace

static FailureOr<Lowering>
check(const prune::LowerToLLVMOptions &options,
      function_ref<LogicalResult(const Twine &)> emitError) {
  if (options.kernels != "dense" && options.kernels != "reference" &&
      options.kernels != "packed")
    return emitError("unknown kernels '" + options.kernels +
                     "'; expected 'dense', 'reference' or 'packed'");
  // Tools say which one, so that equal options give equal code everywhere.
  llvm::Expected<Processor> processor = options.cpu.empty()
                                            ? Processor::getDefault()
                                            : Processor::get(options.cpu);
  if (!processor)
    return emitError("cpu: " + llvm::toString(processor.takeError()));
  unsigned bits =
      options.vectorBits ? options.vectorBits : processor->vectorBits;
  if (bits != 128 && bits != 256 && bits != 512)
    return emitError("expected vector-bits 0, 128, 256 or 512 but got " +
                     Twine(bits));
  if (options.threads < 1 || options.threads > 1024)
    return emitError("expected threads in [1, 1024] but got " +
                     Twine(options.threads));
  bool isPacked = options.kernels == "packed";
  if (options.threads > 1 && !isPacked)
    return emitError("threads above 1 need kernels=packed; '" +
                     options.kernels + "' runs on one thread");
  auto either = [](const auto &option, bool otherwise) {
    return option.hasValue() ? bool(option) : otherwise;
  };
  return Lowering{options.kernels == "reference",
                  isPacked,
                  options.runtimeChecks,
                  either(options.hasFMA, processor->hasFMA),
                  either(options.hasF16C, processor->hasF16C),
                  bits,
                  options.threads};
}

static void addStage(OpPassManager &pm, LoweringStage stage,
                     const Lowering &lowering) {
  switch (stage) {
  case LoweringStage::Structure:
    return addStructuring(pm, lowering.isSparse,
                          lowering.isPacked ? std::optional(lowering.bits)
                                            : std::nullopt,
                          lowering.threads);
  case LoweringStage::Bufferize:
    return addBufferization(pm, lowering.isSparse);
  case LoweringStage::Loops:
    // Sparse loops are full of accesses, checked when the weight was packed;
    // and the sparsifier's views of structured levels state half of their size.
    return addLoops(pm, lowering.threads,
                    lowering.runtimeChecks && !lowering.isSparse, lowering.bits,
                    lowering.hasFMA);
  case LoweringStage::LLVM:
    return addLLVM(pm, lowering.isPacked && lowering.threads > 1,
                   lowering.hasF16C);
  }
}

LogicalResult mlir::prune::buildLoweringStage(
    OpPassManager &pm, LoweringStage stage,
    const prune::LowerToLLVMOptions &options,
    function_ref<LogicalResult(const Twine &)> emitError) {
  FailureOr<Lowering> lowering = check(options, emitError);
  if (failed(lowering))
    return failure();
  addStage(pm, stage, *lowering);
  return success();
}

LogicalResult mlir::prune::buildLowerToLLVMPipeline(
    OpPassManager &pm, const prune::LowerToLLVMOptions &options,
    function_ref<LogicalResult(const Twine &)> emitError) {
  FailureOr<Lowering> lowering = check(options, emitError);
  if (failed(lowering))
    return failure();
  for (LoweringStage stage :
       {LoweringStage::Structure, LoweringStage::Bufferize,
        LoweringStage::Loops, LoweringStage::LLVM})
    addStage(pm, stage, *lowering);
  return success();
}
