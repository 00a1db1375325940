"""Prunes two digit classifiers and prints what it costs and what it gains.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

For each network, pattern and sparsity: prune-opt masks the weights and packs
them, prune-run measures the accuracy on the 360 held-out images and the time of a
call on 24 of them, of the original with dense loops and of the packed network.
Bytes are those of the two files that are timed. What costs more than ten points
of accuracy without retraining is left out.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SETTINGS = {
    "mlp": (("element", 0.5), ("element", 0.8), ("2:4", None), ("block:4x1", 0.5)),
    "cnn": (("element", 0.3), ("element", 0.5), ("2:4", None)),
}


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    return result.stdout


def count_nonzeros(text):
    """Nonzero elements of the weights, read out of the printed resources."""
    blobs = re.findall(r'"?([\w.]+\.weight(?:#\d+)?)"?: "0x([0-9A-F]+)"', text)
    arrays = [np.frombuffer(bytes.fromhex(blob)[4:], "<f4") for _, blob in blobs]
    return sum(np.count_nonzero(a) for a in arrays), sum(a.size for a in arrays)


def evaluate(tools, network, kernels, repeat):
    return json.loads(
        run(
            os.path.join(tools, "prune-run"),
            network,
            f"--kernels={kernels}",
            f"--input=@{HERE}/x.npy",
            f"--labels=@{HERE}/y.npy",
            "--batch",
            f"--repeat={repeat}",
            "--warmup=1",
            "--json",
        )
    )


def write_bytecode(tools, network, path, *passes):
    """Runs passes over a network; returns the bytes of the file."""
    opt = os.path.join(tools, "prune-opt")
    run(opt, network, *passes, "--emit-bytecode", "-o", path)
    return os.path.getsize(path)


def show_change(before, after):
    """The lines of the function that pruning changed, without the data."""
    texts = [run_text.split("{-#")[0].splitlines() for run_text in (before, after)]
    changed = [
        line
        for line in difflib.unified_diff(*texts, lineterm="", n=0)
        if re.match(r"[-+] .*dense_resource", line)
    ]
    print("\nThe lines of IR that changed (mlp, element, 80 %):\n")
    for line in changed[:6]:
        print("  " + re.sub(r"\s+", " ", line))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--tools", default="build/bin", help="folder of prune-opt and prune-run"
    )
    parser.add_argument(
        "--repeat", type=int, default=20, help="timed passes over the test set"
    )
    options = parser.parse_args()
    opt = os.path.join(options.tools, "prune-opt")

    print("360 held-out images of handwritten digits, 24 a call, one thread\n")
    print(
        f"{'network':8} {'pattern':10} {'sparsity':>8} {'top-1 %':>14} "
        f"{'nonzeros':>15} {'bytes':>16} {'dense us':>9} {'packed us':>9}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in SETTINGS.items():
            source = os.path.join(HERE, name + ".mlir")
            # What canonicalisation alone does is no change by pruning.
            original = run(opt, source, "--canonicalize")
            dense = os.path.join(folder, "dense.mlirbc")
            dense_bytes = write_bytecode(options.tools, source, dense)
            pruned = os.path.join(folder, "pruned.mlir")
            packed = os.path.join(folder, "packed.mlirbc")
            for pattern, sparsity in settings:
                target = "" if sparsity is None else f" sparsity={sparsity}"
                run(
                    opt,
                    source,
                    f"--prune-weights=pattern={pattern}{target}",
                    "-o",
                    pruned,
                )
                with open(pruned) as file:
                    text = file.read()
                nonzeros, elements = count_nonzeros(text)
                # Constants that packing replaced leave with the canonicalizer.
                passes = ("--prune-pack-weights", "--canonicalize")
                size = write_bytecode(options.tools, pruned, packed, *passes)
                # In turn, so that both meet the same machine.
                before = evaluate(options.tools, dense, "dense", options.repeat)
                after = evaluate(options.tools, packed, "packed", options.repeat)
                achieved = 100 * (1 - nonzeros / elements)
                print(
                    f"{name:8} {pattern:10} {achieved:7.1f}% "
                    f"{before['top1']:6.2f} ->{after['top1']:6.2f} "
                    f"{nonzeros:7d}/{elements:7d} "
                    f"{dense_bytes:7d} ->{size:7d} "
                    f"{before['median_us']:9.1f} {after['median_us']:9.1f}"
                )
                if (name, pattern, sparsity) == ("mlp", "element", 0.8):
                    changed = text
                    unchanged = original
        show_change(unchanged, changed)


if __name__ == "__main__":
    main()
