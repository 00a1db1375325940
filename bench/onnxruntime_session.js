// onnxruntime_session.js - How every benchmark runs ONNX Runtime
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One place for the settings of the peer, so that no two benchmarks compare with
// different ones.

const ort = require("onnxruntime-node");

/** Loads a model with the threads that PRUNE_BENCH_THREADS says, or one. */
exports.createSession = (path) =>
  ort.InferenceSession.create(path, {
    intraOpNumThreads: Number(process.env.PRUNE_BENCH_THREADS || 1),
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
  });
