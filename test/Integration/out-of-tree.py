# REQUIRES: python-package
# RUN: %python %s %t
"""An installed package serves a CMake project, a C program and Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Installs into an empty prefix, builds the project of examples/out-of-tree with it
and prunes by the criterion that the project adds.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np

from mlirtext import Module, returned_constants

folder = pathlib.Path(sys.argv[1])
prefix, build = folder / "prefix", folder / "build"
shutil.rmtree(prefix, ignore_errors=True)


def call(*command, **options):
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        **options,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


source = pathlib.Path(os.environ["PRUNE_SOURCE_DIR"])
call("cmake", "--install", os.environ["PRUNE_BUILD_DIR"], "--prefix", prefix)

# The project sees the prefix only. Its build folder stays from run to run.
example = source / "examples" / "out-of-tree"
cache = (pathlib.Path(os.environ["PRUNE_BUILD_DIR"]) / "CMakeCache.txt").read_text()
SAME_AS_OURS = (
    "CMAKE_C_COMPILER:",
    "CMAKE_CXX_COMPILER:",
    "CMAKE_CXX_COMPILER_LAUNCHER:",
    "CMAKE_CXX_FLAGS:",
    "CMAKE_EXE_LINKER_FLAGS:",
)
settings = ["-D" + line for line in cache.splitlines() if line.startswith(SAME_AS_OURS)]
settings += [f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release"]
# Configured anew: a compiler of another name would start over without our settings.
(build / "CMakeCache.txt").unlink(missing_ok=True)
call("cmake", "-G", "Ninja", "-S", example, "-B", build, *settings)
call("ninja", "-C", build)

w = np.random.default_rng(3).permutation(np.arange(-6.0, 6.0)).reshape(3, 4)
module = Module()
weight = module.resource("fc", w, "f32")
module.functions.append(
    f"""func.func @main(%x: tensor<2x3xf32>, %i: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<3x4xf32>) {{
  %w = arith.constant {weight}
  %y = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x4xf32>)
                     outs(%i : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y, %w : tensor<2x4xf32>, tensor<3x4xf32>
}}
"""
)
network = folder / "net.mlir"
network.write_text(module.text())


def pruned_by(tool, criterion, *options):
    text = call(tool, *options, network, f"--prune-weights=criterion={criterion} sparsity=0.5")
    return returned_constants(text)[0][1][1]


# The lowest half by value, where prune's own criteria take it by magnitude.
SIGNED = np.where(w < 0, 0, w)
PIPELINE = "prune-weights{criterion=#my.signed sparsity=0.5}"
plugin = build / "MyCriterion.so"
assert (pruned_by(build / "my-opt", "#my.signed") == SIGNED).all()
assert (pruned_by(prefix / "bin/prune-opt", "#my.signed", f"--load-plugin={plugin}") == SIGNED).all()

# Each host knows the type of the attribute that the plugin brings.
np.save(folder / "x.npy", np.eye(2, 3, dtype=np.float32))
np.save(folder / "i.npy", np.zeros((2, 4), np.float32))
call(prefix / "bin/prune-run", f"--load-plugin={plugin}", network, f"--pipeline={PIPELINE}",
     f"--input=@{folder}/x.npy", f"--input=@{folder}/i.npy", f"--output=@{folder}/y.npy")
assert (np.load(folder / "y.npy") == SIGNED[:2]).all()
library = prefix / "lib/libPrune.so"
loads = [f"--load-dialect-plugin={path}" for path in (library, plugin)]
stock = call("mlir-opt", *loads, f"--load-pass-plugin={library}", network,
             f"--pass-pipeline=builtin.module({PIPELINE})")
assert (returned_constants(stock)[0][1][1] == SIGNED).all()
for wrong, said in ((folder / "none.so", "there is no such file"), (library, "is prune itself"),
                    (network, "cannot load plugin")):
    result = subprocess.run([prefix / "bin/prune-opt", f"--load-plugin={wrong}", network],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 3 and said in result.stderr and not result.stdout, result
assert (pruned_by(build / "my-opt", "l1") == pruned_by(prefix / "bin/prune-opt", "l1")).all()

# Another name in the dialect is reported by it.
wrong = subprocess.run(
    [build / "my-opt", network, "--prune-weights=criterion=#my.other sparsity=0.5"],
    capture_output=True, text=True, check=False,
)
assert wrong.returncode == 1 and "unknown criterion 'other'" in wrong.stderr, wrong

# The C program links the installed library.
single = folder / "single.mlir"
single.write_text("func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> { return %x : tensor<3xf32> }")
assert call(build / "prune-and-run", single, "cse") == "result: 1 1 1\n"

# A program in Python loads it, too.
environment = {**os.environ, "PYTHONPATH": str(prefix / "python")}
program = f"""import prune
prune.load_plugin({str(plugin)!r})
module = prune.Module.read({str(network)!r})
module.run({PIPELINE!r})
print(module)
try:
    prune.load_plugin({str(network)!r})
except prune.Error as error:
    assert "cannot load plugin" in str(error)
else:
    raise AssertionError
"""
assert (returned_constants(call(sys.executable, "-c", program, env=environment))[0][1][1] == SIGNED).all()

# Python imports the installed package, and nothing of the build tree.
environment = {**os.environ, "PYTHONPATH": str(prefix / "python")}
program = "import prune; prune.Module.parse('module {}'); print(prune.__file__)"
where = call(sys.executable, "-c", program, env=environment)
assert where.startswith(str(prefix)), where
libraries = call("ldd", *(prefix / "python/prune").glob("*.so"))
assert f"=> {prefix}/python/prune/../../lib/libPrune.so" in libraries, libraries
