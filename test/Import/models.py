# Real models import, lower and give the outputs recorded with another runtime, with
# dense and with packed kernels, and their weights are reported; those with operators of another domain are refused and
# nothing is written.
# Prints a line for each model. Arguments after the folders select models.
# REQUIRES: onnx, data
# RUN: %python %s %data/models %t

import concurrent.futures
import json
import os
import re
import shutil
import sys
import time

import numpy as np
import onnx
from onnx import numpy_helper

from onnx_files import find_weights
from tools import output_of, run


def convert(folder, kind, out):
    """Writes kind_0.pb, kind_1.pb ... as .npy files and lists them."""
    names = []
    while os.path.exists(f"{folder}/{kind}_{len(names)}.pb"):
        tensor = onnx.TensorProto()
        with open(f"{folder}/{kind}_{len(names)}.pb", "rb") as file:
            tensor.ParseFromString(file.read())
        names.append(f"{out}/{kind}_{len(names)}.npy")
        np.save(names[-1], numpy_helper.to_array(tensor))
    return names


def foreign_operators(path):
    """Operators of other domains than ONNX's own."""
    nodes = onnx.load(path).graph.node
    return {n.op_type for n in nodes if n.domain not in ("", "ai.onnx")}


def check_refused(model, out, foreign):
    """One line names each operator, and there is no file."""
    result = run("prune-translate", "--import-onnx", model, "-o", f"{out}/model.mlirbc")
    assert result.returncode == 1, f"{model}: exit code {result.returncode}"
    for name in foreign:
        pattern = rf"error: operator '{name}' of domain '\S+' is not supported in opset"
        assert re.search(pattern, result.stderr), f"{name}: {result.stderr}"
    assert not os.listdir(out), os.listdir(out)
    return f"refused: {', '.join(sorted(foreign))}"


def import_model(model, inputs, module):
    """Imports; fixes open sizes as the inputs have them if that is asked for."""
    arguments = ["--import-onnx", model, "-o", module]
    result = run("prune-translate", *arguments)
    if result.returncode == 0:
        return
    assert result.returncode == 1 and "fix them with --dim" in result.stderr, (
        f"exit code {result.returncode}: {result.stderr}"
    )
    graph = onnx.load(model).graph
    for info, name in zip(graph.input, inputs):
        for at, dim in enumerate(info.type.tensor_type.shape.dim):
            if not dim.HasField("dim_value"):
                arguments.append(f"--dim={info.name}:{at}={np.load(name).shape[at]}")
    output_of("prune-translate", *arguments)


def check_report(model, module, out):
    """The report names every weight that the ONNX file has, or says why not."""
    arguments = [f"--prune-report-weights=format=json output={out}/report.json"]
    output_of("prune-opt", module, *arguments, "-o", os.devnull)
    with open(f"{out}/report.json") as file:
        report = json.load(file)
    named = {entry["name"] for entry in report["weights"]}
    named |= {entry["name"] for entry in report["not_pruned"]}
    missing = {tensor.name for tensor in find_weights(onnx.load(model))} - named
    assert not missing, f"not in the report: {missing}"
    return len(report["weights"])


def check_outputs(folder, out):
    module = f"{out}/model.mlirbc"
    inputs = convert(folder, "input", out)
    expected = convert(folder, "output", out)
    assert expected, f"{folder} has no recorded outputs"
    begin = time.monotonic()
    import_model(f"{folder}/model.onnx", inputs, module)
    imported = time.monotonic()
    weights = check_report(f"{folder}/model.onnx", module, out)
    line = f"{weights:2} weights, import {imported - begin:5.2f} s"
    arguments = [f"--input=@{name}" for name in inputs]
    arguments += [f"--expected=@{name}" for name in expected]
    for kernels in ("dense", "packed"):
        begin = time.monotonic()
        text = output_of(
            "prune-run",
            module,
            f"--kernels={kernels}",
            "--rtol=1e-3",
            "--atol=1e-4",
            "--json",
            *arguments,
            timeout=1800,
        )
        report = json.loads(text)
        assert report["leaked_allocations"] == 0, report
        line += (
            f"; {kernels}: compile and run {time.monotonic() - begin:6.2f} s, a call"
            f" {report['median_us']:9.0f} us, largest error {report['max_abs_error']:.2g}"
        )
    return line


def check(folder, out):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    foreign = foreign_operators(f"{folder}/model.onnx")
    try:
        if foreign:
            return check_refused(f"{folder}/model.onnx", out, foreign)
        return check_outputs(folder, out)
    except AssertionError as error:
        return f"FAILS: {error}"


def main(models, out, only):
    names = sorted(only or os.listdir(models))
    assert names, f"no models in {models}"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        lines = pool.map(lambda name: check(f"{models}/{name}", f"{out}/{name}"), names)
    failures = []
    for name, line in zip(names, lines):
        print(f"{name:33} {line}", flush=True)
        if line.startswith("FAILS"):
            failures.append(name)
    assert not failures, failures


main(sys.argv[1], sys.argv[2], sys.argv[3:])
