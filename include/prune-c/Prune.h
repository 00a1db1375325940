/*===- Prune.h - The C interface ------------------------------------*- C
-*-===*\
|*                                                                            *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* Parse a network, run passes over it, print it, compile it and call it, from
*|
|* any language that can call C. IR crosses as text or bytecode, tensors as *|
|* plain buffers, pipelines as the text that prune-opt takes. *|
|*                                                                            *|
|* Every function that can fail returns a PruneStatus and leaves its output *|
|* untouched on failure. What went wrong is then in pruneContextDiagnostics. *|
|* No function ends the process, throws, or writes a file. *|
|*                                                                            *|
|* Threads: objects of one context are used by one thread at a time; different
*|
|* contexts are independent. Of a PruneProgram only pruneProgramCall may be *|
|* called by several threads at once. *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef PRUNE_C_PRUNE_H
#define PRUNE_C_PRUNE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PRUNE_C_EXPORT __attribute__((visibility("default")))
#else
#define PRUNE_C_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Dialects, passes and the diagnostics of everything made with it. */
typedef struct PruneContext PruneContext;
/** A network as IR. */
typedef struct PruneModule PruneModule;
/** A function of a network as machine code. */
typedef struct PruneProgram PruneProgram;
/** What a call of a program returned. */
typedef struct PruneResults PruneResults;
/** Some of the weights of a module, with their numbers. */
typedef struct PruneWeights PruneWeights;

typedef enum PruneStatus {
  PRUNE_OK = 0,
  /** An argument is null or out of range, or does not fit the signature. */
  PRUNE_INVALID_ARGUMENT = 1,
  /** The text or bytecode is not a valid module. */
  PRUNE_PARSE_ERROR = 2,
  /** The text of a pipeline names an unknown pass or a wrong option. */
  PRUNE_PIPELINE_ERROR = 3,
  /** A pass failed. The module may be half rewritten: only free it. */
  PRUNE_PASS_FAILED = 4,
  /** There is no such function, or it cannot be compiled. */
  PRUNE_COMPILE_ERROR = 5,
  /** The template cannot be read, or its operators cannot say what the network
      computes. */
  PRUNE_EXPORT_ERROR = 6,
  /** The module has no weight of that name, or none that can be pruned. */
  PRUNE_UNKNOWN_WEIGHT = 7
} PruneStatus;

typedef enum PruneSeverity {
  PRUNE_ERROR = 0,
  PRUNE_WARNING = 1,
  PRUNE_REMARK = 2,
  PRUNE_NOTE = 3
} PruneSeverity;

/** Bytes of the library's own, freed with pruneBufferFree. A zero that `size`
    does not count follows them. */
typedef struct PruneBuffer {
  char *data;
  size_t size;
} PruneBuffer;

/** Frees the bytes and empties the buffer. Does nothing for an empty one. */
PRUNE_C_EXPORT void pruneBufferFree(PruneBuffer *buffer);

/** The version of the library, such as "0.1.0". Never freed. */
PRUNE_C_EXPORT const char *pruneVersion(void);

/** A name for a status, such as "parse error". Never freed. */
PRUNE_C_EXPORT const char *pruneStatusName(PruneStatus status);

/** Loads criteria, patterns and passes from a shared library that links
    libPrune.so, for all contexts that are created afterwards. `message`, which
    may be null, gets what went wrong, and is freed with pruneBufferFree. */
PRUNE_C_EXPORT PruneStatus pruneLoadPlugin(const char *path,
                                           PruneBuffer *message);

/*===-- Contexts ----------------------------------------------------------===*/

/** Makes a context that knows all upstream dialects and passes and ours. Freed
    with pruneContextFree, after everything that was made with it. */
PRUNE_C_EXPORT PruneContext *pruneContextCreate(void);
PRUNE_C_EXPORT void pruneContextFree(PruneContext *context);

/** Called with every diagnostic, on the thread that called us. `message` is
    "file:line:column: error: text", lives for the call only, and must not lead
    to calls with the same context. */
typedef void (*PruneMessageCallback)(PruneSeverity severity,
                                     const char *message, void *userData);

