#!/usr/bin/python3
"""How long a layer takes to pack and to compile.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/compile_time.py --tools=build/bin --shapes=4096x4096 --cases=element:0.8

Three times of one product of an M x K weight with N columns, from bytecode:

- pack: the pass `prune-pack-weights`;
- passes: all passes down to the LLVM dialect, that one among them;
- total: what a process of prune-run takes beyond one that returns its input, less one
  call: reading, all passes, LLVM's optimiser and code generator, random input.

Each is the median of `--rounds` runs, with the lowest and the highest.

    bench/compile_time.py --shapes= --networks=residual:2000,dense:1746,unrolled:2000

With `--networks`, networks of that many nodes or, unrolled, steps (`bench/long_networks.py`)
and with `--models`, ONNX files, whose open sizes are 1: processor seconds, on all cores
together, of a process of prune-run for each kind of kernels. They say whether compilation
takes time in proportion to the network, and where other programs run as well they are
steadier than the time that passes.
"""

import argparse
import json
import pathlib
import re
import statistics
import tempfile
import time
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np

from harness import constant, fixed_sizes, parse, product, resources, run
from matmul import prune
from peers import announce_machine


def write_model(tools, path, w, n):
    (m, k), text = w.shape, path.with_suffix(".mlir")
    body = constant("w", "w", (m, k), "f32") + product(m, k, n)
    text.write_text(
        f"func.func @main(%a: tensor<{n}x{k}xf32>) -> tensor<{n}x{m}xf32> {{\n{body}"
        f"return %p : tensor<{n}x{m}xf32>\n}}\n" + resources(w=w)
    )
    run(tools / "prune-opt", text, "--emit-bytecode", "-o", path)
    text.unlink()


def pass_times(tools, path, kernels):
    """Seconds of packing and of all passes."""
    command = [tools / "prune-opt", path, f"--prune-lower-to-llvm=kernels={kernels}", "--emit-bytecode",
               "-o", "/dev/null", "--mlir-timing", "--mlir-timing-display=list"]  # fmt: skip
    report = run(*command, capture_output=True, text=True).stderr
    times = {name: float(s) for s, name in re.findall(r"^\s+([\d.]+) \([^)]*\)\s+(\S.*)$", report, re.M)}
    outside = times.get("Parser", 0) + times.get("Output", 0)
    return times.get("PackWeightsPass", 0), times["Total"] - outside


def process_time(tools, path, kernels):
    """Seconds of a process of prune-run without its one call."""
    begin = time.perf_counter()
    done = run(tools / "prune-run", path, f"--kernels={kernels}", "--json", capture_output=True, text=True)
    elapsed = time.perf_counter() - begin
    return elapsed - json.loads(done.stdout)["median_us"] * 1e-6


def measure(arguments, w, directory):
    large, small = directory / "large.mlirbc", directory / "small.mlir"
    write_model(arguments.tools, large, w, arguments.columns)
    small.write_text("func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> { return %x : tensor<1xf32> }\n")
    rounds = []
    for _ in range(arguments.rounds):
        pack, passes = pass_times(arguments.tools, large, arguments.kernels)
        total = process_time(arguments.tools, large, arguments.kernels)
        total -= process_time(arguments.tools, small, arguments.kernels)
        rounds.append({"pack": pack, "passes": passes, "total": total})
    times = {key: sorted(r[key] for r in rounds) for key in rounds[0]}
    return {key: [statistics.median(t), t[0], t[-1]] for key, t in times.items()}


def processor_time(*command):
    """Processor seconds of a command."""
    before = getrusage(RUSAGE_CHILDREN)
    run(*command, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_layers(arguments):
    for shape in filter(None, arguments.shapes.split(",")):
        for case in arguments.cases.split(","):
            m, k = map(int, shape.split("x"))
            pattern, sparsity = case.rsplit(":", 1)
            w = prune(pattern, float(sparsity), m, k, np.random.default_rng([m, k]))
            with tempfile.TemporaryDirectory() as directory:
                times = measure(arguments, w, pathlib.Path(directory))
            shown = "  ".join("{} {:.3f} s ({:.3f}-{:.3f})".format(key, *t) for key, t in times.items())
            print(f"{shape:12}{case:14}{shown}", flush=True)
            yield {"m": m, "k": k, "pattern": pattern, "sparsity": float(sparsity), **times}


def measure_network(arguments, model, sizes, directory):
    """Processor seconds of compiling an ONNX file, for each kind of kernels."""
    module = directory / "module.mlirbc"
    fixed = [f"--dim={name}={size}" for name, size in sizes.items()]
    run(arguments.tools / "prune-translate", "--import-onnx", model, *fixed, "-o", module)
    return {
        kernels: sorted(
            processor_time(arguments.tools / "prune-run", module, f"--kernels={kernels}")
            for _ in range(arguments.rounds)
        )
        for kernels in ("dense", "packed")
    }


def measure_networks(arguments):
    if not arguments.networks and not arguments.models:
        return
    import onnx
    from long_networks import NETWORKS

    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        cases = []
        for case in filter(None, arguments.networks.split(",")):
            name, count = case.split(":")
            onnx.save(NETWORKS[name](int(count)), directory / f"{name}{count}.onnx")
            cases.append((case, directory / f"{name}{count}.onnx", {}))
        cases += [(model.parent.name, model, fixed_sizes(model)) for model in arguments.models]
        for name, model, sizes in cases:
            times = measure_network(arguments, model, sizes, directory)
            shown = "  ".join(f"{k} {statistics.median(t):.2f} s ({t[0]:.2f}-{t[-1]:.2f})" for k, t in times.items())
            print(f"{name:40}{shown}", flush=True)
            yield {"network": name, **times}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--shapes", default="4096x4096")
    parser.add_argument("--cases", default="element:0.8")
    parser.add_argument("--columns", type=int, default=128)
    parser.add_argument("--kernels", default="packed")
    parser.add_argument("--networks", default="")
    parser.add_argument("--models", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    quick = {"shapes": "64x64", "networks": "residual:30,dense:30,perceptron:30,attention:30,unrolled:20", "rounds": 1}
    arguments = parse(parser, quick)
    arguments.tools = arguments.tools.resolve()
    machine = announce_machine(arguments.llvm, 1)
    rows = [*measure_layers(arguments), *measure_networks(arguments)]
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
