// RUN: not prune-opt %s --prune-bound-aliases=limit=0 2>&1 | FileCheck %s

// CHECK: prune-bound-aliases: option 'limit' expects at least 1 but got 0
func.func @main() {
  return
}
