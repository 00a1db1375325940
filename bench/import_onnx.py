#!/usr/bin/python3
"""Measures the import of a large ONNX model: time, and peak memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    bench/import_onnx.py --tools build/bin --megabytes 100

Three models of that size are made in a temporary folder: weights stored in the
file, weights in a file beside it, and weights in the typed field that some
exporters use. Each is imported to bytecode a few times; the median time is
printed, and the greatest peak of resident memory, which includes the program and
its libraries, as a multiple of the weights' size.
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import parse

SIDE = 1024


def layers(megabytes):
    """Matrices of 4 MB, as many as are asked for."""
    rng = np.random.default_rng(0)
    for number in range(max(1, megabytes // 4)):
        weights = rng.standard_normal((SIDE, SIDE), dtype=np.float32)
        yield f"layer{number}.weight", weights


def in_file(name, weights, folder):
    return numpy_helper.from_array(weights, name)


def in_field(name, weights, folder):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=weights.shape)
    tensor.float_data.extend(weights.ravel())
    return tensor


def beside(name, weights, folder):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=weights.shape)
    tensor.data_location = TensorProto.EXTERNAL
    with open(os.path.join(folder, "weights.bin"), "ab") as file:
        offset = file.tell()
        file.write(weights.tobytes())
    places = {"location": "weights.bin", "offset": offset, "length": weights.nbytes}
    for key, value in places.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def make(path, store, megabytes):
    """Writes a chain of matrix products."""
    folder = os.path.dirname(path)
    nodes, stored, last = [], [], "x"
    for number, (name, weights) in enumerate(layers(megabytes)):
        stored.append(store(name, weights, folder))
        nodes.append(helper.make_node("MatMul", [last, name], [f"y{number}"]))
        last = f"y{number}"
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, SIDE])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, SIDE])],
        stored,
    )
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets), path)
    return len(stored) * SIDE * SIDE * 4


def in_child(function, *arguments):
    """Runs a function in a process of its own, so that its memory is not ours."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(function(*arguments)).encode())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"{function.__name__} fails"
    os.close(write)
    with os.fdopen(read) as file:
        return int(file.read())


def measure(tool, path):
    """Seconds, seconds of processor time and peak bytes of one import."""
    target = path + ".mlirbc"
    command = [tool, "--import-onnx", path, "-o", target]
    begin = time.monotonic()
    child = os.spawnv(os.P_NOWAIT, tool, command)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - begin
    assert status == 0, f"the import of {path} fails"
    os.remove(target)
    # A child's peak begins with what its parent had.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert usage.ru_maxrss > own, "the peak is this script's own"
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default="build/bin")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    options = parse(parser, {"megabytes": 8, "repeat": 1})
    tool = os.path.join(options.tools, "prune-translate")
    if not os.path.exists(tool):
        sys.exit(f"no {tool}; build it first, or say where with --tools")
    print("| weights | size | seconds | of the processor | peak | peak / size |")
    print("|---|---|---|---|---|---|")
    for store in (in_file, beside, in_field):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            size = in_child(make, path, store, options.megabytes)
            runs = [measure(tool, path) for _ in range(options.repeat)]
        seconds = statistics.median(run[0] for run in runs)
        processor = statistics.median(run[1] for run in runs)
        peak = max(run[2] for run in runs)
        name = store.__name__.replace("_", " ")
        print(
            f"| {name} | {size / 1e6:.0f} MB | {seconds:.2f} | {processor:.2f} "
            f"| {peak / 1e6:.0f} MB | {peak / size:.2f} |"
        )


main()
