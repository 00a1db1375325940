#!/usr/bin/python3
"""Draws what matmul.py measured: how many times faster than each peer, case by case.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/plot.py grid.json grid.svg

The last name is the picture, in any format of matplotlib; those before are what was
measured. A bar is the median over the products with 64 columns and more, a dot is one
product. Both sides are equally fast at 1. The scale is logarithmic.
"""

import collections
import json
import statistics
import sys


def collect(rows):
    """Ratios by case and peer."""
    cases = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        if row["n"] < 64:
            continue
        for key, value in row.items():
            if key.endswith("_over_ours"):
                name = f"{row['pattern']} {row['sparsity']:.0%}"
                cases[name][key.removesuffix("_over_ours")].append(value[0])
    return cases


def draw(cases, path):
    try:
        import matplotlib
    except ImportError:
        sys.exit("plot.py: needs matplotlib (Debian: python3-matplotlib)")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    bars = [(name, peer, values) for name, peers in cases.items() for peer, values in peers.items()]
    if not bars:
        sys.exit("plot.py: no product with 64 columns and more and a peer")
    colors = {peer: f"C{i}" for i, peer in enumerate(dict.fromkeys(peer for _, peer, _ in bars))}
    figure, axes = pyplot.subplots(figsize=(8, 1 + 0.3 * len(bars)), layout="constrained")
    axes.set_xscale("log", base=2)
    for at, (_, peer, values) in enumerate(bars):
        median = statistics.median(values)
        axes.barh(at, median - 1, left=1, height=0.7, color=colors[peer])
        axes.plot(values, [at] * len(values), ".", color="black", markersize=3)
    axes.axvline(1, color="gray")
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:g}x")
    axes.grid(axis="x", linewidth=0.3)
    axes.set_title("Time of the peer over the time of our packed kernel, f32")
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()]
    axes.legend(handles, [f"{peer} / ours" for peer in colors], fontsize="small")
    figure.savefig(path)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rows = []
    for path in sys.argv[1:-1]:
        with open(path) as f:
            rows += json.load(f)["cases"]
    draw(collect(rows), sys.argv[-1])


if __name__ == "__main__":
    main()
