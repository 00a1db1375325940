// RUN: prune-opt %s --prune-verify-lowered --split-input-file --verify-diagnostics

// The operation is named, not the casts around it.
llvm.func @operation(%x: i64) -> i64 {
  %i = builtin.unrealized_conversion_cast %x : i64 to index
  // expected-error @below {{'arith.addi' op has no lowering to LLVM; rewrite it with other operations first}}
  %j = arith.addi %i, %i : index
  %y = builtin.unrealized_conversion_cast %j : index to i64
  llvm.return %y : i64
}

// -----

// A cast alone means a type.
llvm.func @type(%x: i64) {
  // expected-error @below {{the type 'i64' has no lowering to LLVM}}
  %i = builtin.unrealized_conversion_cast %x : i64 to index
  llvm.return
}

// -----

// Nothing to say about a module that is lowered.
llvm.func @lowered(%x: i64) -> i64 {
  llvm.return %x : i64
}
