"""Runs the tools of the build tree from Python tests.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import subprocess


def tool(name):
    return os.path.join(os.environ["PRUNE_TOOLS_DIR"], name)


def run(name, *arguments, stdin=None, timeout=300):
    """Runs a tool; returns its completed process with text output."""
    return subprocess.run(
        [tool(name), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )


def output_of(name, *arguments, stdin=None, timeout=300):
    """The standard output of a run that must succeed."""
    result = run(name, *arguments, stdin=stdin, timeout=timeout)
    assert result.returncode == 0, (
        f"{name} {' '.join(map(str, arguments))} exited with "
        f"{result.returncode}:\n{result.stderr[:4000]}"
    )
    return result.stdout
