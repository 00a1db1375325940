#!/usr/bin/python3
"""Networks that lost channels, exported, beside the original in ONNX Runtime.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/channels.py prepare --tools=build/bin --out=sweep model.onnx --ratios=0.25,0.5 --round-to=8
    bench/channels.py time --out=sweep --rounds=7 --seconds=0.3 --plot=sweep.svg

`prepare` imports, masks the given share of every group's channels (l2), removes them and
exports; it writes <name>-<ratio>.onnx to the folder --out, and <name>-0.onnx, the original. `time` runs the
models there in ONNX Runtime on one thread (onnxruntime-node, where NODE_PATH finds it), in turn,
several rounds, each for a short while; a round's time is its shortest call and its ratio is taken
within it. What is printed is the median of the ratios original / pruned and their spread, and
whether any step of the ratio was slower than the one before.
"""

import argparse
import collections
import pathlib
import re
import statistics
import subprocess
import sys

from harness import parse

BENCH = pathlib.Path(__file__).resolve().parent


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[:2000]}")


def prepare(options):
    tools, out = pathlib.Path(options.tools), pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    for model in map(pathlib.Path, options.models):
        name = model.stem if model.stem != "model" else model.parent.name
        imported = out / f"{name}.mlirbc"
        run(tools / "prune-translate", "--import-onnx", model, "-o", imported)
        (out / f"{name}-0.onnx").write_bytes(model.read_bytes())
        for ratio in options.ratios.split(","):
            decide = f"ratio={ratio} round-to={options.round_to} {options.decide}"
            after, target = out / f"{name}-{ratio}.mlirbc", out / f"{name}-{ratio}.onnx"
            passes = [f"--prune-mask-channels={decide}", "--prune-fold-masks"]
            passes += ["--prune-remove-channels", "--emit-bytecode"]
            run(tools / "prune-opt", imported, *passes, "-o", after)
            command = [tools / "prune-translate", "--export-onnx", f"--template={model}"]
            run(*command, after, "-o", target)
            sizes = [path.stat().st_size for path in (model, target)]
            print(f"{name} {ratio}: {sizes[0]} -> {sizes[1]} bytes", flush=True)


class Runtime:
    def __init__(self):
        self.process = subprocess.Popen(
            ["node", BENCH / "onnxruntime_models.js"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self.process.stdout.readline().strip()
        if not self.version:
            sys.exit("ONNX Runtime cannot be loaded: NODE_PATH must lead to onnxruntime-node")

    def time(self, path, seconds):
        self.process.stdin.write(f"{path} {seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"ONNX Runtime does not run {path}")
        return float(line)


def plot(path, curves):
    """Time relative to the original over the ratio of removed channels, as SVG."""
    width, height, left, bottom = 640, 400, 60, 50
    top = 1.1 * max(1.0, *(y for curve in curves.values() for _, y in curve))
    x_of = lambda x: left + x * (width - left - 150)
    y_of = lambda y: (height - bottom) * (1 - y / top) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for tick in range(0, 11, 2):
        value = tick / 10
        parts.append(f'<text x="{x_of(value):.0f}" y="{height - 22}" text-anchor="middle">{value}</text>')
        parts.append(f'<line x1="{left}" x2="{x_of(1):.0f}" y1="{y_of(value):.1f}" '
                     f'y2="{y_of(value):.1f}" stroke="#ddd"/>')  # fmt: skip
        parts.append(f'<text x="{left - 8}" y="{y_of(value) + 4:.1f}" text-anchor="end">{value}</text>')
    parts.append(f'<text x="{x_of(0.5):.0f}" y="{height - 5}" text-anchor="middle">'
                 "ratio of channels removed</text>")  # fmt: skip
    parts.append(f'<text x="8" y="{y_of(top / 2):.0f}" transform="rotate(-90 14 {y_of(top / 2):.0f})" '
                 'text-anchor="middle">time, original = 1</text>')  # fmt: skip
    for number, (name, curve) in enumerate(curves.items()):
        color = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"][number % 4]
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="{color}"/>' for x, y in curve]
        x, y = curve[-1]
        parts.append(f'<text x="{x_of(x) + 8:.1f}" y="{y_of(y) + 4:.1f}" fill="{color}">{name}</text>')
    pathlib.Path(path).write_text("\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def measure(options):
    models = collections.defaultdict(dict)
    for path in sorted(pathlib.Path(options.out).glob("*.onnx")):
        name, ratio = re.fullmatch(r"(.*)-([\d.]+)", path.stem).groups()
        models[name][float(ratio)] = path
    runtime, curves = Runtime(), {}
    for name, paths in models.items():
        times = collections.defaultdict(list)
        for _ in range(options.rounds):
            for ratio, path in sorted(paths.items()):
                times[ratio].append(runtime.time(path, options.seconds))
        curves[name], last = [], None
        for ratio, seconds in sorted(times.items()):
            gains = [a / b for a, b in zip(times[0.0], seconds)]
            best = statistics.median(seconds)
            slower = last is not None and best > last * 1.02
            print(f"{name} {ratio:5.3f}: {best * 1e6:9.1f} us, {statistics.median(gains):5.2f} times "
                  f"faster ({min(gains):.2f} to {max(gains):.2f})"
                  + (" SLOWER than the step before" if slower else ""), flush=True)  # fmt: skip
            curves[name].append((ratio, 1 / statistics.median(gains)))
            last = best
    if options.plot:
        plot(options.plot, curves)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    make = commands.add_parser("prepare")
    make.add_argument("models", nargs="+")
    make.add_argument("--tools", default="build/bin")
    make.add_argument("--out", required=True)
    make.add_argument("--ratios", default="0.5")
    make.add_argument("--round-to", default="1")
    make.add_argument("--decide", default="", help="more options of prune-mask-channels")
    make.set_defaults(run=prepare)
    clock = commands.add_parser("time")
    clock.add_argument("--out", required=True)
    clock.add_argument("--rounds", type=int, default=7)
    clock.add_argument("--seconds", type=float, default=0.3)
    clock.add_argument("--plot")
    clock.set_defaults(run=measure)
    options = parse(parser, {"rounds": 1, "seconds": 0.001}, clock)
    options.run(options)


if __name__ == "__main__":
    main()
