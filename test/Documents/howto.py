# RUN: %python %s
"""The diffs of docs/HowTo.md apply to the tree, and none touches more than two files; an
option of masking three.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"])
text = (SOURCE / "docs" / "HowTo.md").read_text()
sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
diffs = [
    (title, diff)
    for title, body in sections
    for diff in re.findall(r"^```diff\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
]
assert len(diffs) >= 5
for title, diff in diffs:
    files = re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)
    assert 1 <= len(files) <= (3 if title == "An option of masking" else 2), files
    done = subprocess.run(
        ["git", "-C", SOURCE, "apply", "--check", "-"], input=diff, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"docs/HowTo.md: the diff of {' and '.join(files)} does not apply any more:\n{done.stderr}")
