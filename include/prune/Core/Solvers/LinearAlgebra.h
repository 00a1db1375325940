//===- LinearAlgebra.h - Dense matrices on OpenBLAS -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The few operations that solvers need, on row-major matrices. Each call runs
// on the thread that makes it, and OpenBLAS is told so once for the process:
// results have the same bits however many of our threads call, and these do not
// compete with a second set of threads. Sizes are below 2^31.
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_CORE_SOLVERS_LINEARALGEBRA_H
#define PRUNE_CORE_SOLVERS_LINEARALGEBRA_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace mlir::prune {

/// A matrix in memory: element (i, j) is `data[i * stride + j]`, or
/// `data[j * stride + i]` if it is transposed.
struct MatrixRef {
  const double *data;
  int64_t stride;
  bool isTransposed = false;
};

/// C = alpha A B + beta C, with A of [rows x inner], B of [inner x columns] and
/// C of [rows x columns], whose rows are `stride` apart.
void multiply(int64_t rows, int64_t columns, int64_t inner, double alpha,
              MatrixRef a, MatrixRef b, double beta, double *c, int64_t stride);

/// Replaces the symmetric `matrix` [n x n] by its eigenvectors, one a row, and
/// writes the eigenvalues in ascending order. Returns false if the iteration
/// does not converge. All elements have to be finite.
[[nodiscard]] bool eigendecompose(int64_t n,
                                  llvm::MutableArrayRef<double> matrix,
                                  llvm::MutableArrayRef<double> values);

/// Replaces the lower triangle of `matrix` [n x n] by L, with L L' = matrix;
/// what is above the diagonal is not read. Returns false if the matrix is not
/// positive definite, NaN included.
[[nodiscard]] bool factorize(int64_t n, llvm::MutableArrayRef<double> matrix);

/// Solves A x = b for each of the `count` rows b of `vectors` [count x n] in
/// place, given what `factorize` made of A.
void solveFactorized(int64_t n, llvm::ArrayRef<double> factor, int64_t count,
                     llvm::MutableArrayRef<double> vectors);

/// Replaces what `factorize` made of A by the inverse of A, both triangles.
[[nodiscard]] bool invertFactorized(int64_t n,
                                    llvm::MutableArrayRef<double> factor);

/// Replaces the symmetric A by the upper triangular U with U' U = A^-1, zeros
/// below the diagonal. Returns false if A is not positive definite.
[[nodiscard]] bool factorizeInverse(int64_t n,
                                    llvm::MutableArrayRef<double> matrix);

/// gram += X' X for rows X [numRows x inputs], both triangles. Products are
/// summed in float32 over 256 rows, a relative error of at most 256 * 2^-24 of
/// the sum of magnitudes, and added up in float64.
void addGram(llvm::ArrayRef<float> rows, int64_t numRows, int64_t inputs,
             llvm::MutableArrayRef<double> gram);

/// gram += X' Z for rows X [numRows x inputs] and Z [numRows x others], with
/// `gram` of [inputs x others]; summed as `addGram` does.
void addCrossGram(llvm::ArrayRef<float> rows, llvm::ArrayRef<float> otherRows,
                  int64_t numRows, int64_t inputs, int64_t others,
                  llvm::MutableArrayRef<double> gram);

/// out = X W' in float32, for X [numRows x inputs], W [outputs x inputs] and
/// `out` of [numRows x outputs].
void multiplyRows(llvm::ArrayRef<float> rows, llvm::ArrayRef<float> weights,
                  int64_t numRows, int64_t outputs, int64_t inputs,
                  llvm::MutableArrayRef<float> out);

} // namespace mlir::prune

#endif // PRUNE_CORE_SOLVERS_LINEARALGEBRA_H
