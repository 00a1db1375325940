"""Makes a faster network of an ONNX file, and shows what it costs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    examples/demo.py model.onnx --tools=build/bin --output=demo

Writes two networks to the folder of `--output`:

    smaller.onnx     30 % of the channels of each hidden layer are removed; the file is
                     ONNX again, for any runtime
    packed.mlirbc    70 % of the elements of each weight are removed, and what is left
                     is packed for kernels that skip the others

A table shows size, accuracy and time of a call before and after, on the held-out
digits of examples/digits. Fails if a pruned network does not answer what the same
network answers with its weights only masked.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

DIGITS = pathlib.Path(__file__).resolve().parent / "digits"
BATCH = 24  # images of a call; divides the number of held-out images
ROUNDS = 5


def run(*command):
    command = [str(word) for word in command]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\nfailed with exit code {result.returncode}:\n{result.stderr}{result.stdout}")
    return result.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path, help="ONNX file of a network that classifies 8x8 images")
    parser.add_argument("--tools", type=pathlib.Path, default="build/bin", help="folder of prune-opt and prune-run")
    parser.add_argument("--output", type=pathlib.Path, default="demo", help="folder to write the networks to")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    translate, opt, prune_run = (options.tools / f"prune-{name}" for name in ("translate", "opt", "run"))
    fix_batch = f"--dim=x:0={BATCH}"

    def file(name):
        return options.output / name

    # Channels: decide, fold the masks, remove, and write ONNX again.
    run(translate, options.model, "-o", file("model.mlirbc"))
    decide = "--prune-mask-channels=ratio=0.3 round-to=8 merge"
    run(opt, file("model.mlirbc"), decide, "--prune-fold-masks", "-o", file("masked-channels.mlirbc"))
    run(opt, file("masked-channels.mlirbc"), "--prune-remove-channels", "-o", file("removed-channels.mlirbc"))
    run(translate, file("removed-channels.mlirbc"), f"--template={options.model}", "-o", file("smaller.onnx"))

    # Elements: decide and fold, then pack.
    run(translate, options.model, fix_batch, "-o", file("model.mlirbc"))
    run(opt, file("model.mlirbc"), "--prune-weights=sparsity=0.7", "-o", file("masked-elements.mlirbc"))
    pack = ("--prune-pack-weights", "--canonicalize")
    run(opt, file("masked-elements.mlirbc"), *pack, "-o", file("packed.mlirbc"))

    def evaluate(network, kernels, *more):
        batch = [fix_batch] if network.suffix == ".onnx" else []
        images = (f"--input=@{DIGITS}/x.npy", f"--labels=@{DIGITS}/y.npy", "--batch")
        return run(prune_run, network, *batch, f"--kernels={kernels}", *images, *more)

    # A difference beyond the tolerance ends prune-run with exit code 4.
    tolerance = ("--rtol=1e-4", "--atol=1e-4")
    masked = {"smaller.onnx": "masked-channels.mlirbc", "packed.mlirbc": "masked-elements.mlirbc"}
    networks = [(options.model, "dense"), (file("smaller.onnx"), "dense"), (file("packed.mlirbc"), "packed")]
    for network, kernels in networks[1:]:
        reference = (f"--compare={file(masked[network.name])}", "--compare-kernels=dense")
        evaluate(network, kernels, *reference, *tolerance)
        print(f"{network.name} answers as the masked network does")

    # In turn, so that all meet the same machine.
    times = {network: [] for network, _ in networks}
    accuracy = {}
    for _ in range(ROUNDS):
        for network, kernels in networks:
            measured = json.loads(evaluate(network, kernels, "--repeat=10", "--warmup=1", "--json"))
            times[network].append(measured["median_us"])
            accuracy[network] = measured["top1"]
    medians = {network: statistics.median(values) for network, values in times.items()}

    print("\n360 held-out images of handwritten digits, 24 a call, one thread\n")
    print(f"{'file':14} {'kernels':7} {'bytes':>8} {'top-1':>8} {'us a call':>10} {'faster':>7}")
    for network, kernels in networks:
        factor = medians[options.model] / medians[network]
        print(
            f"{network.name:14} {kernels:7} {network.stat().st_size:8,} {accuracy[network]:6.2f} % "
            f"{medians[network]:10.1f} {factor:6.2f}x"
        )
    print(f"\nBoth are in {options.output}.")


if __name__ == "__main__":
    main()
