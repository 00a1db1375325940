"""lit configuration: where tests are, what they may call, what is there."""

import ctypes
import importlib.util
import os
import subprocess

import lit.formats
import lit.util

# Generated code can be tested for an older processor than this one.
cpu = os.environ.get("PRUNE_CPU", "")
config.name = f"prune-{cpu}" if cpu else "prune"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".py"]
config.excludes = ["lit.cfg.py", "lit.site.cfg.py", "Inputs", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.prune_build_dir, "test")

path = os.pathsep.join(
    [config.prune_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
)
config.environment["PATH"] = path
config.environment["FILECHECK_OPTS"] = (
    "-enable-var-scope --allow-unused-prefixes=false"
)
# Python tests import shared helpers from here.
python_path = [os.path.join(config.test_source_root, "Inputs")]
if config.is_sanitized:
    config.available_features.add("sanitized")
if config.has_python_package:
    config.available_features.add("python-package")
    python_path.append(os.path.join(config.prune_build_dir, "python"))
config.environment["PYTHONPATH"] = os.pathsep.join(python_path)
# How much tests do, and for which processor.
for name, value in os.environ.items():
    if name.startswith("PRUNE_") and name != "PRUNE_DATA":
        config.environment[name] = value
config.environment["PRUNE_TOOLS_DIR"] = config.prune_tools_dir
config.environment["PRUNE_BUILD_DIR"] = config.prune_build_dir
config.environment["PRUNE_SOURCE_DIR"] = config.prune_source_dir

config.substitutions.append(("%python", config.python))
config.substitutions.append(
    ("%plugin", os.path.join(config.prune_build_dir, "lib", "PrunePlugin.so"))
)
config.substitutions.append(("%source_dir", config.prune_source_dir))


# Programs on several threads call LLVM's OpenMP runtime.
try:
    ctypes.CDLL("libomp.so.5")
    config.available_features.add("openmp")
except OSError:
    lit_config.note("tests on several threads are skipped: no libomp.so.5")

# A release archive holds a wheel.
if importlib.util.find_spec("wheel"):
    config.available_features.add("wheel")

# AArch64 programs run under an emulator.
if lit.util.which("qemu-aarch64"):
    config.available_features.add("aarch64")

if config.prune_enable_onnx == "ON":
    config.available_features.add("onnx")

# ONNX Runtime, with which results are compared: the npm package onnxruntime-node,
# where NODE_PATH says or where scripts/setup.sh puts it.
config.environment["NODE_PATH"] = os.environ.get(
    "NODE_PATH", os.path.join(config.prune_source_dir, "build", "node_modules")
)
if lit.util.which("node", path):
    found = subprocess.run(
        ["node", "-e", "require.resolve('onnxruntime-node')"],
        capture_output=True,
        env={**os.environ, "NODE_PATH": config.environment["NODE_PATH"]},
        check=False,
    )
    if found.returncode == 0:
        config.available_features.add("onnxruntime")

# Real models and data sets, which are not part of the project, lie where
# PRUNE_DATA says.
data = os.environ.get("PRUNE_DATA", "")
if os.path.exists(os.path.join(data, "INDEX.md")):
    config.available_features.add("data")
    config.environment["PRUNE_DATA"] = os.path.abspath(data)
    config.substitutions.append(("%data", os.path.abspath(data)))
else:
    lit_config.note("tests that need real models are skipped: PRUNE_DATA names none")
