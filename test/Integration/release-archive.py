# REQUIRES: onnx, python-package, wheel
# UNSUPPORTED: sanitized
# RUN: %python %s %t
"""The release archive works where it is unpacked, with nothing from the build.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Packs as the target `package` does, unpacks in a folder with a space in its name, and
runs the demo and the wheel of the archive in an empty environment.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

folder = pathlib.Path(sys.argv[1]).resolve()
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
build = pathlib.Path(os.environ["PRUNE_BUILD_DIR"])
source = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"])


def call(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300, check=False, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


call("cpack", "--config", build / "CPackConfig.cmake", "-B", folder / "packed")
(archive,) = (folder / "packed").glob("*.tar.gz")
with tarfile.open(archive) as packed:
    packed.extractall(folder / "else where")
(root,) = (folder / "else where").iterdir()
shutil.rmtree(folder / "packed")
for name in (
    "README.md", "LICENSE", "CHANGELOG.md", "docs/README.md", "bin/prune-opt", "bin/prune-run", "bin/prune-translate",
    "lib/libPrune.so", "lib/PrunePlugin.so", "lib/cmake/Prune/PruneConfig.cmake", "lib/pkgconfig/prune.pc",
    "include/prune-c/Prune.h", "include/prune/InitAll.h", "include/prune/IR/PruneOps.h.inc",
    "python/prune/__init__.py", "scripts/demo.sh", "examples/models/mlp.onnx",
):  # fmt: skip
    assert (root / name).is_file(), name

# No file knows where it was built.
for path in filter(pathlib.Path.is_file, root.rglob("*")):
    content = path.read_bytes()
    for place in (source, build):
        assert os.fsencode(place) + b"/" not in content, f"{path} names {place}"

# The demo measures both networks, and leaves them where it says.
empty = {"env": {"PATH": "/usr/bin:/bin"}, "cwd": "/"}
said = call("/bin/bash", root / "scripts" / "demo.sh", **empty)
print(said)
rows = re.findall(r"^(\S+) +(dense|packed) +([\d,]+) +([\d.]+) % +[\d.]+ +[\d.]+x$", said, re.MULTILINE)
sizes = {name: int(size.replace(",", "")) for name, _, size, _ in rows}
assert list(sizes) == ["mlp.onnx", "smaller.onnx", "packed.mlirbc"], said
for name in ("smaller.onnx", "packed.mlirbc"):
    assert (root / "demo" / name).stat().st_size == sizes[name] < sizes["mlp.onnx"], said
assert all(float(accuracy) > 90 for *_, accuracy in rows), said

# The wheel brings its own library.
(wheel,) = (root / "python").glob("*.whl")
call(sys.executable, "-m", "wheel", "unpack", "--dest", folder / "wheel", wheel)
(unpacked,) = (folder / "wheel").iterdir()
program = (
    f"import sys; sys.path.insert(0, {str(unpacked)!r}); import prune; print(prune.Module.parse('module {{}}'));"
    "print(*{line.split()[-1] for line in open('/proc/self/maps') if 'libPrune' in line})"
)
said = call("/usr/bin/python3", "-c", program, **empty).splitlines()
assert said[0].startswith("module") and said[-1].startswith(f"{unpacked}/prune/libPrune.so"), said