/** Sets the callback; null removes it. Diagnostics are collected either way. */
PRUNE_C_EXPORT void pruneContextSetCallback(PruneContext *context,
                                            PruneMessageCallback callback,
                                            void *userData);

/** All diagnostics of the last call that returned a status, one a line; "" if
    there were none. Belongs to the context; valid until its next call. */
PRUNE_C_EXPORT const char *pruneContextDiagnostics(const PruneContext *context);

/*===-- Modules -----------------------------------------------------------===*/

/** Reads a module from `size` bytes of text or bytecode. The bytes are copied;
    they need no terminating zero. `name` stands in diagnostics (null: "-").
    Text is checked first, so that no text ends the process; bytecode must come
    from a source you trust, since MLIR's reader does not guard against hostile
    input. The module is freed with pruneModuleFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleParse(PruneContext *context,
                                            const char *data, size_t size,
                                            const char *name,
                                            PruneModule **module);

/** Reads an ONNX model, which is not trusted, as linalg on tensors with one
    function `main`. Sizes that the model leaves open can be fixed: `numDims`
    names, each the model's name for a size or "input:position", and as many
    sizes. Null pointers if there are none. A failure is PRUNE_PARSE_ERROR, also
    if the library was built without the importer. */
PRUNE_C_EXPORT PruneStatus pruneModuleImportONNX(
    PruneContext *context, const char *path, const char *const *dimNames,
    const int64_t *dimSizes, size_t numDims, PruneModule **module);
typedef struct PruneImportOptions {
  /** Sizes to fix, as for pruneModuleImportONNX. */
  const char *const *dimNames;
  const int64_t *dimSizes;
  size_t numDims;
  /** Inputs that become constants: their names, and for each one number for all
      of its elements or a list of them in row-major order, "1,2,3". */
  const char *const *valueNames;
  const char *const *values;
  size_t numValues;
} PruneImportOptions;

/** As pruneModuleImportONNX, which fixes sizes only. Null options fix nothing.
 */
PRUNE_C_EXPORT PruneStatus pruneModuleImportONNXWithOptions(
    PruneContext *context, const char *path, const PruneImportOptions *options,
    PruneModule **module);

/** Reads a file: an ONNX model if its name ends in ".onnx", and MLIR as text or
    bytecode else. The same checks, and the same words of caution. */
PRUNE_C_EXPORT PruneStatus pruneModuleRead(PruneContext *context,
                                           const char *path,
                                           PruneModule **module);

/** A copy that changes independently. Freed with pruneModuleFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleClone(const PruneModule *module,
                                            PruneModule **copy);
PRUNE_C_EXPORT void pruneModuleFree(PruneModule *module);

/** Runs passes in place. `pipeline` is what prune-opt takes: a list such as
    "prune-weights{sparsity=0.9},cse", with or without "builtin.module(...)"
    around it; passes on functions are nested as "func.func(...)". */
PRUNE_C_EXPORT PruneStatus pruneModuleRun(PruneModule *module,
                                          const char *pipeline);

/** Writes the module as text. Freed with pruneBufferFree. Constants of more
    than `elideAbove` elements are shortened, which makes text to read, not to
    parse; a negative number prints everything. */
PRUNE_C_EXPORT PruneStatus pruneModulePrint(const PruneModule *module,
                                            int64_t elideAbove,
                                            PruneBuffer *text);

/** Writes what prune-report-weights reports of the module; `format` is "text"
   or "json" (null: "json"). Freed with pruneBufferFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleReport(const PruneModule *module,
                                             const char *format,
                                             PruneBuffer *report);

/** Writes the module as bytecode. Freed with pruneBufferFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleWriteBytecode(const PruneModule *module,
                                                    PruneBuffer *bytecode);

/** Writes a pruned network back into the ONNX file at `templatePath` that it
   was imported from, with the same options: the bytes of a smaller file with
   the same names, for any runtime. Freed with pruneBufferFree. The module does
   not change. A failure, also of a library that was built without the importer,
   is PRUNE_EXPORT_ERROR and names the node or initialiser in the way. */
PRUNE_C_EXPORT PruneStatus
pruneModuleExportONNX(const PruneModule *module, const char *templatePath,
                      const PruneImportOptions *options, PruneBuffer *model);

/*===-- Programs ----------------------------------------------------------===*/

