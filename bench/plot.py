#!/usr/bin/python3
"""Draws what matmul.py measured: how many times faster than each peer, case by case, as SVG.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/plot.py grid.json grid.svg

The last name is the picture, those before are what was measured. A bar is the median over the products with 64 columns and more, a dot is one product, and
the line is where both sides are equally fast. The scale is logarithmic.
"""

import collections
import html
import json
import math
import statistics
import sys

COLORS = {"ort": "#4878a8", "stock": "#b0803c", "reference": "#888888", "openblas": "#6a9a58", "onednn": "#a05a8c"}
ROW, LEFT, WIDTH, TOP = 16, 150, 640, 40


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


def draw(cases, title):
    ratios = [r for peers in cases.values() for values in peers.values() for r in values]
    if not ratios:
        sys.exit("plot.py: no product with 64 columns and more and a peer")
    low = 2.0 ** math.floor(math.log2(min([*ratios, 0.9])))
    high = 2.0 ** math.ceil(math.log2(max([*ratios, 1.1])))
    x = lambda ratio: LEFT + WIDTH * math.log(ratio / low) / math.log(high / low)  # noqa: E731
    parts, y = [], TOP
    for name, peers in cases.items():
        parts.append(f'<text x="{LEFT - 8}" y="{y + ROW * len(peers) / 2 + 4}" text-anchor="end">{html.escape(name)}</text>')
        for peer, values in peers.items():
            color = COLORS.get(peer, "#444444")
            left, right = sorted((x(1), x(statistics.median(values))))
            parts.append(
                f'<rect x="{left:.1f}" y="{y + 2}" width="{right - left:.1f}" height="{ROW - 4}" fill="{color}">'
                f"<title>{html.escape(peer)}: {statistics.median(values):.2f}</title></rect>"
            )
            parts += [f'<circle cx="{x(v):.1f}" cy="{y + ROW / 2}" r="2" fill="#202020"/>' for v in values]
            y += ROW
        y += ROW // 2
    ratio = low
    while ratio <= high:
        width = 2 if ratio == 1 else 0.5
        parts.append(f'<line x1="{x(ratio):.1f}" x2="{x(ratio):.1f}" y1="{TOP - 6}" y2="{y}" stroke="#808080" stroke-width="{width}"/>')
        parts.append(f'<text x="{x(ratio):.1f}" y="{y + 14}" text-anchor="middle">{ratio:g}x</text>')
        ratio *= 2
    seen = dict.fromkeys(peer for peers in cases.values() for peer in peers)
    for i, peer in enumerate(seen):
        parts.append(f'<text x="{LEFT + 110 * i}" y="30" fill="{COLORS.get(peer, "#444444")}">{html.escape(peer)} / ours</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{y + 24}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n<text x="8" y="14">{html.escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rows = []
    for path in sys.argv[1:-1]:
        with open(path) as f:
            rows += json.load(f)["cases"]
    title = "Time of the peer over the time of our packed kernel, f32"
    with open(sys.argv[-1], "w") as f:
        f.write(draw(collect(rows), title))


if __name__ == "__main__":
    main()
