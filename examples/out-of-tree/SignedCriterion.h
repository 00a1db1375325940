//===- SignedCriterion.h - A criterion of one's own -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MY_SIGNEDCRITERION_H
#define MY_SIGNEDCRITERION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace my {

/// Adds `#my.signed`.
void registerDialect(mlir::DialectRegistry &registry);

} // namespace my

#endif // MY_SIGNEDCRITERION_H
