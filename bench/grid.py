#!/usr/bin/python3
"""The whole grid of products against dense ONNX Runtime, in minutes instead of hours.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/grid.py --tools=build/bin --work=work --compile
    bench/grid.py --tools=build/bin --work=work --json=grid.json
    bench/plot.py grid.json grid.svg

What matmul.py measures one weight at a time, with fewer compilations: the plan that the
cost model puts first is compiled for each shape, with the weight's buffers as arguments,
and dense ONNX Runtime, to which zeros mean nothing, is timed once per shape in each round.
A ratio is taken within a round; printed are the median of the rounds and their spread.
--compile makes the libraries and times nothing. Needs the target prune-kernel-plans, and
onnxruntime-node where NODE_PATH finds it.
"""

import argparse
import ctypes
import itertools
import json
import pathlib

import numpy as np

from calibrate import Plans, Product
from harness import Compiler, aligned, parse
from matmul import CASES, SHAPES, conclude, show, summary, to_panels
from peers import OnnxRuntime, announce_machine, settle_environment


class Ours:
    """The kernel of one case with its buffers."""

    def __init__(self, compiler, product, case, library):
        self.compiler, self.product, self.case = compiler, product, case
        self.plan = product.chosen[case][0]
        self.kernel = library[self.plan.key(product.m, product.k, product.n)]
        self.packed, self.buffers = product.plans.pack(product.weights[case], self.plan)

    def time(self, x, y, seconds):
        pointers = [*self.buffers, *(ctypes.c_void_p(a.ctypes.data) for a in (x, y))]
        array = (ctypes.c_void_p * 5)(*pointers)
        timer = self.compiler.library_of_timer.time_kernel
        return timer(self.kernel, array, ctypes.c_double(seconds))

    def free(self):
        self.product.plans.free(self.packed)


def measure(product, compiler, runtime, arguments):
    library = product.library(arguments, compiler)
    if arguments.compile:
        return []
    m, k, n = product.m, product.k, product.n
    ours = [Ours(compiler, product, case, library) for case in product.weights]
    x = np.random.default_rng(1).uniform(-1, 1, (k, n)).astype(np.float32)
    panel = max(max(side.plan.panel for side in ours), 1)
    inputs = {True: aligned(x.T.copy()), False: aligned(to_panels(x, panel))}
    y = aligned(np.zeros(inputs[False].shape[0] * panel * m, np.float32))
    dense, empty = runtime.sides(next(iter(product.weights.values())), n)
    rounds = []
    for _ in range(arguments.rounds):
        times = {"ort": dense.time(arguments.ort_seconds), "empty": empty.time(arguments.seconds)}
        for side in ours:
            times[side.case] = side.time(inputs[bool(side.plan.along_rows)], y, arguments.seconds)
            product.check(side.plan, product.weights[side.case], x, y, panel)
        rounds.append(times)
    # What a call through the binding costs is little, and the same in all rounds.
    overhead = min(r["empty"] for r in rounds)
    for r in rounds:
        r["ort"] = max(r["ort"] - overhead, 1e-9)
    rows = []
    for side in ours:
        pattern, sparsity = side.case.rsplit(":", 1)
        best = min(r[side.case] for r in rounds)
        nonzeros = int((product.weights[side.case] != 0).sum())
        plan = side.plan
        rows.append({
            "m": m, "k": k, "n": n, "pattern": pattern, "sparsity": float(sparsity), "nonzeros": nonzeros,
            "kernel": f"{plan.key(m, k, n).split('_')[0]}, tile = {plan.rows} x {plan.columns}, k_block = {plan.k_block}",
            "seconds": {"ours": best, "ort": min(r["ort"] for r in rounds)},
            "useful_gflops": 2 * nonzeros * n / best * 1e-9,
            "ort_over_ours": summary(rounds, side.case, "ort"),
        })  # fmt: skip
        side.free()
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="directory of libraries")
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--columns", default="1,64,128,256")
    parser.add_argument("--cases", default=CASES + ",16x1:0.5,16x1:0.8,16x1:0.9")
    parser.add_argument("--machine", type=pathlib.Path, help="choose with this file instead of what is built in")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.006, help="per kernel and round")
    parser.add_argument("--ort-seconds", type=float, default=0.06, help="of ONNX Runtime in a round")
    parser.add_argument("--compile", action="store_true", help="only make the libraries")
    parser.add_argument("--json", type=pathlib.Path)
    quick = {"shapes": "64x64", "columns": "64", "cases": "element:0,4x1:0.5", "rounds": 1, "ort_seconds": 0.01}
    arguments = parse(parser, quick)
    arguments.tools = arguments.tools.resolve()
    arguments.reach, arguments.most = 1.0, 1
    return arguments


def main():
    arguments = parse_arguments()
    settle_environment(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    plans = Plans(arguments.tools)
    compiler = Compiler(arguments.tools, arguments.llvm, arguments.work)
    compiler.library_of_timer.time_kernel.restype = ctypes.c_double
    runtime = None if arguments.compile else OnnxRuntime(arguments.work)
    machine = announce_machine(arguments.llvm, 1, runtime)
    rows = []
    for shape, n in itertools.product(arguments.shapes.split(","), arguments.columns.split(",")):
        m, k = map(int, shape.split("x"))
        found = measure(Product(arguments, plans, m, k, int(n)), compiler, runtime, arguments)
        rows += found
        for row in found:
            show(row)
        if arguments.json and rows:
            arguments.json.write_text(json.dumps({"machine": machine, "cases": rows}, indent=1) + "\n")
    if rows:
        conclude(rows)


if __name__ == "__main__":
    main()
