# Random models over all operators of the importer's table: what they compute equals
# what ONNX Runtime computes, or a diagnostic refuses them. Models of one node and f32
# are run as bf16 too. Prints operators by outcome.
#
# PRUNE_RANDOM_MODELS says how many models (default 400; the full run is 3000).
# `random-graphs.py OUT single:Conv:12 graph:7` repeats single models.
#
# REQUIRES: onnx, onnxruntime, python-package
# RUN: %python %s %t

import collections
import json
import os
import random
import select
import subprocess
import sys

import onnx

import onnx_agreement
import onnx_bfloat
import onnx_cases
import onnx_random
from onnxruntime import OnnxRuntime

OUT = sys.argv[1]
MODELS = int(os.environ.get("PRUNE_RANDOM_MODELS", "400"))
SECONDS = 120
WORKERS = os.cpu_count() or 1
# ONNX Runtime has no kernel for these on a processor, so nothing can be compared.
WITHOUT_ORACLE = set()


def read_table():
    """(operator, first opset, last opset), as the importer prints them."""
    text = subprocess.run(
        ["prune-translate", "--list-onnx-ops"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = []
    for line in text.splitlines()[2:]:
        name, opsets = [cell.strip() for cell in line.split("|")[1:3]]
        since, until = opsets.split("-")
        if int(until) >= 7:
            rows.append((name, int(since), int(until)))
    assert len(rows) > 100, text
    return rows


# ---- One process that compares models --------------------------------------


def make(job, table):
    kind, *rest = job.split(":")
    seed = int(rest[-1])
    if kind == "graph":
        return onnx_random.graph(seed, table)
    row = next(row for row in table if row[0] == rest[0] and row[2] >= 7)
    return onnx_random.single(seed, *row)


def compare(job, table, comparison):
    """The outcome of one job, as a dictionary."""
    try:
        model, inputs = make(job, table)
    except onnx_random.Unfit as error:
        return {"outcome": "unfit", "why": str(error)}
    operators = sorted({n.op_type for n in model.graph.node if n.op_type != "Constant"})
    result = {"operators": operators or ["Constant"]}
    dims = {}
    outcome, why = "refused", ""
    if random.Random(job).random() < 0.3:
        opened = onnx.ModelProto()
        opened.CopyFrom(model)
        dims = onnx_agreement.open_sizes(opened, random.Random(job))
        outcome, why = comparison.outcome(opened, inputs)
        result["open"] = outcome
        result["hint"] = "--dim" in why
        if outcome == "refused" and dims:
            # What is fixed by option must be as good as what is fixed in the file.
            outcome, why = comparison.outcome(opened, inputs, dims.items())
    if outcome == "refused" and not dims:
        outcome, why = comparison.outcome(model, inputs)
    bfloat = onnx_bfloat.to_bfloat(model, inputs) if outcome == "agree" else None
    if bfloat:
        plain, rounded, narrow = bfloat
        result["bf16"], text = comparison.outcome(plain, rounded, narrow=narrow)
        if result["bf16"] == "wrong":
            return {**result, "outcome": "wrong", "why": f"as bf16: {text}"}
    if outcome == "wrong":
        small, values = comparison.shrink(model, inputs)
        name = os.path.join(OUT, job.replace(":", "_") + ".onnx")
        onnx.save(small, name)
        why += f"\n{name}\n{comparison.outcome(small, values)}"
        why += f"\n{onnx.helper.printable_graph(small.graph)}"
    return {**result, "outcome": outcome, "why": why}


def work(folder):
    table = read_table()
    comparison = onnx_agreement.Comparison(OnnxRuntime(), folder)
    for line in sys.stdin:
        print(json.dumps(compare(line.strip(), table, comparison)), flush=True)


# ---- The processes, and what they say --------------------------------------


class Worker:
    """A process that is replaced when a model kills it."""

    def __init__(self, number):
        self.command = [sys.executable, __file__, OUT, "--worker", f"{OUT}/{number}"]
        self.process = None

    def start(self, job):
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.job = job
        self.process.stdin.write(job + "\n")
        self.process.stdin.flush()

    def answer(self):
        """What became of the job; a dead or silent process is wrong."""
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self.process.kill()
        code = self.process.wait()
        self.process = None
        why = "hangs" if not ready else f"kills the process: {code}"
        return {"outcome": "wrong", "why": why, "operators": []}

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def run_all(jobs):
    """Pairs of jobs and outcomes."""
    workers = [Worker(number) for number in range(WORKERS)]
    pending = iter(jobs)
    busy = []
    for worker in workers:
        job = next(pending, None)
        if job:
            worker.start(job)
            busy.append(worker)
    while busy:
        worker = busy.pop(0)
        yield worker.job, worker.answer()
        job = next(pending, None)
        if job:
            worker.start(job)
            busy.append(worker)
    for worker in workers:
        worker.stop()


def make_jobs(table):
    """Half of the models have one node, each operator in turn."""
    for number in range(MODELS // 2):
        row = table[number % len(table)]
        yield f"single:{row[0]}:{number // len(table)}"
        yield f"graph:{number}"


def report(by_operator, totals, reasons):
    for (outcome, why), count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"{count:5} {outcome}: {why}")
    kinds = ("agree", "refused", "unanswered", "wrong")
    print(f"{'operator':28}" + "".join(f"{kind:>11}" for kind in kinds))
    for name, counts in sorted(by_operator.items()):
        print(f"{name:28}" + "".join(f"{counts[kind]:11}" for kind in kinds))
    print(dict(totals))


def main():
    # What operators.py has cases of is not drawn, unless there is a rule; nor are
    # operators of other domains, which runtime-operators.py has.
    own = {case.op for case in onnx_cases.all_cases()}
    table = [row for row in read_table() if row[0] in onnx_random.RULES or (row[0] not in own and "." not in row[0])]
    missing = {row[0] for row in table} - set(onnx_random.RULES)
    assert not missing, f"no rule makes {sorted(missing)}"
    jobs = sys.argv[2:] or make_jobs(table)
    by_operator = collections.defaultdict(collections.Counter)
    totals, reasons = collections.Counter(), collections.Counter()
    wrong = []
    try:
        for number, (job, result) in enumerate(run_all(jobs), 1):
            if number % 100 == 0:
                print(f"after {number} models: {dict(totals)}", flush=True)
            outcome, why = result["outcome"], result["why"]
            totals[outcome] += 1
            if "open" in result:
                totals["open sizes: " + result["open"]] += 1
            if "bf16" in result:
                totals["bf16: " + result["bf16"]] += 1
            for name in result.get("operators", []):
                by_operator[name][outcome] += 1
            if outcome == "wrong":
                wrong.append(f"{job}: {why}")
                print(f"WRONG {wrong[-1]}", flush=True)
            elif outcome != "agree":
                reasons[outcome, why.splitlines()[0][:200] if why else ""] += 1
    except KeyboardInterrupt:
        # What a long run has found so far.
        report(by_operator, totals, reasons)
        raise
    report(by_operator, totals, reasons)
    assert not wrong, f"{len(wrong)} models give a wrong answer"
    if sys.argv[2:]:
        return
    assert totals["agree"] >= 0.8 * MODELS, f"only {totals['agree']} models agree"
    assert totals["bf16: agree"] >= 0.2 * MODELS, f"few models of bf16 agree: {totals}"
    if MODELS >= 10 * len(table):
        silent = {
            row[0] for row in table if not by_operator[row[0]]["agree"]
        } - WITHOUT_ORACLE
        assert not silent, f"nothing was compared for {sorted(silent)}"


os.makedirs(OUT, exist_ok=True)
if sys.argv[2:3] == ["--worker"]:
    work(sys.argv[3])
else:
    main()
