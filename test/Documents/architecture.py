# RUN: %python %s
"""The tree is as docs/Architecture.md says: what a folder may include, how much is in
one, one class of each name, and nothing written twice.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import collections
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"])
MOST_FILES, MOST_EQUAL_LINES = 15, 12
FILES = sorted(
    path.relative_to(SOURCE)
    for top in ("lib", "include/prune")
    for path in (SOURCE / top).rglob("*")
    if path.suffix in (".cpp", ".h")
)
TEXTS = {path: (SOURCE / path).read_text() for path in FILES}


def folder_of(path):
    """The folder in the table; what lies beside the folders is `InitAll`."""
    parts = path.parts[2:-1] if path.parts[0] == "include" else path.parts[1:-1]
    return "/".join(parts) or "InitAll"


def allowed():
    text = (SOURCE / "docs/Architecture.md").read_text()
    table = text.split("| folder | may include |\n|---|---|\n")[1].split("\n\n")[0]
    rows = {}
    for line in table.splitlines():
        name, others = re.fullmatch(r"\| `([\w/]+)` \| (.*) \|", line).groups()
        assert name not in rows, f"two rows of {name}"
        rows[name] = re.findall(r"`([\w/]+)`", others)
    return rows


def included():
    """Pairs of folders with a file that includes a header."""
    found = {}
    for path, text in TEXTS.items():
        for name in re.findall(r'#include "([^"]+\.h)"', text):
            public = SOURCE / "include" / name
            if public.exists() or name.startswith("prune/"):
                to = folder_of(pathlib.Path("include") / name)
            elif "/" in name and (SOURCE / "lib" / name).exists():
                to = folder_of(pathlib.Path("lib") / name)
            elif (SOURCE / path.parent / name).exists():
                to = folder_of(path)
            else:
                continue  # upstream's
            found.setdefault((folder_of(path), to), f"{path} includes {name}")
    return found


def check_includes():
    rows, found = allowed(), included()
    folders = {folder_of(path) for path in FILES}
    assert folders == set(rows), f"the table has rows too many or too few: {folders ^ set(rows)}"
    for (source, to), example in found.items():
        inside = any(to == row or to.startswith(row + "/") for row in rows[source])
        assert source == to or inside, f"`{source}` may not include `{to}`: {example}"
    # What may be included is an order, too.
    arrows = collections.defaultdict(set)
    for source, to in found:
        if source != to:
            arrows[source].add(to)
    order = []
    while len(order) < len(folders):
        free = [f for f in sorted(folders - set(order)) if arrows[f] <= set(order)]
        assert free, f"a circle among {sorted(folders - set(order))}"
        order += free
    print(f"{len(found)} pairs of {len(folders)} folders")


def check_folders():
    for folder, _, names in os.walk(SOURCE / "lib"):
        assert len(names) <= MOST_FILES, f"{folder} has {len(names)} files"


def check_classes():
    places = collections.defaultdict(list)
    for path, text in TEXTS.items():
        for name in re.findall(r"^(?:class|struct) (?:LLVM_\w+ )?(\w+)(?: final)?(?:\s*:[^:{;][^{;]*)?\s*\{", text, re.M):
            places[name].append(str(path))
    assert len(places) > 200, "no classes are found"
    for name, paths in places.items():
        assert len(paths) == 1, f"{name} is the name of several classes: {paths}"


def check_repetitions():
    """The lines of two places that are equal but for their indentation."""
    seen, size = {}, MOST_EQUAL_LINES + 1
    for path, text in TEXTS.items():
        if path.parts[0] != "lib":
            continue
        lines = [line.strip() for line in text.splitlines()]
        for at in range(len(lines) - size + 1):
            window = "\n".join(lines[at : at + size])
            here = f"{path}:{at + 1}"
            assert window not in seen, f"{here} repeats {seen[window]}"
            seen[window] = here
    assert len(seen) > 10000, "no lines are found"


check_includes()
check_folders()
check_classes()
check_repetitions()
