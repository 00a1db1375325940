"""ONNX Runtime as an oracle: a node process that answers model after model.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Needs the npm package onnxruntime-node where NODE_PATH finds it.
"""

import base64
import json
import os
import subprocess

import numpy as np


class NoAnswer(Exception):
    """ONNX Runtime refuses the model; the text is its own."""


class OnnxRuntime:
    def __init__(self):
        script = os.path.join(os.path.dirname(__file__), "onnxruntime.js")
        self.process = subprocess.Popen(
            ["node", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, path, inputs):
        """The outputs by name, in the model's order."""
        tensors = {
            name: {
                "type": str(array.dtype),
                "dims": list(array.shape),
                "data": base64.b64encode(np.ascontiguousarray(array)).decode(),
            }
            for name, array in inputs.items()
        }
        self.process.stdin.write(json.dumps({"model": path, "inputs": tensors}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"ONNX Runtime died on {path}")
        reply = json.loads(line)
        if "error" in reply:
            raise NoAnswer(reply["error"])
        return {
            output["name"]: np.frombuffer(
                base64.b64decode(output["data"]), output["type"]
            ).reshape(output["dims"])
            for output in reply["outputs"]
        }

    def close(self):
        self.process.stdin.close()
        self.process.wait()