typedef enum PruneElementType {
  PRUNE_F64 = 0,
  PRUNE_F32 = 1,
  PRUNE_F16 = 2,
  PRUNE_BF16 = 3,
  PRUNE_I64 = 4,
  PRUNE_I32 = 5,
  PRUNE_I16 = 6,
  PRUNE_I8 = 7,
  PRUNE_U8 = 8,
  PRUNE_BOOL = 9,  /**< one byte each, 0 or 1 */
  PRUNE_INDEX = 10 /**< as PRUNE_I64 */
} PruneElementType;

/** Bytes of one element; 0 for a number that is no element type. */
PRUNE_C_EXPORT size_t pruneElementSize(PruneElementType type);

/** The type of an argument or result. `shape` belongs to the program; an extent
    of -1 is known only when called. Scalars have rank 0. */
typedef struct PruneTensorType {
  PruneElementType element;
  int64_t rank;
  const int64_t *shape;
} PruneTensorType;

/** A dense tensor in row-major order, without gaps. */
typedef struct PruneTensor {
  PruneElementType element;
  int64_t rank;
  const int64_t *shape;
  const void *data;
} PruneTensor;

/** Compiles a public function for this machine. `entry` may be null for "main"
    or the only public function; `kernels` may be null for "dense" and otherwise
    is the option of that name of prune-lower-to-llvm. The module does not
    change and may be freed before the program. Freed with pruneProgramFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleCompile(const PruneModule *module,
                                              const char *entry,
                                              const char *kernels,
                                              PruneProgram **program);
typedef struct PruneCompileOptions {
  /** LLVM's level of optimisation, from 0 (compiles fast) to 3 (runs fast). */
  unsigned level;
  /** Threads that share each product of the kernels "packed", at least 1. More
      than 1 need LLVM's OpenMP runtime. Where they run is up to the process:
      OMP_PROC_BIND binds them to cores. */
  unsigned threads;
  /** What to compile for: "native", which is this machine, "x86-64-v2",
      "x86-64-v3" or "x86-64-v4". Null for what the environment variable
      PRUNE_CPU names, and for this machine if it is not set. A processor with
      instructions that this machine does not have is an error. */
  const char *cpu;
  /** Not 0 to make arguments of the weights: constants with a name, also of
      functions that are called. pruneProgramSetWeight gives them other numbers
      without another compilation. All products are dense then. */
  int externalize;
} PruneCompileOptions;

/** As pruneModuleCompile, which takes level 2, one thread and no processor. */
PRUNE_C_EXPORT PruneStatus pruneModuleCompileWithOptions(
    const PruneModule *module, const char *entry, const char *kernels,
    const PruneCompileOptions *options, PruneProgram **program);
PRUNE_C_EXPORT void pruneProgramFree(PruneProgram *program);

PRUNE_C_EXPORT size_t pruneProgramNumArguments(const PruneProgram *program);
PRUNE_C_EXPORT size_t pruneProgramNumResults(const PruneProgram *program);
/** `index` must be below the number. */
PRUNE_C_EXPORT PruneTensorType
pruneProgramArgumentType(const PruneProgram *program, size_t index);
PRUNE_C_EXPORT PruneTensorType
pruneProgramResultType(const PruneProgram *program, size_t index);

/** The weights that are arguments of the compiled code, in the order of their
    first use; 0 unless compiled with `externalize`. */
PRUNE_C_EXPORT size_t pruneProgramNumWeights(const PruneProgram *program);
/** The name and the numbers that calls read; both belong to the program.
    `index` must be below the number. */
PRUNE_C_EXPORT const char *pruneProgramWeightName(const PruneProgram *program,
                                                  size_t index);
PRUNE_C_EXPORT PruneTensor pruneProgramWeight(const PruneProgram *program,
                                              size_t index);
/** Copies other numbers into a weight, which later calls read; none may be
    running. Type, rank and extents must be those of the weight; a mismatch is
    described in `*message` as by pruneProgramCall. */
PRUNE_C_EXPORT PruneStatus pruneProgramSetWeight(PruneProgram *program,
                                                 const char *name,
                                                 const PruneTensor *weight,
                                                 PruneBuffer *message);

