//===- LinearAlgebra.cpp - Dense matrices on OpenBLAS ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BLAS and LAPACK are column-major: to them, a row-major matrix is its
// transpose. So products swap their operands, and the upper triangle there is
// the lower one here.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Solvers/LinearAlgebra.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <vector>

using namespace mlir::prune;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

// The Fortran interface, with the lengths of strings where Fortran reads them.
extern "C" {
void openblas_set_num_threads(int);
void dgemm_(const char *, const char *, const int *, const int *, const int *,
            const double *, const double *, const int *, const double *,
            const int *, const double *, double *, const int *, size_t, size_t);
void sgemm_(const char *, const char *, const int *, const int *, const int *,
            const float *, const float *, const int *, const float *,
            const int *, const float *, float *, const int *, size_t, size_t);
void ssyrk_(const char *, const char *, const int *, const int *, const float *,
            const float *, const int *, const float *, float *, const int *,
            size_t, size_t);
void dsyevd_(const char *, const char *, const int *, double *, const int *,
             double *, double *, const int *, int *, const int *, int *, size_t,
             size_t);
void dpotrf_(const char *, const int *, double *, const int *, int *, size_t);
void dpotrs_(const char *, const int *, const int *, const double *,
             const int *, double *, const int *, int *, size_t);
void dpotri_(const char *, const int *, double *, const int *, int *, size_t);
void dtrtri_(const char *, const char *, const int *, double *, const int *,
             int *, size_t, size_t);
}

/// Rows whose products are summed in float32.
static constexpr int64_t kBlockRows = 256;

static void useOneThread() {
  static const bool isSet = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  (void)isSet;
}

void mlir::prune::multiply(int64_t rows, int64_t columns, int64_t inner,
                           double alpha, MatrixRef a, MatrixRef b, double beta,
                           double *c, int64_t stride) {
  if (rows == 0 || columns == 0)
    return;
  useOneThread();
  const char *ta = a.isTransposed ? "T" : "N", *tb = b.isTransposed ? "T" : "N";
  int m = columns, n = rows, k = inner, ldc = stride;
  int lda = std::max<int64_t>(1, a.stride),
      ldb = std::max<int64_t>(1, b.stride);
  dgemm_(tb, ta, &m, &n, &k, &alpha, b.data, &ldb, a.data, &lda, &beta, c, &ldc,
         1, 1);
}

bool mlir::prune::eigendecompose(int64_t n, MutableArrayRef<double> matrix,
                                 MutableArrayRef<double> values) {
  assert(int64_t(matrix.size()) == n * n && int64_t(values.size()) == n &&
         "sizes differ");
  if (n == 0)
    return true;
  useOneThread();
  int size = n, info = 0, all = -1, integersWanted = 0;
  double numbersWanted = 0;
  dsyevd_("V", "U", &size, matrix.data(), &size, values.data(), &numbersWanted,
          &all, &integersWanted, &all, &info, 1, 1);
  int numNumbers = int(numbersWanted), numIntegers = integersWanted;
  std::vector<double> numbers(numNumbers);
  std::vector<int> integers(numIntegers);
  dsyevd_("V", "U", &size, matrix.data(), &size, values.data(), numbers.data(),
          &numNumbers, integers.data(), &numIntegers, &info, 1, 1);
  return info == 0;
}

bool mlir::prune::factorize(int64_t n, MutableArrayRef<double> matrix) {
  assert(int64_t(matrix.size()) == n * n && "sizes differ");
  if (n == 0)
    return true;
  useOneThread();
  int size = n, info = 0;
  dpotrf_("U", &size, matrix.data(), &size, &info, 1);
  // OpenBLAS does not stop at a NaN.
  for (int64_t i = 0; info == 0 && i < n; ++i)
    if (!std::isfinite(matrix[i * n + i]))
      return false;
  return info == 0;
}

