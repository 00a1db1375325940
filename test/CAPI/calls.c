/*===- calls.c - What the C interface promises about wrong calls ----------===*\
|*                                                                            *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* Statuses, diagnostics and untouched outputs, in cases that other languages *|
|* cannot make: null pointers, buffers without a terminating zero, tensors    *|
|* without shape or data.                                                     *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "prune-c/Prune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%d: expected %s\n", __LINE__, #condition);              \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static const char kText[] =
    "func.func @f(%x: tensor<2x?xi32>, %i: i32) -> tensor<2x?xi32> {\n"
    "  return %x : tensor<2x?xi32>\n"
    "}\n"
    "func.func private @hidden()\n";

static PruneContext *context;

static int said(const char *text) {
  return strstr(pruneContextDiagnostics(context), text) != NULL;
}

/* Counts the messages and remembers the severity of the last. */
static PruneSeverity lastSeverity;
static void count(PruneSeverity severity, const char *message, void *userData) {
  EXPECT(strlen(message) > 0);
  lastSeverity = severity;
  ++*(int *)userData;
}

static void testParse(void) {
  PruneModule *module = NULL;
  EXPECT(pruneModuleParse(NULL, "", 0, NULL, &module) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleParse(context, NULL, 3, NULL, &module) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("expects data"));
  EXPECT(pruneModuleParse(context, "", 0, NULL, NULL) ==
         PRUNE_INVALID_ARGUMENT);

  int messages = 0;
  pruneContextSetCallback(context, count, &messages);
  EXPECT(pruneModuleParse(context, "func.func", 9, "bad.mlir", &module) ==
         PRUNE_PARSE_ERROR);
  EXPECT(messages > 0 && lastSeverity == PRUNE_ERROR);
  pruneContextSetCallback(context, NULL, NULL);
  EXPECT(said("bad.mlir:1:") && module == NULL);

  /* Not terminated: what follows the 9 bytes does not count. */
  EXPECT(pruneModuleParse(context, "module {}garbage", 9, NULL, &module) ==
         PRUNE_OK);
  EXPECT(strcmp(pruneContextDiagnostics(context), "") == 0);
  pruneModuleFree(module);
  /* No bytes at all are an empty module. */
  EXPECT(pruneModuleParse(context, NULL, 0, NULL, &module) == PRUNE_OK);
  pruneModuleFree(module);
}

static void testImportOptions(void) {
  PruneModule *module = NULL;
  const char *names[] = {"sr", NULL}, *values[] = {"16000", "1"};
  PruneImportOptions options = {NULL, NULL, 0, names, values, 2};
  EXPECT(pruneModuleImportONNXWithOptions(context, "/none/x.onnx", NULL,
                                          &module) == PRUNE_PARSE_ERROR);
  if (!said("no importer")) {
    EXPECT(pruneModuleImportONNXWithOptions(context, "x.onnx", &options,
                                            &module) == PRUNE_INVALID_ARGUMENT);
    EXPECT(said("names with values"));
  }
  options.values = NULL;
  EXPECT(pruneModuleImportONNXWithOptions(context, "x.onnx", &options,
                                          &module) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("expects a path, sizes, values and an output"));
  EXPECT(module == NULL);
}

/* Wrong calls and files that are not there; tests of the importer are in
 * Python. */
