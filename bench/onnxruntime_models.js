// onnxruntime_models.js - Times whole models in ONNX Runtime on request
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Says its version, then reads lines `<model.onnx> <seconds>` and answers each with the shortest time of
// a run, in seconds. Inputs are what the model's signature says, open sizes 1,
// filled with random numbers. One session is kept per model.

const ort = require("onnxruntime-node");
const { createSession } = require("./onnxruntime_session.js");
const readline = require("readline");

const sessions = new Map();

function inputFor({ type, shape }) {
  const dims = shape.map((size) => (typeof size === "number" && size > 0 ? size : 1));
  const count = dims.reduce((a, b) => a * b, 1);
  if (type === "int64") {
    const data = BigInt64Array.from({ length: count }, () => BigInt(Math.floor(Math.random() * 60)));
    return new ort.Tensor("int64", data, dims);
  }
  const data = Float32Array.from({ length: count }, () => Math.random() - 0.5);
  return new ort.Tensor("float32", data, dims);
}

async function sessionOf(path) {
  if (!sessions.has(path)) {
    const session = await createSession(path);
    const feeds = {};
    for (const input of session.inputMetadata) feeds[input.name] = inputFor(input);
    for (let i = 0; i < 3; ++i) await session.run(feeds);
    sessions.set(path, { session, feeds });
  }
  return sessions.get(path);
}

(async () => {
  process.stdout.write(ort.env.versions.node + "\n");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [path, seconds] = line.trim().split(" ");
    const { session, feeds } = await sessionOf(path);
    let best = Infinity;
    const end = process.hrtime.bigint() + BigInt(Math.round(Number(seconds) * 1e9));
    do {
      const begin = process.hrtime.bigint();
      await session.run(feeds);
      best = Math.min(best, Number(process.hrtime.bigint() - begin) * 1e-9);
    } while (process.hrtime.bigint() < end);
    process.stdout.write(best + "\n");
  }
})();
