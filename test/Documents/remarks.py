# RUN: %python %s
"""The catalogue in docs/Remarks.md lists every remark of the code, and no other.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A remark is a call `remark::KIND(..., RemarkOpts::name("NAME").category(CATEGORY))`. The
category is a string, a constant of the file, or a parameter; callers pass a parameter
their own, so that the catalogue decides there.
"""

import os
import pathlib
import re
import sys

SOURCE = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"])
EMIT = re.compile(
    r"remark::(passed|missed|failed|analysis)\(((?:(?!remark::(?:passed|missed|failed|analysis)\().)*?)"
    r'RemarkOpts::name\(\s*"(\w+)"\s*\)\s*\.category\(\s*("[^"]+"|\w+)\s*\)',
    re.DOTALL,
)
ROW = re.compile(r"^\| (`prune-[^|]+) \| (passed|missed|failed|analysis) \| `(\w+)` \| [^|]+ \| [^|]+ \|$", re.MULTILINE)

emitted, anywhere, calls = set(), set(), 0
for path in sorted((SOURCE / "lib").rglob("*.cpp")) + sorted((SOURCE / "lib").rglob("*.h")):
    text = path.read_text()
    calls += text.count("RemarkOpts::name(")
    constants = dict(re.findall(r'(k\w+) = "(prune-[\w-]+)"', text))
    for kind, _, name, category in EMIT.findall(text):
        calls -= 1
        if category.strip('"') in constants.values() or category in constants or category.startswith('"'):
            emitted.add((constants.get(category, category.strip('"')), kind, name))
        else:
            anywhere.add((kind, name))
assert calls == 0, f"{calls} remarks in lib/ are written in a way that this test does not read"

listed = set()
for categories, kind, name in ROW.findall((SOURCE / "docs" / "Remarks.md").read_text()):
    for category in re.findall(r"`([\w-]+)`", categories):
        listed.add((category, kind, name))
missing = sorted(emitted - listed) + sorted(anywhere - {row[1:] for row in listed})
gone = sorted(row for row in listed - emitted if row[1:] not in anywhere)
for what, rows in (("is not in", missing), ("is only in", gone)):
    for row in rows:
        print(f"{' '.join(row)} {what} docs/Remarks.md")
assert len(emitted) > 10
sys.exit(bool(missing or gone))
