"""Makes a wheel of the installed Python package.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The wheel has libPrune.so inside the package, where the module looks for it first.
It holds for the version of Python and the processor that it was built with, and
needs the packages of MLIR and LLVM, as the tools do.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile

METADATA = """Metadata-Version: 2.1
Name: prune
Version: {version}
Summary: Prunes neural networks and compiles them for CPUs
License: Apache-2.0 WITH LLVM-exception
Requires-Python: ~={python}.0
Requires-Dist: numpy
"""
WHEEL = """Wheel-Version: 1.0
Generator: prune
Root-Is-Purelib: false
Tag: {tag}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=pathlib.Path, help="the installed package")
    parser.add_argument("--library", type=pathlib.Path, required=True, help="libPrune.so by the name that is linked")
    parser.add_argument("--version", required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder of the wheel")
    options = parser.parse_args()
    major, minor = sys.version_info[:2]
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = f"cp{major}{minor}-cp{major}{minor}-{platform}"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        shutil.copytree(options.package, root / "prune", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(options.library, root / "prune")
        info = root / f"prune-{options.version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(METADATA.format(version=options.version, python=f"{major}.{minor}"))
        (info / "WHEEL").write_text(WHEEL.format(tag=tag))
        command = [sys.executable, "-m", "wheel", "pack", "--dest-dir", options.output, root]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
