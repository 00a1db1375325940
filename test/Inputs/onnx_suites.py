"""ONNX's own backend tests: where they are, and one of them run.

A test is a folder with `model.onnx` and `test_data_set_k/{input,output}_i.pb`.
The tarball of recorded tests is used if it is there, else the single-node tests
that python3-onnx generates."""

import glob
import os
import re
import subprocess
import tarfile

import numpy as np
import onnx
from onnx import numpy_helper

# Inputs that say a shape, by operator: bound as constants, which is what models
# have there.
SHAPES = {
    "ConstantOfShape": [0],
    "CumSum": [1],
    "Expand": [1],
    "MelWeightMatrix": [0, 1, 2, 3, 4],
    "Pad": [1, 2, 3],
    "Range": [0, 1, 2],
    "Reshape": [1],
    "Resize": [1, 2, 3],
    "Slice": [1, 2, 3, 4],
    "Split": [1],
    "Squeeze": [1],
    "Tile": [1],
    "TopK": [1],
    "Unsqueeze": [1],
    "Upsample": [1],
    "Dropout": [1, 2],
    "OneHot": [1],
}


def unpack(data, out):
    """The folders of all tests, by suite."""
    tarballs = glob.glob(f"{data}/conformance/*.tar.gz") if data else []
    if tarballs:
        with tarfile.open(tarballs[0]) as file:
            file.extractall(out)
    else:
        generate(os.path.join(out, "node"))
    suites = {}
    for model in sorted(glob.glob(f"{out}/**/model.onnx", recursive=True)):
        folder = os.path.dirname(model)
        suite = os.path.basename(os.path.dirname(folder))
        suites.setdefault(suite, []).append(folder)
    return suites


def generate(out):
    # onnx 1.12 uses names that newer versions of numpy have dropped.
    for kind in (bool, float, int, object):
        vars(np).setdefault(kind.__name__, kind)
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(None):
        folder = os.path.join(out, case.name)
        os.makedirs(folder, exist_ok=True)
        onnx.save(case.model, f"{folder}/model.onnx")
        for number, (inputs, outputs) in enumerate(case.data_sets):
            where = f"{folder}/test_data_set_{number}"
            os.makedirs(where, exist_ok=True)
            for kind, values in (("input", inputs), ("output", outputs)):
                for at, value in enumerate(values):
                    # NumPy computes scalars where a tensor has rank 0. Sequences
                    # are no tensors; what is left of them is their number.
                    is_tensor = isinstance(value, (np.ndarray, np.generic))
                    tensor = numpy_helper.from_array(np.asarray(value)) if is_tensor else None
                    with open(f"{where}/{kind}_{at}.pb", "wb") as file:
                        file.write(tensor.SerializeToString() if is_tensor else b"")


BFLOAT16 = onnx.TensorProto.BFLOAT16


def widen(infos, values):
    """bfloat16 is recorded as its bits; .npy files hold it as float32."""
    for at, (info, value) in enumerate(zip(infos, values)):
        if value is None:
            continue
        if info.type.tensor_type.elem_type == BFLOAT16:
            wide = value.astype(np.uint16).astype(np.uint32) << 16
            values[at] = wide.view(np.float32)
        # Tensors of which only the type counts are recorded too short.
        if info.name == "like":
            shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
            values[at] = np.resize(values[at], shape)


def read(folder, kind):
    """The tensors of a data set; None for what is not a tensor."""
    values = []
    while os.path.exists(f"{folder}/{kind}_{len(values)}.pb"):
        with open(f"{folder}/{kind}_{len(values)}.pb", "rb") as file:
            bytes_ = file.read()
        try:
            tensor = onnx.TensorProto()
            tensor.ParseFromString(bytes_)
            values.append(numpy_helper.to_array(tensor))
        except Exception:
            values.append(None)
    return values


def bind(model, inputs):
    """Makes constants of inputs that say shapes; returns those that stay."""
    names = {i.name for i in model.graph.initializer}
    free = [i for i in model.graph.input if i.name not in names]
    bound = set()
    for node in model.graph.node:
        positions = list(SHAPES.get(node.op_type, []))
        if node.op_type.startswith("Reduce"):
            positions = [1]
        bound |= {node.input[p] for p in positions if p < len(node.input)}
    kept = []
    for info, value in zip(free, inputs):
        if info.name in bound and value is not None:
            tensor = numpy_helper.from_array(np.asarray(value), info.name)
            model.graph.initializer.append(tensor)
            model.graph.input.remove(info)
        else:
            kept.append(value)
    return kept


def save(value, path):
    # Integers carry no sign in MLIR.
    if value.dtype.kind == "u":
        value = value.view(f"i{value.dtype.itemsize}")
    np.save(path, value)


def run(folder, out, timeout=900):
    """One of ("pass", ""), ("refused", diagnostic), ("wrong", why)."""
    os.makedirs(out, exist_ok=True)
    sets = sorted(glob.glob(f"{folder}/test_data_set_*"))
    for data in sets or [folder]:
        model = onnx.load(f"{folder}/model.onnx", load_external_data=False)
        inputs, outputs = read(data, "input"), read(data, "output")
        widen(model.graph.input, inputs)
        widen(model.graph.output, outputs)
        inputs = bind(model, inputs)
        onnx.save(model, f"{out}/model.onnx")
        result = subprocess.run(
            ["prune-translate", "--import-onnx", f"{out}/model.onnx"]
            + ["-o", f"{out}/model.mlir"],
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if result.returncode != 0:
            message = result.stderr.strip()
            if result.returncode == 1 and "error: " in message:
                return "refused", re.sub(r"^.*?error: ", "", message)
            return "wrong", f"exit {result.returncode}: {message[-400:]}"
        if not outputs or any(value is None for value in inputs + outputs):
            return "wrong", "imported, but inputs or outputs are no tensors"
        arguments = []
        for kind, values in (("input", inputs), ("expected", outputs)):
            for at, value in enumerate(values):
                save(value, f"{out}/{kind}_{at}.npy")
                arguments.append(f"--{kind}=@{out}/{kind}_{at}.npy")
        # Recorded bfloat16 is cut off instead of rounded: one bit of eight.
        narrow = any(
            o.type.tensor_type.elem_type == BFLOAT16 for o in model.graph.output
        )
        result = subprocess.run(
            ["prune-run", f"{out}/model.mlir"]
            + [f"--rtol={8e-3 if narrow else 1e-3}", "--atol=1e-6"]
            + arguments,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if result.returncode != 0:
            text = (result.stderr + result.stdout).strip()
            return "wrong", f"run exits {result.returncode}: {text[:400]}"
    return "pass", ""
