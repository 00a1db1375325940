// onnxruntime_peer.js - Times ONNX Runtime on request
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Says its version, then reads lines `<model.onnx> <rows> <columns> <seconds>` and
// answers each with the shortest time of a run, in seconds. One session is kept per
// model.

const ort = require("onnxruntime-node");
const { createSession } = require("./onnxruntime_session.js");
const readline = require("readline");

const sessions = new Map();

async function sessionOf(path, rows, columns) {
  if (!sessions.has(path)) {
    const session = await createSession(path);
    const data = Float32Array.from({ length: rows * columns }, () => Math.random() - 0.5);
    const x = new ort.Tensor("float32", data, [rows, columns]);
    for (let i = 0; i < 3; ++i) await session.run({ x });
    sessions.set(path, { session, x });
  }
  return sessions.get(path);
}

(async () => {
  process.stdout.write(ort.env.versions.node + "\n");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [path, rows, columns, seconds] = line.trim().split(" ");
    if (path === "forget") {
      for (const { session } of sessions.values()) await session.release();
      sessions.clear();
      continue;
    }
    const { session, x } = await sessionOf(path, Number(rows), Number(columns));
    let best = Infinity;
    const end = process.hrtime.bigint() + BigInt(Math.round(Number(seconds) * 1e9));
    do {
      const begin = process.hrtime.bigint();
      await session.run({ x });
      const elapsed = Number(process.hrtime.bigint() - begin) * 1e-9;
      best = Math.min(best, elapsed);
    } while (process.hrtime.bigint() < end);
    process.stdout.write(best + "\n");
  }
})();
