// RUN: prune-lsp-server -lit-test < %s | FileCheck -strict-whitespace %s
// The server knows the dialect: a wrong mask is diagnosed, a good one is not.
{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":123,"rootPath":"mlir","capabilities":{},"trace":"off"}}
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///good.mlir","languageId":"mlir","version":1,"text":"func.func @f(%s: tensor<4xf64>) -> tensor<4xi1> {\n  %m = prune.mask %s {pattern = #prune.element, count = 2 : i64} : tensor<4xf64>\n  return %m : tensor<4xi1>\n}"}}}
//      CHECK: "method": "textDocument/publishDiagnostics",
// CHECK-NEXT: "params": {
// CHECK-NEXT:     "diagnostics": [],
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///bad.mlir","languageId":"mlir","version":1,"text":"func.func @f(%s: tensor<4xf64>) -> tensor<4xi1> {\n  %m = prune.mask %s {pattern = #prune.element} : tensor<4xf64>\n  return %m : tensor<4xi1>\n}"}}}
//      CHECK: "method": "textDocument/publishDiagnostics",
// CHECK-NEXT: "params": {
// CHECK-NEXT:     "diagnostics": [
// CHECK-NEXT:       {
// CHECK:              "message": "'prune.mask' op expects
// -----
{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{"textDocument":{"uri":"test:///good.mlir"},"position":{"line":1,"character":9}}}
//      CHECK: "id": 1
// CHECK: prune.mask
// -----
{"jsonrpc":"2.0","id":3,"method":"shutdown"}
// -----
{"jsonrpc":"2.0","method":"exit"}
