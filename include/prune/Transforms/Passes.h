//===- Passes.h - Passes within the tensor level ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef PRUNE_TRANSFORMS_PASSES_H
#define PRUNE_TRANSFORMS_PASSES_H

#include "prune/Transforms/Channels/Passes.h"
#include "prune/Transforms/Preparation/Passes.h"
#include "prune/Transforms/Weights/Passes.h"

#endif // PRUNE_TRANSFORMS_PASSES_H
