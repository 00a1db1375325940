#!/usr/bin/python3
"""How long the channel passes take on long networks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/channel_scale.py --tools=build/bin --operations=10000,20000,40000

Networks of matmul, bias, relu and, every fourth layer, a residual sum, of the given
numbers of operations. Printed are the passes' own times, without reading and writing
the file: the median of `--rounds` runs, the lowest and the highest.

- groups: prune-print-channel-groups, which is the analysis and its text;
- mask: prune-mask-channels with half of the channels, and prune-fold-masks;
- remove: prune-remove-channels on the masked network;
- dead: prune-remove-channels on a network whose result is unused;
- arguments: groups of a network whose weights are arguments, of which there are none.
"""

import argparse
import json
import pathlib
import re
import statistics
import tempfile

import numpy as np

from harness import parse, resources, run
from peers import announce_machine

WIDTH = 8
HEAD = """#row = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
"""
T = f"tensor<1x{WIDTH}xf32>"
PASSES = {
    "groups": ["PrintChannelGroupsPass"],
    "mask": ["MaskChannelsPass", "FoldMasksPass"],
    "remove": ["RemoveChannelsPass"],
}


def elementwise(name, operands, body):
    maps = ", ".join("#column" if "%b" in o else "#row" for o in operands)
    types = ", ".join(f"tensor<{WIDTH}xf32>" if "%b" in o else T for o in operands)
    arguments = ", ".join(f"%a{i}: f32" for i in range(len(operands) + 1))
    return (
        f'{name} = linalg.generic {{indexing_maps = [{maps}, #row], iterator_types = ["parallel", "parallel"]}}'
        f" ins({', '.join(operands)} : {types}) outs(%e : {T}) {{\n^bb0({arguments}):\n{body}\n"
        f"linalg.yield %r : f32\n}} -> {T}\n"
    )


def network(operations, is_dead=False, has_constants=True):
    """A function of about that many operations; returns its text and their number."""
    rng = np.random.default_rng(operations)
    text = [f"%e = tensor.empty() : {T}\n%z = arith.constant dense<0.0> : {T}\n%f = arith.constant 0.0 : f32\n"]
    constants, value, skip, count, layer = {}, "%x", "%x", 3, 0
    while count < operations:
        w, b, n = f"w{layer}", f"b{layer}", layer
        constants[w] = rng.normal(size=(WIDTH, WIDTH)).astype(np.float32)
        constants[b] = rng.normal(size=WIDTH).astype(np.float32)
        if has_constants:
            text.append(f"%{w} = arith.constant dense_resource<{w}> : tensor<{WIDTH}x{WIDTH}xf32>\n")
            text.append(f"%{b} = arith.constant dense_resource<{b}> : tensor<{WIDTH}xf32>\n")
        text.append(
            f"%m{n} = linalg.matmul ins({value}, %{w} : {T}, tensor<{WIDTH}x{WIDTH}xf32>) outs(%z : {T}) -> {T}\n"
        )
        text.append(elementwise(f"%s{n}", [f"%m{n}", f"%{b}"], "%r = arith.addf %a0, %a1 : f32"))
        text.append(elementwise(f"%r{n}", [f"%s{n}"], "%r = arith.maximumf %a0, %f : f32"))
        value, count, layer = f"%r{n}", count + 5, layer + 1
        if layer % 4 == 0:
            text.append(elementwise(f"%t{n}", [value, skip], "%r = arith.addf %a0, %a1 : f32"))
            value = skip = f"%t{n}"
            count += 1
    result = "%x" if is_dead else value
    arguments = f"%x: {T}"
    if not has_constants:
        types = (f"%{k}: tensor<{'x'.join(map(str, v.shape))}xf32>" for k, v in constants.items())
        arguments, constants = ", ".join([arguments, *types]), {}
    head = f"{HEAD}func.func @main({arguments}) -> {T} {{\n"
    return f"{head}{''.join(text)}return {result} : {T}\n}}\n" + resources(**constants), count


def times_of(tools, source, target, *passes):
    """Seconds of each pass."""
    command = [tools / "prune-opt", source, *passes, "-o", target, "--emit-bytecode"]
    done = run(*command, "--mlir-timing", "--mlir-timing-display=list", capture_output=True, text=True)
    found = re.findall(r"^\s+([\d.]+) \([^)]*\)\s+(\S.*)$", done.stderr, re.M)
    return {name: float(seconds) for seconds, name in found}


def measure(tools, directory, operations):
    live, dead, masked, free = (directory / f"{name}.mlir" for name in ("live", "dead", "masked", "free"))
    text, count = network(operations)
    live.write_text(text)
    dead.write_text(network(operations, is_dead=True)[0])
    free.write_text(network(operations, has_constants=False)[0])
    mask = ["--prune-mask-channels=ratio=0.5", "--prune-fold-masks"]
    found = times_of(tools, live, "/dev/null", "--prune-print-channel-groups")
    found.update(times_of(tools, live, masked, *mask))
    found.update(times_of(tools, masked, "/dev/null", "--prune-remove-channels"))
    times = {name: sum(found[p] for p in passes) for name, passes in PASSES.items()}
    times["dead"] = times_of(tools, dead, "/dev/null", "--prune-remove-channels")["RemoveChannelsPass"]
    times["arguments"] = times_of(tools, free, "/dev/null", "--prune-print-channel-groups")["PrintChannelGroupsPass"]
    return count, times


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--operations", default="10000,20000,40000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parse(parser, {"operations": "200,400", "rounds": 1})
    machine = announce_machine(arguments.llvm, 1)
    rows = []
    for operations in map(int, arguments.operations.split(",")):
        with tempfile.TemporaryDirectory() as directory:
            runs = [
                measure(arguments.tools.resolve(), pathlib.Path(directory), operations)
                for _ in range(arguments.rounds)
            ]
        count = runs[0][0]
        row = {"operations": count}
        for name in runs[0][1]:
            seconds = sorted(times[name] for _, times in runs)
            row[name] = [statistics.median(seconds), seconds[0], seconds[-1]]
        rows.append(row)
        shown = "  ".join("{} {:.2f} s ({:.2f}-{:.2f})".format(k, *v) for k, v in row.items() if k != "operations")
        print(f"{count:8} operations  {shown}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
