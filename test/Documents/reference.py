# RUN: %python %s %t
# REQUIRES: onnx
"""The reference in docs/reference is what the descriptions say now.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import difflib
import os
import pathlib
import subprocess
import sys

SOURCE, BUILD = (pathlib.Path(os.environ[name]) for name in ("PRUNE_SOURCE_DIR", "PRUNE_BUILD_DIR"))
rendered, kept = pathlib.Path(sys.argv[1]), SOURCE / "docs" / "reference"
script = SOURCE / "scripts" / "update_reference.py"
subprocess.run([sys.executable, script, BUILD, rendered], check=True)
differences = []
for name in sorted({path.name for folder in (rendered, kept) for path in folder.glob("*.md")}):
    texts = [(folder / name).read_text() if (folder / name).exists() else "" for folder in (kept, rendered)]
    differences += difflib.unified_diff(*(text.splitlines() for text in texts), f"docs/reference/{name}", "rendered", "", "", 1, "")
if differences:
    print(*differences[:60], sep="\n")
    sys.exit("docs/reference is stale: run `cmake --build --preset release --target update-reference`")
