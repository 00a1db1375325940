/* openblas_peer.c - Products by OpenBLAS, in the form that the timer calls
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <cblas.h>
#include <stdio.h>

static const float *weight;
static int m, k, n;

void prepare(const float *w, int rows, int columns, int batch) {
  weight = w, m = rows, k = columns, n = batch;
}

/* Y = X W^T, all row-major. One column is a product with a vector. */
void multiply(void *x, void *y) {
  if (n == 1)
    cblas_sgemv(CblasRowMajor, CblasNoTrans, m, k, 1, weight, k, x, 1, 0, y, 1);
  else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, k, 1, x, k,
                weight, k, 0, y, m);
}

/* Which kernels run depends on the core type, so that is part of it. */
const char *version(void) {
  static char text[256];
  snprintf(text, sizeof(text), "%s, kernels of %s", openblas_get_config(),
           openblas_get_corename());
  return text;
}
