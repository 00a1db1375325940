#!/usr/bin/python3
"""Products with pruned weights: our kernels beside dense ONNX Runtime and the stock sparsifier.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/matmul.py --tools=build/bin --shapes=512x512 --columns=64,256 --json=out.json

Each case is one weight of M rows and K columns, pruned at random in a pattern, times an
activation of N columns, in f32 on one thread or `--threads`. The sides are timed in turn, several rounds,
each side for a short while; a round's time is its shortest call and the ratio of a round is
taken within it. What is printed is the median of the rounds' ratios and their spread.

- ours: the kernel that the cost model chose, with the activation in the kernel's own layout.
  `edges` is what bringing a row-major activation to that layout and back would cost.
- ort: ONNX Runtime's dense MatMul through onnxruntime-node (installed with
  `npm install --ignore-scripts onnxruntime-node` where NODE_PATH finds it), less the time of
  a model that only copies an output of the same size.
- stock: `mlir-opt --sparsifier` on the weight as CSR, packed at compile time.
- one-thread: our kernel on one thread, if ours has several.
- openblas, onednn, reference: see peers.py.

The first lines, and `machine` in the JSON file, say what was measured with what.
"""

import argparse
import itertools
import json
import pathlib
import re
import statistics
import tempfile

import numpy as np

from harness import BUFFERS, LOOPS, Compiler, Side, check, constant, entry, parse, product, resources
from peers import Library, OnnxRuntime, announce_machine, reference, settle_environment, stock

PEERS = ["one-thread", "ort", "stock", "reference", "openblas", "onednn"]
SHAPES = "512x512,768x768,3072x768,768x3072,1024x1024,4096x4096"
CASES = "element:0,element:0.5,element:0.7,element:0.8,element:0.9,element:0.95,2:4:0.5,4x1:0.5,4x1:0.8,4x1:0.9"


