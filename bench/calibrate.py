#!/usr/bin/python3
"""Fits the cost model of the packed kernels to this machine, and says how well it chooses.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/calibrate.py --tools=build/bin --work=work measure --shapes=512x512 --columns=1,64
    bench/calibrate.py --tools=build/bin --work=work fit --output=machine.json

`measure` compiles every plan that the model lists within --reach times the cheapest, times
each on random weights, and adds what it saw to the folder --work. Libraries are kept there, so --compile
first makes them and a second call, on a quiet machine, only times. `fit` finds the cycles
per unit of work that explain the times best (least squares of relative errors, none below
zero, drawn a little towards the built-in values), writes a file for
`prune-pack-weights=machine-file=`, and prints how much slower than the best measured plan
the chosen one is. Needs the target prune-kernel-plans, and scipy for `fit`.
"""

import argparse
import ctypes
import itertools
import json
import pathlib
import sys

import numpy as np

from harness import LOOPS, Compiler, aligned, parse
from matmul import CASES, SHAPES, prune, to_panels

FORMS = ["dense", "blocks", "patterns", "elements"]
BASE = {"vector-bits": 512}


class Plans:
    """The library that knows plans and packs for them."""

    def __init__(self, tools):
        found = list(tools.parent.glob("**/libprune-kernel-plans.so"))
        if not found:
            sys.exit(f"no libprune-kernel-plans.so beside {tools}: build the target prune-kernel-plans")
        self.library = ctypes.CDLL(str(found[0]))
        self.library.pruneWorkName.restype = ctypes.c_char_p
        self.library.prunePack.restype = ctypes.c_void_p
        self.library.pruneBuffer.restype = ctypes.c_void_p
        self.names = [self.library.pruneWorkName(i).decode() for i in range(self.library.pruneWorks())]

        class Plan(ctypes.Structure):
            names = ["form", "along_rows", "width", "rows", "columns", "k_block", "panel"]
            _fields_ = [(name, ctypes.c_int64) for name in names] + [
                ("cycles", ctypes.c_double),
                ("work", ctypes.c_double * len(self.names)),
            ]

            def key(self, m, k, n):
                fields = [FORMS[self.form], *(getattr(self, f) for f in self.names[1:])]
                return "_".join(map(str, [*fields, m, k, n]))

        self.Plan = Plan

    def list(self, w, n, machine):
        m, k = w.shape
        plans = (self.Plan * 1000)()
        count = self.library.prunePlans(
            ctypes.c_void_p(w.ctypes.data), *map(ctypes.c_int64, (m, k, n)),
            json.dumps(machine).encode(), plans, ctypes.c_int64(1000))  # fmt: skip
        if count < 0:
            sys.exit(f"wrong description of a machine: {machine}")
        return plans[:count]

    def pack(self, w, plan):
        """Values, indices and positions, and what owns them."""
        pack = self.library.prunePack
        m, k = map(ctypes.c_int64, w.shape)
        packed = ctypes.c_void_p(pack(ctypes.c_void_p(w.ctypes.data), m, k, ctypes.byref(plan)))
        return packed, [ctypes.c_void_p(self.library.pruneBuffer(packed, i)) for i in range(3)]

    def free(self, packed):
        self.library.pruneFree(packed)


