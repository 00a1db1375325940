// RUN: prune-opt %s --prune-store-narrow-floats --split-input-file --verify-diagnostics

llvm.func @adds(%x: bf16) -> bf16 {
  // expected-error @below {{cannot compile 'llvm.fadd' on 'bf16'; convert its operands to f32 first}}
  %y = llvm.fadd %x, %x : bf16
  llvm.return %y : bf16
}

// -----

llvm.func @extends(%x: bf16) -> f32 {
  // expected-error @below {{cannot compile 'llvm.fpext' on 'bf16'; convert its operands to f32 first}}
  %y = llvm.fpext %x : bf16 to f32
  llvm.return %y : f32
}
