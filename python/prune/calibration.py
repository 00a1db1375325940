"""Prune modules on data: methods of `prune.Module`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Data is one array for each argument of the network, with samples along dimension 0;
of a network with one argument, the array alone. Calibration data must come from
training data: accuracies on samples that a network was calibrated on say nothing.
"""

import json
import os
import tempfile

import numpy

from ._prune import Error


def _listed(arrays):
    """An array for each argument; one array alone is that of the only one."""
    several = isinstance(arrays, (list, tuple)) and len(arrays) and hasattr(arrays[0], "shape")
    return list(arrays) if several else [arrays]


class Files:
    """Arrays as files, as long as a pass reads them."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="prune-")
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, suffix):
        self.count += 1
        return os.path.join(self.folder.name, f"{self.count}{suffix}")

    def save(self, arrays):
        """The names of files for an array or a sequence of them."""
        if arrays is None:
            return []
        names = []
        for array in _listed(arrays):
            names.append(self.path(".npy"))
            numpy.save(names[-1], numpy.ascontiguousarray(array))
        return names


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_text(v) for v in value)
    if isinstance(value, dict):
        return ",".join(f"{name}:{number}" for name, number in value.items())
    return str(value)


def _pipeline(name, options):
    """A pass with those of its options that are given."""
    words = []
    for key, value in options.items():
        if value is None or value == [] or value == {}:
            continue
        text = _text(value)
        if any(c in text for c in " {}'\"") and not isinstance(value, (list, tuple)):
            text = "'" + text + "'"
        words.append(f"{key.replace('_', '-')}={text}")
    return name + "{" + " ".join(words) + "}"


def _count(arrays):
    shape = numpy.shape(_listed(arrays)[0])
    return max(int(shape[0]), 1) if shape else 1


def reconstruct(self, data, *, sparsity=None, pattern="element", targets=None, **options):
    """Prunes weights so that layers keep their outputs on `data`.

    As the pass `prune-reconstruct-weights`, whose options are the keywords. All
    samples are used.
    """
    with Files() as files:
        names = files.save(data)
        self.run(
            _pipeline(
                "prune-reconstruct-weights",
                {
                    "data": names,
                    "samples": _count(data),
                    "sparsity": sparsity,
                    "pattern": pattern,
                    "targets": targets,
                    **options,
                },
            )
        )


def sensitivity(self, data, labels=None, **options):
    """What the network loses by the sparsity of each layer alone.

    Returns the table that the pass `prune-measure-sensitivity` writes: a dictionary
    with `layers`, each with `levels`.
    """
    with Files() as files:
        output = files.path(".json")
        self.clone().run(
            _pipeline(
                "prune-measure-sensitivity",
                {
                    "data": files.save(data),
                    "samples": _count(data),
                    "labels": files.save(labels),
                    "output": output,
                    **options,
                },
            )
        )
        with open(output, encoding="utf-8") as file:
            return json.load(file)


def score_channels(self, data, **options):
    """Observes what layers miss without each channel, as `prune-score-channels`."""
    with Files() as files:
        self.run(
            _pipeline(
                "prune-score-channels",
                {"data": files.save(data), "samples": _count(data), **options},
            )
        )


def refit(self, data, reference, **options):
    """Gives what is left of a pruned network new values, as `prune-refit-weights`.

    `reference` is the dense module.
    """
    with Files() as files:
        dense = files.path(".mlirbc")
        with open(dense, "wb") as file:
            file.write(reference.bytecode())
        self.run(
            _pipeline(
                "prune-refit-weights",
                {
                    "data": files.save(data),
                    "samples": _count(data),
                    "reference": dense,
                    **options,
                },
            )
        )


def _compress_by(module, options, table, metric, max_drop, steps=6):
    """The least budget that bisection finds with which a metric of the caller's holds."""
    best = float(metric(module.compile()))
    kind, _, least = str(options.pop("budget", None) or "params:0.01").partition(":")
    low, high = float(least), 1.0
    found, tried = None, []
    for step in range(steps + 1):
        budget = low if step == 0 else (low + high) / 2
        trial = module.clone()
        try:
            trial.run(
                _pipeline(
                    "prune-compress-weights",
                    {**options, "budget": f"{kind}:{budget}", "table": table},
                )
            )
        except Error:
            if step:
                raise
            # The levels do not go so far.
            low = budget
            continue
        drop = best - float(metric(trial.compile()))
        tried.append((budget, drop))
        if drop <= max_drop:
            found, high = f"{kind}:{budget}", budget
            if step == 0:
                break
        else:
            low = budget
    if found is None:
        least = min(tried, key=lambda entry: entry[1], default=None)
        raise Error(
            f"no network that loses anything stays within a drop of {max_drop}"
            + (f"; with a budget of {least[0]:g} the drop is {least[1]:g}" if least else "")
        )
    return found


def compress(
    self,
    data,
    labels=None,
    *,
    budget=None,
    max_drop=None,
    metric="accuracy",
    eval_data=None,
    eval_labels=None,
    **options,
):
    """Prunes as far as a budget or a bound on the loss says.

    As the pass `prune-compress-weights`, whose options are the keywords. `budget` is
    "params:0.2", "macs:0.2" or "latency:0.5". `metric` may also be a function that
    takes a `prune.Program` and returns a number that is better if it is greater;
    `max_drop` bounds how far it falls.
    """
    with Files() as files:
        given = {
            "data": files.save(data),
            "samples": _count(data),
            "labels": files.save(labels),
            "budget": budget,
            **options,
        }
        if not callable(metric):
            self.run(
                _pipeline(
                    "prune-compress-weights",
                    {
                        **given,
                        "max_drop": max_drop,
                        "metric": metric,
                        "eval_data": files.save(eval_data),
                        "eval_labels": files.save(eval_labels),
                    },
                )
            )
            return
        if max_drop is None:
            raise Error("a metric needs max_drop, the most that it may fall")
        table = files.path(".json")
        kind = str(budget or "params").partition(":")[0]
        measured = {k: v for k, v in given.items() if k != "budget"}
        self.clone().run(
            _pipeline(
                "prune-measure-sensitivity",
                {**measured, "output": table, "latency": kind == "latency"},
            )
        )
        found = _compress_by(self, dict(given), table, metric, max_drop)
        self.run(_pipeline("prune-compress-weights", {**given, "budget": found, "table": table}))