def function(plan, m, k, n):
    """The plan's kernel as a function of its buffers."""
    form = FORMS[plan.form]
    groups = -(-m // plan.rows)
    segments = groups * -(-k // plan.k_block)
    values = groups * plan.rows * k
    per_segment = 2**plan.rows if form == "patterns" else 1
    index = f"i{8 if k <= 256 else 16 if k <= 65536 else 32}"
    if plan.along_rows:
        x, y = f"{n}x{k}", f"{n}x{m}"
    else:
        panels = -(-n // plan.panel)
        x, y = f"{panels}x{k}x{plan.panel}", f"{panels}x{m}x{plan.panel}"
    types = [f"memref<{values}xf32>", f"memref<{values}x{index}>", f"memref<{(segments + 1) * per_segment}xi32>"]
    weights = "%v, %i, %p : " + ", ".join(types) if form != "dense" else f"%v : {types[0]}"
    return (
        f"func.func @{plan.key(m, k, n)}(%v: {types[0]}, %i: {types[1]}, %p: {types[2]},"
        f" %x: memref<{x}xf32>, %y: memref<{y}xf32>) {{\n"
        f"prune.packed_matmul <{form}, m = {m}, k = {k}, lanes = {'rows' if plan.along_rows else 'columns'},"
        f" width = {plan.width}, tile = {plan.rows} x {plan.columns}, k_block = {plan.k_block}>\n"
        f"weights({weights}) input(%x : memref<{x}xf32>) init(%y : memref<{y}xf32>) {{\n"
        "^bb0(%e: f32):\nprune.yield %e : f32\n}\nreturn\n}\n"
    )


def draw(case, m, k):
    """The weight of a case, the same whenever it is asked for."""
    pattern, sparsity = case.rsplit(":", 1)
    rng = np.random.default_rng([m, k, int(float(sparsity) * 100)])
    return prune(pattern, float(sparsity), m, k, rng).astype(np.float32)


class Product:
    """Weights of one shape in several patterns, for one number of columns."""

    def __init__(self, arguments, plans, m, k, n):
        self.plans, self.m, self.k, self.n = plans, m, k, n
        self.weights = {case: draw(case, m, k) for case in arguments.cases.split(",")}
        machine = json.loads(arguments.machine.read_text()) if arguments.machine else BASE
        self.chosen = {}
        for case, w in self.weights.items():
            ranked = plans.list(w, n, machine)
            close = [p for p in ranked if p.cycles <= arguments.reach * ranked[0].cycles]
            self.chosen[case] = close[: arguments.most]

    def library(self, arguments, compiler):
        """Compiles what is not there yet."""
        functions, missing = {}, {}
        for plan in itertools.chain(*self.chosen.values()):
            key = plan.key(self.m, self.k, self.n)
            path = arguments.work / f"{key}.so"
            (functions if path.exists() else missing)[key] = (path, plan)
        if missing:
            text = "".join(function(p, self.m, self.k, self.n) for _, p in missing.values())
            lowered = compiler.prune_opt(text, "--convert-prune-packed-to-vector", *LOOPS)
            name = f"all_{self.m}_{self.k}_{self.n}"
            compiler.library(name, lowered)
            library = arguments.work / f"{name}_{len(list(arguments.work.glob('*.so')))}.so"
            (arguments.work / f"{name}.so").rename(library)
            for path, _ in missing.values():
                path.symlink_to(library.name)
        return {
            key: getattr(ctypes.CDLL(str(path.resolve())), key)
            for key, (path, _) in {**functions, **missing}.items()
        }

    def measure(self, arguments, compiler):
        library = self.library(arguments, compiler)
        if arguments.compile:
            return
        rng = np.random.default_rng(1)
        x = rng.uniform(-1, 1, (self.k, self.n)).astype(np.float32)
        rows_x = aligned(x.T.copy())
        panel = next((p.panel for ps in self.chosen.values() for p in ps if p.panel), 1)
        panels_x = aligned(to_panels(x, panel))
        y = aligned(np.zeros((panels_x.shape[0] * panel) * self.m, np.float32))
        for case, w in self.weights.items():
            for plan in self.chosen[case]:
                key = plan.key(self.m, self.k, self.n)
                packed, buffers = self.plans.pack(w, plan)
                data = rows_x if plan.along_rows else panels_x
                pointers = [*buffers, *(ctypes.c_void_p(a.ctypes.data) for a in (data, y))]
                array = (ctypes.c_void_p * 5)(*pointers)
                seconds = compiler.library_of_timer.time_kernel(library[key], array, ctypes.c_double(arguments.seconds))
                self.check(plan, w, x, y, panel)
                self.plans.free(packed)
                yield {"case": case, "plan": key, "seconds": seconds}

    def check(self, plan, w, x, y, panel):
        rows = slice(None, None, max(1, self.m // 16))
        if plan.along_rows:
            result = y[: self.n * self.m].reshape(self.n, self.m).T
        else:
            result = y.reshape(-1, self.m, panel).transpose(1, 0, 2).reshape(self.m, -1)[:, : self.n]
        error = np.abs(result[rows] - w[rows] @ x).max()
        if not error <= 1e-4 * self.k:
            sys.exit(f"wrong result: {plan.key(*w.shape, self.n)}")


def measure(arguments):
    arguments.work.mkdir(parents=True, exist_ok=True)
    plans = Plans(arguments.tools)
    compiler = Compiler(arguments.tools, arguments.llvm, arguments.work)
    timer = compiler.library_of_timer
    timer.time_kernel.restype = timer.cycles_per_second.restype = ctypes.c_double
    for shape, n in itertools.product(arguments.shapes.split(","), arguments.columns.split(",")):
        m, k = map(int, shape.split("x"))
        frequency = timer.cycles_per_second()
        rows = list(Product(arguments, plans, m, k, int(n)).measure(arguments, compiler))
        if not rows:
            continue
        for row in rows:
            row["cycles"] = row["seconds"] * frequency
        (arguments.work / f"measured_{shape}_{n}.json").write_text(json.dumps(rows) + "\n")
        for case, members in itertools.groupby(rows, lambda row: row["case"]):
            members = list(members)
            best = min(members, key=lambda row: row["seconds"])
            lost = members[0]["seconds"] / best["seconds"]
            print(f"{shape:10}{n:>5} {case:14} {lost:5.2f} chosen {members[0]['plan']} best {best['plan']}", flush=True)


def recall(path, plans):
    """What was measured of one shape, with amounts of work as the model counts them now."""
    rows = json.loads(path.read_text())
    _, shape, n = path.stem.split("_")
    m, k = map(int, shape.split("x"))
    for case, members in itertools.groupby(rows, lambda row: row["case"]):
        listed = plans.list(draw(case, m, k), int(n), BASE)
        work = {plan.key(m, k, int(n)): list(plan.work) for plan in listed}
        known = [{**row, "work": work[row["plan"]]} for row in members if row["plan"] in work]
        if known:
            yield f"{shape} {n} {case}", known


def fit(arguments):
    from scipy.optimize import nnls

    plans = Plans(arguments.tools)
    groups = []
    for path in sorted(arguments.work.glob("measured_*.json")):
        groups += recall(path, plans)
    rows = [row for _, members in groups for row in members]
    names = plans.names
    # Panels are packed outside of what was timed.
    fitted = [i for i, name in enumerate(names) if name != "panel-elements"]
    work = np.array([row["work"] for row in rows])
    cycles = np.array([row["cycles"] for row in rows])
    # What is far from the best matters little.
    weight = np.concatenate([
        [(min(r["cycles"] for r in members) / row["cycles"]) ** 2 for row in members] for _, members in groups
    ])  # fmt: skip
    scaled = (work / cycles[:, None])[:, fitted] * weight[:, None]
    built_in = arguments.prior
    prior = np.array([built_in.get(names[i], 0.0) for i in fitted])
    # A unit of work is drawn to its built-in cost as strongly as its usual share asks.
    strength = np.sqrt(arguments.pull) * np.sqrt((scaled**2).sum(0) + 1e-12)
    left = np.vstack([scaled, np.diag(strength)])
    right = np.concatenate([weight, strength * prior])
    solution, _ = nnls(left, right)
    solution = polish(solution, work[:, fitted], cycles, groups)
    found = {names[i]: float(f"{c:.4g}") for i, c in zip(fitted, solution)}
    print(json.dumps(found))
    estimate = work[:, fitted] @ solution
    print(f"median error of an estimate: {np.median(np.abs(estimate / cycles - 1)):.3f}")
    judge(groups, dict(zip([id(row) for row in rows], estimate)))
    if arguments.output:
        machine = {**BASE, "cycles": found}
        arguments.output.write_text(json.dumps(machine, indent=1) + "\n")


def polish(solution, work, cycles, groups, tries=3000):
    """Small changes that make the plan which looks cheapest lose less to the best one.

    Least squares look at every plan; only the ranks of the best matter."""
    ends = np.cumsum([len(members) for _, members in groups])
    starts = ends - [len(members) for _, members in groups]

    def lost(solution):
        estimate = work @ solution
        total = 0.0
        for i, j in zip(starts, ends):
            # A margin, so that near ties count a little.
            order = estimate[i:j] / estimate[i:j].min()
            chosen = cycles[i:j][order < 1.02].mean()
            total += np.log(chosen / cycles[i:j].min())
        error = np.log(estimate / cycles)
        return total / len(groups) + 0.1 * np.mean(error**2)

    rng = np.random.default_rng(1)
    best = lost(solution)
    for _ in range(tries):
        change = np.exp(rng.normal(0, 0.2, len(solution)) * (rng.random(len(solution)) < 0.25))
        tried = np.maximum(solution, 1e-3 * (rng.random(len(solution)) < 0.1)) * change
        if (loss := lost(tried)) < best:
            best, solution = loss, tried
    return solution


def judge(groups, estimates):
    lost = []
    for name, members in groups:
        best = min(members, key=lambda row: row["cycles"])
        chosen = min(members, key=lambda row: estimates[id(row)])
        lost.append(chosen["cycles"] / best["cycles"])
        if lost[-1] > 1.1:
            print(f"  {lost[-1]:.2f} {name}: chosen {chosen['plan']} ({estimates[id(chosen)] / chosen['cycles']:.2f}),"
                  f" best {best['plan']} ({estimates[id(best)] / best['cycles']:.2f})")  # fmt: skip
    lost = np.array(lost)
    print(f"{len(lost)} products: within 10 % of the best plan {np.mean(lost <= 1.1):.1%}, mean {lost.mean():.3f}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin")
    parser.add_argument("--llvm", type=pathlib.Path, default="/usr/lib/llvm-22/bin")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="directory of libraries and measurements")
    commands = parser.add_subparsers(dest="command", required=True)
    command = clock = commands.add_parser("measure")
    command.add_argument("--shapes", default=SHAPES)
    command.add_argument("--columns", default="1,64,128,256")
    command.add_argument("--cases", default=CASES + ",8x1:0.8,16x1:0.8,32x1:0.8")
    command.add_argument("--machine", type=pathlib.Path, help="rank with this file instead of what is built in")
    command.add_argument("--reach", type=float, default=1.7)
    command.add_argument("--most", type=int, default=24, help="plans of a case")
    command.add_argument("--seconds", type=float, default=0.006, help="per plan")
    command.add_argument("--compile", action="store_true", help="only make the libraries")
    command = commands.add_parser("fit")
    command.add_argument("--output", type=pathlib.Path)
    command.add_argument("--pull", type=float, default=1e-3)
    command.add_argument("--prior", type=json.loads, default={"issue": 1.0, "panel-elements": 0.45})
    quick = {"shapes": "64x64", "columns": "64", "cases": "element:0.5", "most": 3, "seconds": 0.001}
    arguments = parse(parser, quick, clock)
    arguments.tools = arguments.tools.resolve()
    return arguments


if __name__ == "__main__":
    ARGUMENTS = parse_arguments()
    {"measure": measure, "fit": fit}[ARGUMENTS.command](ARGUMENTS)
