// RUN: prune-opt %s --split-input-file --verify-diagnostics --prune-lower-to-llvm
// RUN: prune-opt %s --split-input-file --verify-diagnostics --prune-lower-to-llvm=kernels=packed
// RUN: prune-opt %s --split-input-file --verify-diagnostics --prune-lower-to-llvm=kernels=reference

// Code for whoever runs it cannot show anything to anybody.
func.func @nobody_looks(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  // expected-error @+1 {{the observer of 'a' has nobody to show its tensor to: run the module by prune-run --statistics, or remove observers by prune-strip-observers}}
  %a = prune.observe %x "a" {what = ["mean"]} : tensor<?x3xf32>
  return %a : tensor<?x3xf32>
}