def prune(pattern, sparsity, m, k, rng):
    """A weight of ones and twos where the mask keeps it: `element`, `RxC` or `N:M`."""
    w = rng.uniform(0.5, 1.0, (m, k)).astype(np.float32)
    if ":" in pattern:
        n, of = map(int, pattern.split(":"))
        ranks = rng.random((m, -(-k // of), of)).argsort(2).argsort(2)
        return w * (ranks.reshape(m, -1)[:, :k] < n)
    rows, columns = (1, 1) if pattern == "element" else map(int, pattern.split("x"))
    keep = rng.random((-(-m // rows), -(-k // columns))) >= sparsity
    return w * keep.repeat(rows, 0).repeat(columns, 1)[:m, :k]


def to_panels(x, panel):
    k, n = x.shape
    padded = np.zeros((k, -(-n // panel) * panel), x.dtype)
    padded[:, :n] = x
    return padded.reshape(k, -1, panel).transpose(1, 0, 2).copy()


def from_panels(panels, n):
    return panels.transpose(1, 0, 2).reshape(panels.shape[1], -1)[:, :n]


def ours(compiler, w, x, options, name="ours", threads=1):
    """The packed kernel in its own layout, and the change of layouts on its own."""
    options = f"{options} threads={threads}"
    (m, k), n = w.shape, x.shape[1]
    weight = constant("w", "w", (m, k), "f32")
    plain = f"%a = tensor.cast %t : tensor<{n}x{k}xf32> to tensor<{n}x{k}xf32>\n"
    body = weight + plain + product(m, k, n)
    body += f"%r = tensor.cast %p : tensor<{n}x{m}xf32> to tensor<{n}x{m}xf32>\n"
    text = entry(body, f"{n}x{k}", f"{n}x{m}") + resources(w=w)
    passes = [f"--prune-pack-weights={options}", "--canonicalize"]
    packed = compiler.prune_opt(text, *passes, "--mlir-elide-resource-strings-if-larger=64")
    attribute = re.search(r"packed_matmul <([^>]*)>", packed).group(1)
    panels = re.search(r"input\([^:]*: tensor<(\d+)x\d+x(\d+)xf32>\)", packed)
    edges = None
    if panels:
        # Panels in, panels out: the layouts cancel and the product is left.
        count, panel = map(int, panels.groups())
        px, py = f"{count}x{k}x{panel}", f"{count}x{m}x{panel}"
        body = (
            f"%e0 = tensor.empty() : tensor<{n}x{k}xf32>\n"
            f"%a = prune.unpack_panels %t into %e0 : tensor<{px}xf32> into tensor<{n}x{k}xf32>"
            f" -> tensor<{n}x{k}xf32>\n"
            + weight
            + product(m, k, n)
            + f"%e1 = tensor.empty() : tensor<{py}xf32>\n"
            f"%r = prune.pack_panels %p into %e1 : tensor<{n}x{m}xf32> into tensor<{py}xf32>"
            f" -> tensor<{py}xf32>\n"
        )
        text = entry(body, px, py) + resources(w=w)
        x_ours, y_ours = to_panels(x, panel), np.zeros((count, m, panel), np.float32)
        edges = layout_sides(compiler, m, k, n, count, panel)
    else:
        x_ours, y_ours = x.T.copy(), np.zeros((n, m), np.float32)
    lowered = compiler.prune_opt(
        text, *passes, *BUFFERS, f"--convert-prune-packed-to-vector=threads={threads}", *LOOPS
    )
    library = compiler.library(name, lowered, threads)
    side = Side(compiler, library.kernel, x_ours, y_ours)
    result = from_panels(side.call(), n) if panels else side.call().T
    check(result, w, x, "ours")
    return side, edges, attribute


def layout_sides(compiler, m, k, n, count, panel):
    sides = []
    for f, name in ((k, "pack"), (m, "unpack")):
        plain, panels = f"{n}x{f}", f"{count}x{f}x{panel}"
        source, target = (plain, panels) if name == "pack" else (panels, plain)
        body = (
            f"%e = tensor.empty() : tensor<{target}xf32>\n"
            f"%r = prune.{name}_panels %t into %e : tensor<{source}xf32> into tensor<{target}xf32>"
            f" -> tensor<{target}xf32>\n"
        )
        lowered = compiler.prune_opt(
            entry(body, source, target), *BUFFERS, "--convert-prune-packed-to-vector", *LOOPS
        )
        shape = lambda s: np.zeros([int(d) for d in s.split("x")], np.float32)  # noqa: E731
        sides.append(
            Side(compiler, compiler.library(name, lowered).kernel, shape(source), shape(target))
        )
    return sides


class Both:
    """Two sides timed as one."""

    def __init__(self, sides):
        self.sides = sides

    def time(self, seconds):
        return sum(side.time(seconds / len(self.sides)) for side in self.sides)


def measure(sides, rounds, seconds):
    """The sides' times, round by round."""
    return [{name: side.time(seconds) for name, side in sides.items()} for _ in range(rounds)]


def summary(rounds, side, base):
    """Median, lowest and highest ratio of `base` to `side`."""
    ratios = sorted(r[base] / r[side] for r in rounds)
    return [statistics.median(ratios), ratios[0], ratios[-1]]


def bench_case(compiler, runtime, libraries, arguments, m, k, n, pattern, sparsity):
    rng = np.random.default_rng([m, k, n, int(sparsity * 100)])
    w = prune(pattern, sparsity, m, k, rng)
    x = rng.uniform(-1, 1, (k, n)).astype(np.float32)
    sides = {}
    threads = arguments.threads
    sides["ours"], edges, attribute = ours(compiler, w, x, arguments.options, threads=threads)
    if threads > 1:
        sides["one-thread"], _, _ = ours(compiler, w, x, arguments.options, "one-thread")
    if edges:
        sides["edges"] = Both(edges)
    if runtime:
        sides["ort"], sides["empty"] = runtime.sides(w, n)
    if arguments.stock and sparsity > 0:
        sides["stock"] = stock(compiler, w, x)
    if arguments.reference:
        sides["reference"] = reference(compiler, w, x)
    for name, library in libraries.items():
        sides[name] = library.side(compiler, w, x)
    rounds = measure(sides, arguments.rounds, arguments.seconds)
    nonzeros = int((w != 0).sum())
    best = {name: min(r[name] for r in rounds) for name in sides}
    row = {
        "m": m, "k": k, "n": n, "pattern": pattern, "sparsity": sparsity, "kernel": attribute,
        "nonzeros": nonzeros, "seconds": best, "useful_gflops": 2 * nonzeros * n / best["ours"] * 1e-9,
    }  # fmt: skip
    if runtime:
        for r in rounds:
            r["ort"] = max(r["ort"] - r["empty"], 1e-9)
    for name in PEERS:
        if name in sides:
            row[f"{name}_over_ours"] = summary(rounds, "ours", name)
    return row


def show(row):
    def ratio(name):
        key = f"{name}_over_ours"
        return "  {}/ours {:6.2f} ({:.2f}-{:.2f})".format(name, *row[key]) if key in row else ""

    kernel = row["kernel"].split(",")[0] + re.sub(r".*(tile = \d+ x \d+).*", r" \1", row["kernel"])
    edges = row["seconds"].get("edges", 0)
    print(
        f"{row['m']:5}x{row['k']:<5}{row['n']:4} {row['pattern']:8}{row['sparsity']:5.2f} "
        f"{kernel:26} {row['seconds']['ours'] * 1e6:10.1f} us {row['useful_gflops']:6.1f} GF "
        f"edges {edges * 1e6:8.1f} us" + "".join(map(ratio, PEERS)),
        flush=True,
    )


def conclude(rows):
    """Medians over the shapes with 64 columns and more, by pattern and sparsity."""
    print("\nmedian over shapes with 64 columns and more")
    wide = [r for r in rows if r["n"] >= 64]
    key = lambda r: (r["pattern"], r["sparsity"])  # noqa: E731
    for group, members in itertools.groupby(sorted(wide, key=key), key):
        members = list(members)
        line = f"{group[0]:8} {group[1]:4.2f}"
        for name in (f"{peer}_over_ours" for peer in PEERS):
            ratios = [r[name][0] for r in members if name in r]
            if ratios:
                line += f"  {name} {statistics.median(ratios):6.2f}"
                line += f" (geometric mean {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f})"
        print(line)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--columns", default="1,64,128,256")
    parser.add_argument("--cases", default=CASES)
    parser.add_argument("--options", default="", help="options of prune-pack-weights")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.03,
                        help="per side and round; 0.2 with several threads, which need time to spread")  # fmt: skip
    parser.add_argument("--no-ort", action="store_true")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--reference", action="store_true", help="our reference lowering, too")
    parser.add_argument("--openblas", action="store_true", help="needs libopenblas-dev")
    parser.add_argument("--onednn", action="store_true", help="needs libdnnl-dev")
    parser.add_argument("--threads", type=int, default=1, help="of our kernels and the dense peers")
    parser.add_argument("--json", type=pathlib.Path)
    quick = {"shapes": "64x64", "columns": "64", "cases": "element:0.5", "rounds": 1, "seconds": 0.001}
    return parse(parser, quick)


def main():
    arguments = parse_arguments()
    settle_environment(arguments.threads)
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        runtime = None if arguments.no_ort else OnnxRuntime(directory)
        names = [name for name in ("openblas", "onednn") if getattr(arguments, name)]
        libraries = {name: Library(name, arguments.llvm, directory) for name in names}
        machine = announce_machine(arguments.llvm, arguments.threads, runtime, libraries)
        for shape, n, case in itertools.product(
            arguments.shapes.split(","), arguments.columns.split(","), arguments.cases.split(",")
        ):
            m, k = map(int, shape.split("x"))
            pattern, sparsity = case.rsplit(":", 1)
            # A fresh directory: a library that is loaded must not be overwritten.
            with tempfile.TemporaryDirectory(dir=directory) as place:
                compiler = Compiler(arguments.tools.resolve(), arguments.llvm, pathlib.Path(place))
                row = bench_case(compiler, runtime, libraries, arguments, m, k, int(n), pattern, float(sparsity))
            rows.append(row)
            show(row)
            # Each time: a long run that is stopped has not been in vain.
            if arguments.json:
                text = json.dumps({"machine": machine, "cases": rows}, indent=1)
                arguments.json.write_text(text + "\n")
    conclude(rows)


if __name__ == "__main__":
    main()
