# ONNX's backend tests: each passes or is refused with a diagnostic, and none
# gives a wrong answer. Prints outcomes by suite, and those of single nodes by
# operator and operator set. Sets from 18 on: operators.py.
# REQUIRES: onnx
# RUN: %python %s %t

import collections
import concurrent.futures
import os
import sys

import onnx
import onnx_suites
from onnx_counts import Counts

# A test of the whole generator's output would allow fewer than these.
AT_LEAST = {"node": 600}


def kind_of(folder):
    """The operator of a model of one node, and its operator set."""
    model = onnx.load(f"{folder}/model.onnx", load_external_data=False)
    nodes = model.graph.node
    op = nodes[0].op_type if len(nodes) == 1 and not nodes[0].domain else "several nodes"
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    return op, opset


def main(out, only):
    suites = onnx_suites.unpack(os.environ.get("PRUNE_DATA"), f"{out}/tests")
    assert suites, "no tests found"
    jobs = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for suite, folders in suites.items():
            for folder in folders:
                name = os.path.basename(folder)
                if only and not any(word in name for word in only):
                    continue
                work = f"{out}/run/{suite}/{name}"
                job = pool.submit(onnx_suites.run, folder, work)
                jobs[suite, name] = folder, job
    table = collections.defaultdict(collections.Counter)
    wrong = []
    reasons = collections.Counter()
    counts = Counts()
    for (suite, name), (folder, job) in jobs.items():
        outcome, why = job.result()
        if suite in AT_LEAST:
            counts.add(*kind_of(folder), outcome)
        table[suite][outcome] += 1
        if outcome == "wrong":
            wrong.append(f"{suite}/{name}: {why}")
        if outcome == "refused":
            reasons[why.splitlines()[0].split(", used by")[0][:150]] += 1
            if only or "-v" in sys.argv:
                print(f"refused {suite}/{name}: {why}")
    for why, count in reasons.most_common():
        print(f"{count:4} refused: {why}")
    print("\n".join(counts.lines()))
    for suite, outcomes in table.items():
        print(f"{suite}: {dict(outcomes)}")
    for line in wrong:
        print(f"WRONG {line}")
    assert not wrong, f"{len(wrong)} tests give a wrong answer"
    for suite, least in AT_LEAST.items():
        if not only:
            passed = table[suite]["pass"]
            assert passed >= least, f"only {passed} of suite {suite} pass"


main(sys.argv[1], [word for word in sys.argv[2:] if word != "-v"])
