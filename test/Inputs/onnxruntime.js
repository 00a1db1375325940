// onnxruntime.js - Answers with what ONNX Runtime computes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads one JSON object per line: {model: path, inputs: {name: {type, dims, data}}},
// data in base64. Writes one per line: {outputs: [the same, with name]} in the
// model's order, or {error: message}. Graphs are not optimised: the reference is
// the operators' own definition.

const ort = require("onnxruntime-node");
const readline = require("readline");

ort.env.logLevel = "fatal";

const ARRAYS = {
  bool: Uint8Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
};

function toTensor({ type, dims, data }) {
  // A copy, because views must be aligned.
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  return new ort.Tensor(type, new ARRAYS[type](bytes.buffer), dims);
}

function fromTensor(name, tensor) {
  const { buffer, byteOffset, byteLength } = tensor.data;
  const data = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return { name, type: tensor.type, dims: Array.from(tensor.dims), data };
}

async function answer({ model, inputs }) {
  let session;
  try {
    session = await ort.InferenceSession.create(model, {
      graphOptimizationLevel: "disabled",
      executionMode: "sequential",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    const feeds = {};
    for (const name in inputs) feeds[name] = toTensor(inputs[name]);
    const results = await session.run(feeds);
    return { outputs: session.outputNames.map((name) => fromTensor(name, results[name])) };
  } catch (error) {
    return { error: String(error && error.message ? error.message : error) };
  } finally {
    if (session) await session.release();
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
  }
})();