void mlir::prune::solveFactorized(int64_t n, ArrayRef<double> factor,
                                  int64_t count,
                                  MutableArrayRef<double> vectors) {
  assert(int64_t(vectors.size()) == n * count && "sizes differ");
  if (n == 0 || count == 0)
    return;
  useOneThread();
  int size = n, columns = count, info = 0;
  dpotrs_("U", &size, &columns, factor.data(), &size, vectors.data(), &size,
          &info, 1);
  assert(info == 0 && "wrong argument");
}

bool mlir::prune::invertFactorized(int64_t n, MutableArrayRef<double> factor) {
  if (n == 0)
    return true;
  useOneThread();
  int size = n, info = 0;
  dpotri_("U", &size, factor.data(), &size, &info, 1);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j)
      factor[j * n + i] = factor[i * n + j];
  return info == 0;
}

bool mlir::prune::factorizeInverse(int64_t n, MutableArrayRef<double> matrix) {
  // With rows and columns in reverse, A is L L', and its inverse the product of
  // L^-1' and L^-1. Reversed again, L^-1 is U.
  std::reverse(matrix.begin(), matrix.end());
  if (!factorize(n, matrix))
    return false;
  if (n == 0)
    return true;
  int size = n, info = 0;
  dtrtri_("U", "N", &size, matrix.data(), &size, &info, 1, 1);
  std::reverse(matrix.begin(), matrix.end());
  for (int64_t i = 0; i < n; ++i)
    std::fill_n(matrix.begin() + i * n, i, 0.0);
  return info == 0;
}

void mlir::prune::addGram(ArrayRef<float> rows, int64_t numRows, int64_t inputs,
                          MutableArrayRef<double> gram) {
  assert(int64_t(rows.size()) == numRows * inputs &&
         int64_t(gram.size()) == inputs * inputs && "sizes differ");
  if (inputs == 0)
    return;
  useOneThread();
  std::vector<float> block(inputs * inputs);
  int n = inputs;
  const float one = 1, zero = 0;
  for (int64_t begin = 0; begin < numRows; begin += kBlockRows) {
    int k = std::min(kBlockRows, numRows - begin);
    ssyrk_("U", "N", &n, &k, &one, rows.data() + begin * inputs, &n, &zero,
           block.data(), &n, 1, 1);
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t j = 0; j <= i; ++j)
        gram[i * inputs + j] += block[i * inputs + j];
  }
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t j = 0; j < i; ++j)
      gram[j * inputs + i] = gram[i * inputs + j];
}

void mlir::prune::addCrossGram(ArrayRef<float> rows, ArrayRef<float> otherRows,
                               int64_t numRows, int64_t inputs, int64_t others,
                               MutableArrayRef<double> gram) {
  assert(int64_t(rows.size()) == numRows * inputs &&
         int64_t(otherRows.size()) == numRows * others &&
         int64_t(gram.size()) == inputs * others && "sizes differ");
  if (inputs == 0 || others == 0)
    return;
  useOneThread();
  std::vector<float> block(inputs * others);
  int m = others, n = inputs;
  const float one = 1, zero = 0;
  for (int64_t begin = 0; begin < numRows; begin += kBlockRows) {
    int k = std::min(kBlockRows, numRows - begin);
    sgemm_("N", "T", &m, &n, &k, &one, otherRows.data() + begin * others, &m,
           rows.data() + begin * inputs, &n, &zero, block.data(), &m, 1, 1);
    for (size_t i = 0, e = block.size(); i != e; ++i)
      gram[i] += block[i];
  }
}

void mlir::prune::multiplyRows(ArrayRef<float> rows, ArrayRef<float> weights,
                               int64_t numRows, int64_t outputs, int64_t inputs,
                               MutableArrayRef<float> out) {
  if (numRows == 0 || outputs == 0)
    return;
  assert(rows.size() >= size_t(numRows * inputs) &&
         weights.size() == size_t(outputs * inputs) &&
         out.size() >= size_t(numRows * outputs) && "expects matching sizes");
  useOneThread();
  const int m = outputs, n = numRows, k = inputs;
  const float one = 1, zero = 0;
  sgemm_("T", "N", &m, &n, &k, &one, weights.data(), &k, rows.data(), &k, &zero,
         out.data(), &m, 1, 1);
}
