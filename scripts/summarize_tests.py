"""Adds up JUnit files and prints `N passed, N failed, N skipped`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    summarize_tests.py [--floor=N] [--allowed-skips=FILE [--unavailable=FILE]] REPORT...

ctest and lit write the same format with different habits: ctest lists a case
as failed in an attribute as well, lit in a child only. So cases are counted one
by one. A test of several reports counts once: as failed if it ever failed, as
skipped if it never ran. Those that a filter left to another report do not count.
A run without any test is a failure: something was not configured.

With a list of allowed skips, any other skip fails the run. A line of it is

    FOLDER/TEST  REASON
    FOLDER/TEST  if REASON

The second allows the skip only where the file of --unavailable, which
scripts/setup.sh writes, has the reason as a line. `--floor` is the least number
of tests that have to run.
"""

import argparse
import os
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """One of passed, failed and skipped, or None; and what is missing for the test."""
    children = {child.tag: child for child in case}
    if "skipped" in children or case.get("status") in ("notrun", "disabled"):
        why = children["skipped"].get("message", "") if "skipped" in children else ""
        return (None if why.startswith("Test not selected") else "skipped"), why
    if children.keys() & {"failure", "error"} or case.get("status") == "fail":
        return "failed", ""
    return "passed", ""


def read_lines(path):
    """The lines that say something."""
    if not path or not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [line for line in lines if line and not line.startswith("#")]


def read_allowed(path, unavailable):
    """The tests whose skips are allowed here."""
    reasons = dict(line.split(None, 1) for line in read_lines(path))
    said = read_lines(unavailable)
    return {
        name for name, reason in reasons.items() if not reason.startswith("if ") or reason[3:] in said
    }


def test_name(case):
    """Folder and file, without the suite, which names a processor as well."""
    return "/".join([*case.get("classname").split(".", 1)[1:], case.get("name")])


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("reports", nargs="*")
    parser.add_argument("--floor", type=int, default=1)
    parser.add_argument("--allowed-skips")
    parser.add_argument("--unavailable")
    options = parser.parse_args(arguments)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    worst = ["skipped", "passed", "failed"]
    results, missing = {}, {}
    for path in options.reports:
        if not os.path.exists(path):
            print(f"summarize_tests.py: no {path}; its runner did not finish")
            counts["failed"] += 1
            continue
        for case in ElementTree.parse(path).iter("testcase"):
            result, why = outcome(case)
            if result is None:
                continue
            name = (case.get("classname"), test_name(case))
            results[name] = max(results.get(name, "skipped"), result, key=worst.index)
            missing[name] = why or missing.get(name)
    allowed = read_allowed(options.allowed_skips, options.unavailable)
    for (suite, name), result in results.items():
        counts[result] += 1
        if result == "failed":
            print(f"failed: {suite}: {name}")
        if result == "skipped" and options.allowed_skips and name not in allowed:
            print(f"skipped, which {options.allowed_skips} does not allow: {suite}: {name}: {missing[suite, name]}")
            counts["failed"] += 1
    if not counts["passed"]:
        print("summarize_tests.py: no test passed; is the build configured?")
        counts["failed"] = max(counts["failed"], 1)
    elif counts["passed"] + counts["failed"] < options.floor:
        print(f"summarize_tests.py: fewer than {options.floor} tests ran")
        counts["failed"] += 1
    print(", ".join(f"{number} {result}" for result, number in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
