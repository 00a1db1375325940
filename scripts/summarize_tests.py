"""Adds up JUnit files and prints `N passed, N failed, N skipped`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

ctest and lit write the same format with different habits: ctest lists a case
as failed in an attribute as well, lit in a child only. So cases are counted one
by one. A test of several reports counts once: as failed if it ever failed, as
skipped if it never ran. A run without any test is a failure: something was not
configured.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """One of passed, failed and skipped."""
    children = {child.tag for child in case}
    if "skipped" in children or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    if children & {"failure", "error"} or case.get("status") == "fail":
        return "failed"
    return "passed"


def main(paths):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    worst = ["skipped", "passed", "failed"]
    results = {}
    for path in paths:
        if not os.path.exists(path):
            print(f"summarize_tests.py: no {path}; its runner did not finish")
            counts["failed"] += 1
            continue
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{case.get('classname')} {case.get('name')}"
            results[name] = max(results.get(name, "skipped"), outcome(case), key=worst.index)
    for name, result in results.items():
        counts[result] += 1
        if result == "failed":
            print(f"failed: {name}")
    if not paths or not counts["passed"]:
        print("summarize_tests.py: no test passed; is the build configured?")
        counts["failed"] = max(counts["failed"], 1)
    print(", ".join(f"{number} {result}" for result, number in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