static void testImport(void) {
  PruneModule *module = NULL;
  const char *names[] = {"N", NULL};
  const int64_t sizes[] = {1, 0};
  EXPECT(pruneModuleImportONNX(NULL, "x.onnx", NULL, NULL, 0, &module) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleImportONNX(context, NULL, NULL, NULL, 0, &module) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleImportONNX(context, "x.onnx", NULL, NULL, 0, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleImportONNX(context, "x.onnx", NULL, sizes, 1, &module) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("expects a path, sizes, values and an output"));
  EXPECT(pruneModuleImportONNX(context, "/none/x.onnx", NULL, NULL, 0,
                               &module) == PRUNE_PARSE_ERROR);
  EXPECT(said("/none/x.onnx") || said("no importer"));
  if (!said("no importer")) {
    EXPECT(pruneModuleImportONNX(context, "x.onnx", names, sizes, 2, &module) ==
           PRUNE_INVALID_ARGUMENT);
    EXPECT(said("positive sizes"));
  }
  testImportOptions();
  EXPECT(module == NULL);
}

/* A file is what its name says; tools and tests in Python read real ones. */
static void testRead(void) {
  PruneModule *module = NULL;
  EXPECT(pruneModuleRead(NULL, "x.mlir", &module) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleRead(context, NULL, &module) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleRead(context, "x.mlir", NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("expects a path and an output"));
  EXPECT(pruneModuleRead(context, "/none/x.mlir", &module) ==
         PRUNE_PARSE_ERROR);
  EXPECT(said("cannot open input file '/none/x.mlir'"));
  EXPECT(pruneModuleRead(context, "/none/x.onnx", &module) ==
         PRUNE_PARSE_ERROR);
  EXPECT(said("/none/x.onnx") || said("no importer"));
  EXPECT(module == NULL);
}

static void testExports(PruneModule *module) {
  PruneBuffer model = {NULL, 0};
  const int64_t sizes[] = {1};
  PruneImportOptions options = {NULL, sizes, 1, NULL, NULL, 0};
  EXPECT(pruneModuleExportONNX(NULL, "x.onnx", NULL, &model) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleExportONNX(module, NULL, NULL, &model) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleExportONNX(module, "x.onnx", NULL, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleExportONNX(module, "x.onnx", &options, &model) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("expects a path, sizes, values and an output"));
  EXPECT(pruneModuleExportONNX(module, "/none/x.onnx", NULL, &model) ==
         PRUNE_EXPORT_ERROR);
  EXPECT(said("/none/x.onnx") || said("no exporter"));
  EXPECT(!strcmp(pruneStatusName(PRUNE_EXPORT_ERROR), "export error"));
  EXPECT(model.data == NULL);
}

static void testPipelines(PruneModule *module) {
  PruneBuffer text = {NULL, 0};
  EXPECT(pruneModuleRun(NULL, "cse") == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleRun(module, NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleRun(module, "no-such-pass") == PRUNE_PIPELINE_ERROR);
  EXPECT(said("no-such-pass"));
  EXPECT(pruneModuleRun(module, "") == PRUNE_OK);
  EXPECT(pruneModuleRun(module, " builtin.module( cse,func.func(cse) ) ") ==
         PRUNE_OK);
  EXPECT(pruneModuleRun(module, "func.func(cse),any(cse)") == PRUNE_OK);
  EXPECT(pruneModulePrint(module, -1, NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModulePrint(NULL, -1, &text) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleWriteBytecode(module, NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModulePrint(module, -1, &text) == PRUNE_OK);
  EXPECT(text.size == strlen(text.data) && strstr(text.data, "@f("));
  pruneBufferFree(&text);
  EXPECT(text.data == NULL);
  pruneBufferFree(&text);
  pruneBufferFree(NULL);
}

static void testReport(PruneModule *module) {
  PruneBuffer report = {NULL, 0};
  EXPECT(pruneModuleReport(NULL, "json", &report) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleReport(module, "json", NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleReport(module, "xml", &report) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("got 'xml'") && report.data == NULL);
  EXPECT(pruneModuleReport(module, "text", &report) == PRUNE_OK);
  EXPECT(strstr(report.data, "0 of 0 weights pruned"));
  pruneBufferFree(&report);
  EXPECT(pruneModuleReport(module, NULL, &report) == PRUNE_OK);
  EXPECT(report.data[0] == '{' && strstr(report.data, "\"weights\": []"));
  pruneBufferFree(&report);
}

static void expectMismatch(const PruneProgram *program, PruneTensor x,
                           PruneTensor i, const char *words) {
  PruneTensor arguments[2] = {x, i};
  PruneResults *results = NULL;
  PruneBuffer message = {NULL, 0};
  EXPECT(pruneProgramCall(program, arguments, 2, &results, &message) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(results == NULL && strstr(message.data, words));
  pruneBufferFree(&message);
  EXPECT(pruneProgramCall(program, arguments, 2, &results, NULL) ==
         PRUNE_INVALID_ARGUMENT);
}

static void testProgram(PruneModule *module) {
  PruneProgram *program = NULL;
  EXPECT(pruneModuleCompile(NULL, NULL, NULL, &program) ==
         PRUNE_INVALID_ARGUMENT);
  PruneCompileOptions options = {4, 1, NULL, 0};
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, NULL, &program) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, &options,
                                       &program) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("from 0 to 3 but got 4"));
  options.level = 0;
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, &options,
                                       &program) == PRUNE_OK);
  pruneProgramFree(program);
  program = NULL;
  options.cpu = "z80";
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, &options,
                                       &program) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("cpu: got 'z80'; expected native, x86-64-v2"));
  options.cpu = "native";
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, &options,
                                       &program) == PRUNE_OK);
  pruneProgramFree(program);
  program = NULL;
  options.threads = 2;
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, &options,
                                       &program) == PRUNE_COMPILE_ERROR);
  EXPECT(said("threads above 1 need kernels=packed"));
  options.threads = 0;
  EXPECT(pruneModuleCompileWithOptions(module, NULL, "packed", &options,
                                       &program) == PRUNE_COMPILE_ERROR);
  EXPECT(said("expected threads in [1, 1024] but got 0"));
  EXPECT(pruneModuleCompile(module, "hidden", NULL, &program) ==
         PRUNE_COMPILE_ERROR);
  EXPECT(said("'hidden'") && said("'f'"));
  EXPECT(pruneModuleCompile(module, NULL, "no-such-kernels", &program) ==
         PRUNE_COMPILE_ERROR);
  EXPECT(said("no-such-kernels") && program == NULL);
  EXPECT(pruneModuleCompile(module, "f", NULL, &program) == PRUNE_OK);
  pruneModuleFree(module);

  EXPECT(pruneProgramNumArguments(program) == 2);
  PruneTensorType type = pruneProgramArgumentType(program, 0);
  EXPECT(type.element == PRUNE_I32 && type.rank == 2 && type.shape[0] == 2 &&
         type.shape[1] == -1);

  int32_t data[6] = {1, 2, 3, 4, 5, 6};
  int64_t good[2] = {2, 3}, wrong[2] = {3, 2}, negative[2] = {2, -3};
  PruneTensor x = {PRUNE_I32, 2, good, data};
  PruneTensor scalar = {PRUNE_I32, 0, NULL, data};
  PruneTensor bad = x;
  bad.shape = wrong;
  expectMismatch(program, bad, scalar, "is 3x2xi32");
  bad.shape = negative;
  expectMismatch(program, bad, scalar, "takes 2x?xi32");
  bad.shape = NULL;
  expectMismatch(program, bad, scalar, "no shape");
  bad = x;
  bad.element = (PruneElementType)77;
  expectMismatch(program, bad, scalar, "unknown element type");
  bad = x;
  bad.data = NULL;
  expectMismatch(program, bad, scalar, "no data");
  expectMismatch(program, x, x, "argument 1");

  PruneTensor arguments[2] = {x, scalar};
  PruneResults *results = NULL;
  EXPECT(pruneProgramCall(program, arguments, 1, &results, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneProgramCall(program, NULL, 2, &results, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneProgramCall(program, arguments, 2, &results, NULL) == PRUNE_OK);
  EXPECT(pruneResultsCount(results) == 1);
  PruneTensor y = pruneResultsGet(results, 0);
  EXPECT(y.rank == 2 && y.shape[1] == 3 && memcmp(y.data, data, 24) == 0);
  EXPECT(y.data != data);
  pruneResultsFree(results);

  /* Nothing of nothing: no elements, so no data are needed. */
  int64_t none[2] = {2, 0};
  arguments[0].shape = none;
  arguments[0].data = NULL;
  EXPECT(pruneProgramCall(program, arguments, 2, &results, NULL) == PRUNE_OK);
  EXPECT(pruneResultsGet(results, 0).shape[1] == 0);
  pruneResultsFree(results);
  pruneProgramFree(program);
}

/* A weight and a bias; the weight lies in a function that is called. */
static const char kWeights[] =
    "func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
    "  %y = call @scale(%x) : (tensor<2xf32>) -> tensor<2xf32>\n"
    "  %b = arith.constant dense_resource<bias> : tensor<2xf32>\n"
    "  %z = arith.addf %y, %b : tensor<2xf32>\n"
    "  return %z : tensor<2xf32>\n"
    "}\n"
    "func.func private @scale(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
    "  %w = arith.constant dense_resource<\"scale#1\"> : tensor<2xf32>\n"
    "  %y = arith.mulf %x, %w : tensor<2xf32>\n"
    "  return %y : tensor<2xf32>\n"
    "}\n"
    "{-# dialect_resources: { builtin: {\n"
    "  bias: \"0x040000000000803F00000040\",\n"       /* 1, 2 */
    "  \"scale#1\": \"0x040000000000404000008040\"\n" /* 3, 4 */
    "}}#-}\n";

static void expectResult(PruneProgram *program, float first, float second) {
  const float data[2] = {10, 100};
  const int64_t shape[1] = {2};
  PruneTensor x = {PRUNE_F32, 1, shape, data};
  PruneResults *results = NULL;
  EXPECT(pruneProgramCall(program, &x, 1, &results, NULL) == PRUNE_OK);
  const float *y = pruneResultsGet(results, 0).data;
  EXPECT(y[0] == first && y[1] == second);
  pruneResultsFree(results);
}

static void expectNoWeight(PruneProgram *program, const char *name,
                           const PruneTensor *tensor, const char *why) {
  PruneBuffer message = {NULL, 0};
  EXPECT(pruneProgramSetWeight(program, name, tensor, &message) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(strstr(message.data, why) != NULL);
  pruneBufferFree(&message);
}

static void testWeights(void) {
  PruneModule *module = NULL;
  EXPECT(pruneModuleParse(context, kWeights, strlen(kWeights), NULL, &module) ==
         PRUNE_OK);
  PruneProgram *program = NULL, *fixed = NULL;
  PruneCompileOptions options = {2, 1, NULL, 1};
  EXPECT(pruneModuleCompileWithOptions(module, NULL, NULL, &options,
                                       &program) == PRUNE_OK);
  EXPECT(pruneModuleCompile(module, NULL, NULL, &fixed) == PRUNE_OK);
  pruneModuleFree(module);
  EXPECT(pruneProgramNumWeights(fixed) == 0);
  EXPECT(pruneProgramNumWeights(program) == 2);
  EXPECT(pruneProgramNumArguments(program) == 1);
  EXPECT(!strcmp(pruneProgramWeightName(program, 0), "scale"));
  EXPECT(!strcmp(pruneProgramWeightName(program, 1), "bias"));
  PruneTensor scale = pruneProgramWeight(program, 0);
  EXPECT(scale.element == PRUNE_F32 && scale.rank == 1 && scale.shape[0] == 2);
  EXPECT(((const float *)scale.data)[0] == 3);
  expectResult(fixed, 31, 402);
  expectResult(program, 31, 402);

  const float data[2] = {0, -1};
  const int64_t shape[1] = {2}, wrong[1] = {3};
  PruneTensor other = {PRUNE_F32, 1, shape, data};
  EXPECT(pruneProgramSetWeight(program, "scale", &other, NULL) == PRUNE_OK);
  expectResult(program, 1, -98);
  EXPECT(pruneProgramSetWeight(program, "bias", &other, NULL) == PRUNE_OK);
  expectResult(program, 0, -101);
  expectResult(fixed, 31, 402);

  expectNoWeight(program, "scale#1", &other, "takes no weight 'scale#1'");
  expectNoWeight(fixed, "scale", &other, "compile with externalize");
  expectNoWeight(program, NULL, &other, "expects a program, a name");
  expectNoWeight(program, "scale", NULL, "expects a program, a name");
  other.shape = wrong;
  expectNoWeight(program, "scale", &other, "weight 'scale' is 3xf32");
  expectResult(program, 0, -101);
  pruneProgramFree(program);
  pruneProgramFree(fixed);
}

/* A weight with a name, one that is one number for all, and one whose data the
   text does not have. */
static const char kProducts[] =
    "func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {\n"
    "  %a = arith.constant dense_resource<a> : tensor<2x2xf32>\n"
    "  %b = arith.constant dense<0.5> : tensor<2x2xf32>\n"
    "  %c = arith.constant dense_resource<__elided__> : tensor<2x2xf32>\n"
    "  %e = arith.constant dense<0.0> : tensor<1x2xf32>\n"
    "  %0 = linalg.matmul ins(%x, %a : tensor<1x2xf32>, tensor<2x2xf32>)\n"
    "                     outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>\n"
    "  %1 = linalg.matmul ins(%0, %b : tensor<1x2xf32>, tensor<2x2xf32>)\n"
    "                     outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>\n"
    "  %2 = linalg.matmul ins(%1, %c : tensor<1x2xf32>, tensor<2x2xf32>)\n"
    "                     outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>\n"
    "  return %2 : tensor<1x2xf32>\n"
    "}\n"
    "{-# dialect_resources: { builtin: {\n"
    "  a: \"0x040000000000803F000000400000404000008040\"\n" /* 1, 2, 3, 4 */
    "}}#-}\n";

/* The text of a module, to see that a failure did not change it. */
static PruneBuffer textOf(const PruneModule *module) {
  PruneBuffer text = {NULL, 0};
  EXPECT(pruneModulePrint(module, -1, &text) == PRUNE_OK);
  return text;
}

static void testLists(const PruneModule *module) {
  PruneWeights *list = NULL;
  EXPECT(pruneModuleWeights(NULL, &list) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleWeights(module, NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("pruneModuleWeights expects an output"));
  EXPECT(pruneModuleWeight(NULL, "a", &list) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleWeight(module, NULL, &list) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleWeight(module, "a", NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("pruneModuleWeight expects a name and an output"));
  EXPECT(pruneModuleWeight(module, "d", &list) == PRUNE_UNKNOWN_WEIGHT);
  EXPECT(said("no weight 'd'; the module has 'a', 'weight0', 'weight1'"));
  EXPECT(pruneModuleWeight(module, "weight1", &list) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("left out") && list == NULL);
  EXPECT(!strcmp(pruneStatusName(PRUNE_UNKNOWN_WEIGHT), "unknown weight"));

  EXPECT(pruneModuleWeights(module, &list) == PRUNE_OK);
  EXPECT(pruneWeightsCount(list) == 3);
  EXPECT(!strcmp(pruneWeightsName(list, 1), "weight0"));
  PruneTensor all = pruneWeightsGet(list, 1);
  EXPECT(all.element == PRUNE_F32 && all.rank == 2 && all.shape[1] == 2);
  EXPECT(((const float *)all.data)[3] == 0.5f);
  EXPECT(pruneWeightsGet(list, 2).data == NULL);
  pruneWeightsFree(list);
  pruneWeightsFree(NULL);
}

static void expectNumbers(const PruneModule *module, float w0, float w1,
                          float w2, float w3) {
  PruneWeights *list = NULL;
  EXPECT(pruneModuleWeight(module, "a", &list) == PRUNE_OK);
  EXPECT(pruneWeightsCount(list) == 1 &&
         !strcmp(pruneWeightsName(list, 0), "a"));
  const float *w = pruneWeightsGet(list, 0).data;
  EXPECT(w[0] == w0 && w[1] == w1 && w[2] == w2 && w[3] == w3);
  pruneWeightsFree(list);
}

static const int64_t kShape[2] = {2, 2}, kOtherShape[2] = {1, 4};

static void testSetWeight(PruneModule *module) {
  const float data[4] = {4, -3, 2, -1};
  const double wide[4] = {0, 0, 0, 0};
  PruneTensor tensor = {PRUNE_F64, 2, kShape, wide};
  EXPECT(pruneModuleSetWeight(NULL, "a", &tensor) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleSetWeight(module, NULL, &tensor) == PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleSetWeight(module, "a", NULL) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("pruneModuleSetWeight expects a name and a tensor"));
  EXPECT(pruneModuleSetWeight(module, "a", &tensor) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("weight 'a' is 2x2xf64, but the weight takes 2x2xf32"));
  tensor.element = PRUNE_F32;
  tensor.shape = kOtherShape;
  EXPECT(pruneModuleSetWeight(module, "a", &tensor) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("is 1x4xf32"));
  tensor.shape = kShape;
  tensor.data = NULL;
  EXPECT(pruneModuleSetWeight(module, "a", &tensor) == PRUNE_INVALID_ARGUMENT);
  EXPECT(said("has no data"));
  tensor.data = data;
  EXPECT(pruneModuleSetWeight(module, "d", &tensor) == PRUNE_UNKNOWN_WEIGHT);
  EXPECT(pruneModuleSetWeight(module, "weight1", &tensor) ==
         PRUNE_INVALID_ARGUMENT);
  expectNumbers(module, 1, 2, 3, 4);
  EXPECT(pruneModuleSetWeight(module, "a", &tensor) == PRUNE_OK);
  expectNumbers(module, 4, -3, 2, -1);
}

static void testApplyMask(PruneModule *module) {
  const unsigned char keep[4] = {1, 0, 1, 0}, wrong[4] = {1, 0, 2, 0};
  PruneTensor mask = {PRUNE_U8, 2, kShape, keep};
  EXPECT(pruneModuleApplyMask(NULL, "a", &mask, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleApplyMask(module, NULL, &mask, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleApplyMask(module, "a", NULL, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("pruneModuleApplyMask expects a name and a mask"));
  EXPECT(pruneModuleApplyMask(module, "a", &mask, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("the mask of weight 'a' is 2x2xui8"));
  mask.element = PRUNE_BOOL;
  mask.data = wrong;
  EXPECT(pruneModuleApplyMask(module, "a", &mask, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("0 or 1 but got 2"));
  mask.data = keep;
  EXPECT(pruneModuleApplyMask(module, "d", &mask, NULL) ==
         PRUNE_UNKNOWN_WEIGHT);
  EXPECT(pruneModuleApplyMask(module, "a", &mask, NULL) == PRUNE_OK);
  EXPECT(pruneModuleApplyMask(module, "a", &mask, NULL) ==
         PRUNE_UNKNOWN_WEIGHT);
  EXPECT(said("weight 'a' cannot be pruned: its weight has a mask already"));
  PruneBuffer text = textOf(module);
  EXPECT(strstr(text.data, "#prune.decision<by = \"C\"") != NULL);
  pruneBufferFree(&text);
  EXPECT(pruneModuleRun(module, "prune-fold-masks") == PRUNE_OK);
  expectNumbers(module, 4, 0, 2, 0);
}

static void testScores(PruneModule *module) {
  const double half = 0.5;
  const float data[4] = {1, 2, 3, 4};
  const char *names[] = {"a", NULL};
  PruneTensor scores = {PRUNE_F32, 2, kShape, data};
  PruneMaskOptions options = {NULL, NULL, "^a$", NULL, &half, NULL, NULL};
  PruneWeights *chosen = NULL;
  EXPECT(pruneModuleChooseWeights(NULL, &options, &chosen) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleChooseWeights(module, NULL, &chosen) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleChooseWeights(module, &options, NULL) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("pruneModuleChooseWeights expects options and an output"));
  options.scope = "everywhere";
  EXPECT(pruneModuleChooseWeights(module, &options, &chosen) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("got 'everywhere'") && chosen == NULL);
  options.scope = NULL;
  EXPECT(pruneModuleChooseWeights(module, &options, &chosen) == PRUNE_OK);
  EXPECT(pruneWeightsCount(chosen) == 1);
  EXPECT(!strcmp(pruneWeightsName(chosen, 0), "a"));
  pruneWeightsFree(chosen);

  PruneBuffer before = textOf(module);
  EXPECT(pruneModuleMaskByScores(NULL, &options, names, &scores, 1) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleMaskByScores(module, NULL, names, &scores, 1) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleMaskByScores(module, &options, NULL, &scores, 1) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(pruneModuleMaskByScores(module, &options, names, NULL, 1) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("pruneModuleMaskByScores expects options, names and scores"));
  EXPECT(pruneModuleMaskByScores(module, &options, names + 1, &scores, 1) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("a name for each tensor"));
  EXPECT(pruneModuleMaskByScores(module, &options, NULL, NULL, 0) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("expects scores for weight 'a'"));
  names[0] = "d";
  EXPECT(pruneModuleMaskByScores(module, &options, names, &scores, 1) ==
         PRUNE_UNKNOWN_WEIGHT);
  names[0] = "a";
  scores.element = PRUNE_I32;
  EXPECT(pruneModuleMaskByScores(module, &options, names, &scores, 1) ==
         PRUNE_INVALID_ARGUMENT);
  EXPECT(said("score tensor of weight 'a' is 2x2xi32"));
  scores.element = PRUNE_F32;
  PruneBuffer after = textOf(module);
  EXPECT(!strcmp(before.data, after.data));
  pruneBufferFree(&before);
  pruneBufferFree(&after);

  /* 4, 0, 2, 0 are what is there; the first two go, whatever they are. */
  options.by = "me";
  EXPECT(pruneModuleMaskByScores(module, &options, names, &scores, 1) ==
         PRUNE_OK);
  EXPECT(pruneModuleRun(module, "prune-fold-masks") == PRUNE_OK);
  expectNumbers(module, 0, 0, 2, 0);
  PruneBuffer report = {NULL, 0};
  EXPECT(pruneModuleReport(module, "json", &report) == PRUNE_OK);
  EXPECT(strstr(report.data, "\"by\": \"me\"") &&
         strstr(report.data, "\"criterion\": \"scores\""));
  pruneBufferFree(&report);
}

static void testModuleWeights(void) {
  PruneModule *module = NULL;
  EXPECT(pruneModuleParse(context, kProducts, strlen(kProducts), NULL,
                          &module) == PRUNE_OK);
  testLists(module);
  testSetWeight(module);
  testApplyMask(module);
  testScores(module);
  pruneModuleFree(module);
}

int main(void) {
  context = pruneContextCreate();
  EXPECT(strlen(pruneVersion()) > 0);
  EXPECT(strcmp(pruneStatusName(PRUNE_PARSE_ERROR), "parse error") == 0);
  EXPECT(pruneElementSize(PRUNE_BF16) == 2);
  EXPECT(pruneElementSize((PruneElementType)99) == 0);
  testParse();
  testImport();
  testRead();

  PruneModule *module = NULL, *copy = NULL;
  EXPECT(pruneModuleParse(context, kText, strlen(kText), NULL, &module) ==
         PRUNE_OK);
  EXPECT(pruneModuleClone(module, &copy) == PRUNE_OK);
  pruneModuleFree(module);
  testExports(copy);
  testPipelines(copy);
  testReport(copy);
  testProgram(copy);
  testWeights();
  testModuleWeights();
  pruneModuleFree(NULL);
  pruneProgramFree(NULL);
  pruneResultsFree(NULL);
  pruneContextFree(context);
  pruneContextFree(NULL);
  puts("all calls as promised");
  return 0;
}
