# REQUIRES: python-package
# RUN: %python %s
# RUN: %python %s --mask
# A second run found more heads in these.
# RUN: %python %s --seed=568 --count=4
"""Networks compute the same after their channels left.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Random networks (channeldrawing.py) with residual sums, concatenations, slices,
depthwise and grouped convolutions, normalisation, shuffles, flattening,
transposed and shared weights, several outputs, paddings with other numbers than
zero, padded maxima, resizes, pixel shuffles and unshuffles, one convolution on two
sizes of an image, channels picked by a table, calls, products of parts, attention,
recurrences, and operations over all channels.
Some filters, rows and columns of the weights are zero, with and without a bias.
`prune-remove-channels` shrinks them; the compiled result is compared with
numpy's evaluation of the original: `==` on small integers, within the computed
rounding bound on floats. A second run finds nothing more. At least a tenth of
all weights has to go.

With --mask, `prune-mask-channels` decides first, with options drawn at random.
numpy then evaluates the network with the masked weights, read from the IR, and
the compiled masked network has to agree as well.

PRUNE_CHANNEL_NETWORKS says how many networks each run draws; 100 by default.
A network that disagrees is cut to the fewest layers that do:

    channel-networks.py --seed=N --count=1 --limit=LAYERS --keep=FOLDER
"""

import argparse
import faulthandler
import os
import pathlib
import sys

import numpy as np
import prune

from channeldrawing import Drawing
from channelnets import ChannelNetwork
from mlirtext import Module, decode, read_resources

# LLVM's time grows faster than the size of a function.
PER_MODULE = 4


class Drawn:
    """A module with all networks of the seeds in one function."""

    def __init__(self, seeds, integers, alive, limit=None, held=None, answers=()):
        self.module, self.integers, self.owners = Module(), integers, []
        # Integers stay exact below 2^53: checked, not assumed.
        self.net = ChannelNetwork(self.module, "f64" if integers else "f32", held)
        self.answers, self.unbounded = [], set()
        for i, seed in enumerate(seeds):
            known = answers[i] if answers else None
            drawing = Drawing(self.net, seed, integers, alive, limit, known)
            drawing.draw()
            self.answers.append(drawing.answers)
            self.owners += [seed] * (len(self.net.outputs) - len(self.owners))
        self.net.finish()

    def inputs(self):
        dtype = np.float64 if self.integers else np.float32
        return [values.astype(dtype) for _, values in self.net.inputs]

    def disagreeing(self, results):
        """The seeds of results that are not what numpy computes."""
        bad = []
        for found, output, seed in zip(results, self.net.outputs, self.owners):
            assert found.shape == output.value.shape
            bound = 0 if self.integers else output.error
            if not np.isfinite(bound).all():
                self.unbounded.add(seed)
            if self.integers:
                assert abs(output.value).max(initial=0) < 2.0**50, f"{seed} is inexact"
            if np.isnan(found).any() or not (abs(found - output.value) <= bound).all():
                bad.append(seed)
        return bad


def results_of(module, drawn):
    results = module.compile()(*drawn.inputs())
    return results if isinstance(results, tuple) else (results,)


def size_of(text):
    return sum(len(data) for data in read_resources(text).values())


def held_in(text, type_name):
    """What a resource is after folding; its name is kept in front of '#'."""
    versions = {}
    for key, data in read_resources(text).items():
        versions.setdefault(key.split("#")[0], []).append(data)

    def held(key, stored):
        found = versions.get(key, [])
        assert len(found) < 2, f"{key} is masked in two ways"
        return decode(found[0], type_name, stored.shape) if found else stored

    return held


def draw_options(rng, integers):
    """Of the decision, as text. Merged weights are no integers any more."""
    criteria = ["l1", "l2", "random", "geometric-median", "scale"]
    options = {
        "ratio": rng.choice([0.25, 0.5, 0.75]),
        "criterion": rng.choice(criteria, p=[0.3, 0.2, 0.2, 0.2, 0.1]),
        "scope": rng.choice(["local", "global", "isomorphic"]),
        "merge": "false" if integers else rng.choice(["true", "false"]),
        "round-to": rng.choice([1, 1, 2]),
        "min-channels": rng.choice([1, 2]),
        "max-ratio": rng.choice([1.0, 0.5]),
        "reshape": rng.choice(["outer", "inner"]),
    }
    return " ".join(f"{name}={value}" for name, value in options.items())


def check(seeds, integers, options):
    """Returns the seeds that disagree, sizes before and after, and the number of
    seeds some of whose results could be anything."""
    rng = np.random.default_rng(seeds[0] // PER_MODULE)
    alive = options.mask and rng.random() < 0.7
    drawn = Drawn(seeds, integers, alive, options.limit)
    files = {"before": drawn.module.text()}
    module = prune.Module.parse(files["before"])
    bad = []
    if options.mask:
        decision = f"prune-mask-channels{{{draw_options(rng, integers)}}}"
        module.run(f"{decision},prune-fold-masks")
        files["masked"] = str(module)
        assert "prune.apply" not in files["masked"], f"not folded: {decision}"
        held = held_in(files["masked"], drawn.net.type)
        drawn = Drawn(seeds, integers, alive, options.limit, held, drawn.answers)
        bad += drawn.disagreeing(results_of(module, drawn))
    old = size_of(str(module))
    module.run("prune-remove-channels")
    files["after"] = str(module)
    if options.keep:
        for name, text in files.items():
            (options.keep / f"{name}.mlir").write_text(text)
    bad += drawn.disagreeing(results_of(module, drawn))
    module.run("prune-remove-channels")
    if str(module) != files["after"]:
        print(f"a second run finds more: --seed={seeds[0]}")
        bad += seeds
    return sorted(set(bad)), old, size_of(files["after"]), len(drawn.unbounded)


def reduce_failure(seed, integers, options):
    """The fewest layers with which a seed disagrees."""
    for limit in range(10):
        options.limit = limit
        if check([seed], integers, options)[0]:
            return limit
    return None


def main():
    parser = argparse.ArgumentParser()
    count = int(os.environ.get("PRUNE_CHANNEL_NETWORKS", 100))
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--mask", action="store_true", help="decide first")
    parser.add_argument("--limit", type=int, help="of layers in each network")
    parser.add_argument("--keep", type=pathlib.Path, help="where to leave files")
    parser.add_argument("--verbose", action="store_true", help="say what is next")
    options = parser.parse_args()
    faulthandler.enable()
    bad, before, after, unbounded = [], 0, 0, 0
    last = options.seed + options.count
    for first in range(options.seed, last, PER_MODULE):
        seeds = list(range(first, min(first + PER_MODULE, last)))
        if options.verbose:
            print(f"--seed={first} --count={len(seeds)}", flush=True)
        faulthandler.dump_traceback_later(300, exit=True)
        integers = first // PER_MODULE % 4 != 3
        wrong, old, new, unknown = check(seeds, integers, options)
        unbounded += unknown
        bad += [(seed, integers) for seed in wrong]
        before, after = before + old, after + new
    faulthandler.cancel_dump_traceback_later()
    print(
        f"{options.count} networks, {before} bytes of weights before, {after} after; "
        f"{unbounded} without a finite bound"
    )
    for seed, integers in bad:
        limit = options.limit or reduce_failure(seed, integers, options)
        print(f"differs: --seed={seed} --count=1 --limit={limit}")
    if options.count >= PER_MODULE:
        assert after < 0.95 * before, "hardly anything was removed"
        assert unbounded <= max(1, options.count // 50), "bounds say too little"
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
