# RUN: %python %s %t
"""What a run's reports add up to: counts, skips that are not allowed, too few tests.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The list of allowed skips names tests that are there.
"""

import contextlib
import io
import os
import pathlib
import sys

SOURCE = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "scripts"))
import summarize_tests  # noqa: E402

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
BAD = "<failure/>"
MISSING = '<skipped message="Missing required feature(s): onnxruntime"/>'
FILTERED = '<skipped message="Test not selected (--filter, --max-tests)"/>'


def report(name, suite="prune", **cases):
    path = OUT / f"{name}.xml"
    text = "".join(
        f'<testcase classname="{suite}.Import" name="{case}.py">{child}</testcase>'
        for case, child in cases.items()
    )
    path.write_text(f"<testsuites><testsuite>{text}</testsuite></testsuites>")
    return str(path)


def write(name, text):
    (OUT / name).write_text(text)
    return str(OUT / name)


def check(expected, code, *arguments, says=""):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        found = summarize_tests.main(list(arguments))
    lines = text.getvalue().splitlines()
    assert (lines[-1], found) == (expected, code), (lines, found)
    assert says in text.getvalue(), lines


mixed = report("mixed", good="", bad=BAD, skipped=MISSING)
check("1 passed, 1 failed, 1 skipped", 1, mixed, says="failed: prune.Import: Import/bad.py")
clean = report("clean", good="", other="", skipped=MISSING, elsewhere=FILTERED)
check("2 passed, 0 failed, 1 skipped", 0, clean)

# A test counts once for a processor, as what it was at worst; it was skipped if it never ran.
again = report("again", other=BAD, skipped="", elsewhere="")
check("3 passed, 1 failed, 0 skipped", 1, clean, again)
older = report("older", "prune-x86-64-v2", good="")
check("3 passed, 0 failed, 1 skipped", 0, clean, older)
ctest = write("ctest.xml", '<testsuite><testcase classname="core" name="core" status="fail"/></testsuite>')
check("0 passed, 1 failed, 0 skipped", 1, ctest, says="failed: core: core")

# Something was not configured, or did not finish.
check("0 passed, 1 failed, 0 skipped", 1, says="no test passed")
check("2 passed, 1 failed, 1 skipped", 1, clean, str(OUT / "none.xml"), says="did not finish")

# Only what is on the list may be skipped.
empty, no_npm = write("empty.txt", "# nothing\n"), write("unavailable.txt", "no npm registry\n")
check("2 passed, 1 failed, 1 skipped", 1, clean, f"--allowed-skips={empty}",
      says="prune.Import: Import/skipped.py: Missing required feature(s): onnxruntime")  # fmt: skip
listed = write("listed.txt", "Import/skipped.py  needs what nobody has\n")
check("2 passed, 0 failed, 1 skipped", 0, clean, f"--allowed-skips={listed}")
listed = f"--allowed-skips={write('if.txt', 'Import/skipped.py  if no npm registry')}"
check("2 passed, 1 failed, 1 skipped", 1, clean, listed)
check("2 passed, 1 failed, 1 skipped", 1, clean, listed, f"--unavailable={empty}")
check("2 passed, 0 failed, 1 skipped", 0, clean, listed, f"--unavailable={no_npm}")

# Too few tests.
check("2 passed, 0 failed, 1 skipped", 0, clean, "--floor=2")
check("2 passed, 1 failed, 1 skipped", 1, clean, "--floor=3", says="fewer than 3 tests ran")

for line in summarize_tests.read_lines(SOURCE / "scripts" / "allowed-skips.txt"):
    assert (SOURCE / "test" / line.split()[0]).is_file(), line