/** Calls the function. Arguments are read only, during the call. Types, ranks
    and extents are checked against the signature; a mismatch is described in
    `*message` (which may be null, else freed with pruneBufferFree), since a
    program has no context. Results are freed with pruneResultsFree. */
PRUNE_C_EXPORT PruneStatus pruneProgramCall(const PruneProgram *program,
                                            const PruneTensor *arguments,
                                            size_t numArguments,
                                            PruneResults **results,
                                            PruneBuffer *message);

PRUNE_C_EXPORT size_t pruneResultsCount(const PruneResults *results);
/** A result; its shape and data belong to `results`. `index` must be below the
    number. */
PRUNE_C_EXPORT PruneTensor pruneResultsGet(const PruneResults *results,
                                           size_t index);
PRUNE_C_EXPORT void pruneResultsFree(PruneResults *results);

/*===-- Weights -----------------------------------------------------------===*/

/* The weights of a module are the constants that contractions and convolutions
   multiply by and that passes can prune. Names are those of reports. A second
   weight of one name goes by its resource key. A weight with a mask is one
   again when prune-fold-masks has run. */

/** Lists the weights, in the order of the module. Freed with
    pruneWeightsFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleWeights(const PruneModule *module,
                                              PruneWeights **weights);
/** A list of the one weight of that name; PRUNE_UNKNOWN_WEIGHT with a message
    that names some if there is none. Fails for a weight without data. */
PRUNE_C_EXPORT PruneStatus pruneModuleWeight(const PruneModule *module,
                                             const char *name,
                                             PruneWeights **weight);

PRUNE_C_EXPORT size_t pruneWeightsCount(const PruneWeights *weights);
/** Name and numbers belong to the list, and numbers only as long as the module
    is not changed and not freed. `data` is null if the text of the module was
    printed without it. `index` must be below the count. */
PRUNE_C_EXPORT const char *pruneWeightsName(const PruneWeights *weights,
                                            size_t index);
PRUNE_C_EXPORT PruneTensor pruneWeightsGet(const PruneWeights *weights,
                                           size_t index);
PRUNE_C_EXPORT void pruneWeightsFree(PruneWeights *weights);

/** Copies other numbers into a weight, for all that reads it. Type, rank and
    extents must be those of the weight. What was recorded of it stays. */
PRUNE_C_EXPORT PruneStatus pruneModuleSetWeight(PruneModule *module,
                                                const char *name,
                                                const PruneTensor *weight);

/** Puts a mask on a weight as prune-mask-weights does; prune-fold-masks carries
    it out. `mask` is PRUNE_BOOL, of the weight's shape, with 1 for what is
   kept. `by` is who decided, as reports have it (null: "C"). */
PRUNE_C_EXPORT PruneStatus pruneModuleApplyMask(PruneModule *module,
                                                const char *name,
                                                const PruneTensor *mask,
                                                const char *by);

/** How scores become masks. Texts are those of the options of
    prune-mask-weights; null for their defaults. */
typedef struct PruneMaskOptions {
  const char *pattern;
  const char *scope;
  const char *include;
  const char *exclude;
  /** The part of the units to remove, in [0, 1]; null if the pattern says. */
  const double *sparsity;
  /** Who decides (null: "C") and how (null: "scores"), as reports have it. */
  const char *by;
  const char *criterion;
} PruneMaskOptions;

/** Lists the weights that pruneModuleMaskByScores expects scores of. A target
    that removes nothing of a weight leaves it alone, for instance. Freed with
    pruneWeightsFree. */
PRUNE_C_EXPORT PruneStatus pruneModuleChooseWeights(
    const PruneModule *module, const PruneMaskOptions *options,
    PruneWeights **weights);

/** Ranks `numScores` tensors of scores, one for each weight that is chosen, by
    its name, and puts masks on the weights as pruneModuleApplyMask does. Scores
    are of any floating-point type, of the weight's shape; what scores lowest is
    removed. Nothing changes on failure, as of a NaN score. */
PRUNE_C_EXPORT PruneStatus pruneModuleMaskByScores(
    PruneModule *module, const PruneMaskOptions *options,
    const char *const *names, const PruneTensor *scores, size_t numScores);

#ifdef __cplusplus
}
#endif

#endif /* PRUNE_C_PRUNE_H */
