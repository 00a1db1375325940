/*===- prune_and_run.c - Prune a network from C ---------------------------===*\
|*                                                                            *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* Reads a network of text or bytecode, prunes it with a pipeline, runs it on *|
|* a buffer of ones and prints the first results:                             *|
|*                                                                            *|
|*   prune_and_run mlp.mlir 'prune-weights{sparsity=0.9}'                     *|
|*                                                                            *|
|* Build: cc -std=c11 prune_and_run.c -lPrune                                 *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "prune-c/Prune.h"

#include <stdio.h>
#include <stdlib.h>

/* Reads a whole file; null if that fails. */
static char *readFile(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return NULL;
  size_t capacity = 1 << 16;
  char *data = malloc(capacity);
  *size = 0;
  while (data) {
    *size += fread(data + *size, 1, capacity - *size, file);
    if (*size < capacity)
      break;
    capacity *= 2;
    char *grown = realloc(data, capacity);
    if (!grown)
      free(data);
    data = grown;
  }
  fclose(file);
  return data;
}

/* Calls a program of one f32 tensor with ones and prints its first result. */
static int runOnOnes(const PruneProgram *program) {
  if (pruneProgramNumArguments(program) != 1 ||
      pruneProgramNumResults(program) < 1) {
    fprintf(stderr, "expected a function of one tensor\n");
    return 1;
  }
  PruneTensorType type = pruneProgramArgumentType(program, 0);
  if (type.element != PRUNE_F32) {
    fprintf(stderr, "expected an argument of f32\n");
    return 1;
  }
  size_t count = 1;
  for (int64_t i = 0; i < type.rank; ++i)
    count *= (size_t)type.shape[i];
  float *ones = malloc(count * sizeof(float) + 1);
  if (!ones)
    return 1;
  for (size_t i = 0; i < count; ++i)
    ones[i] = 1.0f;

  PruneTensor argument = {type.element, type.rank, type.shape, ones};
  PruneResults *results;
  PruneBuffer message = {NULL, 0};
  PruneStatus status =
      pruneProgramCall(program, &argument, 1, &results, &message);
  free(ones);
  if (status != PRUNE_OK) {
    fprintf(stderr, "%s\n", message.data);
    pruneBufferFree(&message);
    return 1;
  }
  PruneTensor result = pruneResultsGet(results, 0);
  int64_t row = result.rank ? result.shape[result.rank - 1] : 1;
  printf("result:");
  for (int64_t i = 0; i < row && result.element == PRUNE_F32; ++i)
    printf(" %g", (double)((const float *)result.data)[i]);
  printf("\n");
  pruneResultsFree(results);
  return 0;
}

static int run(PruneContext *context, const char *path, const char *pipeline) {
  size_t size;
  char *text = readFile(path, &size);
  if (!text) {
    fprintf(stderr, "cannot read '%s'\n", path);
    return 1;
  }
  PruneModule *module;
  PruneStatus status = pruneModuleParse(context, text, size, path, &module);
  free(text); /* the library has copied it */
  if (status != PRUNE_OK) {
    fputs(pruneContextDiagnostics(context), stderr);
    return 1;
  }
  PruneProgram *program;
  status = pruneModuleRun(module, pipeline);
  if (status == PRUNE_OK)
    status = pruneModuleCompile(module, NULL, NULL, &program);
  pruneModuleFree(module); /* a program outlives its module */
  if (status != PRUNE_OK) {
    fputs(pruneContextDiagnostics(context), stderr);
    return 1;
  }
  int failed = runOnOnes(program);
  pruneProgramFree(program);
  return failed;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s <network> <pipeline>\n", argv[0]);
    return 2;
  }
  PruneContext *context = pruneContextCreate();
  int failed = run(context, argv[1], argv[2]);
  pruneContextFree(context);
  return failed;
}
