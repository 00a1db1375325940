# REQUIRES: onnx
# RUN: %python %s mlp cnn transformer --ratios=0.25,0.5
# RUN: %if data %{ %python %s lenet5_fashion cifar10_resnet20 mlperf_kws_dscnn go1_policy %}
"""Real networks lose channels and equal their masked selves.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

    test/Integration/channel-models.py [--ratios=0.25,0.5] [all | MODEL...]

Each model is imported, the given share of the channels of each group masked, and the
masks folded. The shrunk network has to compute what the masked one does. A network that
others pruned element by element loses its dead neurons without a decision. What is
printed says how many groups could lose channels, and why the others could not; `all`
are the feed-forward models.
"""

import argparse
import collections
import os
import pathlib
import re
import tempfile

import numpy as np

from realmodels import path_of
from tools import output_of, run

FEED_FORWARD = """bh_policy cifar10_resnet20 cifar10_resnet44 cifar10_resnet56
dns_lenet300100_original dns_lenet300100_sparse g1_policy go1_policy handgesture_keypoint
lenet300100_fashion lenet5_fashion mlperf_ad01_autoencoder mlperf_ic01_resnet8
mlperf_kws_dscnn mnist-cnn-2017 mnist-cnn-bn mnist-mlp-softmax
mobilenetv2_imagenet_dequantized shakespeare_gpt super_resolution t1_policy ultraface-RFB-320
ultraface-RFB-320-backbone ultraface-RFB-320-simplified ultraface-slim-320-simplified
yunet_n_320_320""".split()
# At most this share of the weights is left when half of the channels are gone: more
# than a quarter where inputs, outputs, or a normalisation over channels stay.
LIMITS = {
    "cifar10_resnet20": 0.4,
    "cifar10_resnet44": 0.4,
    "cifar10_resnet56": 0.4,
    # Half of one layer, and the biases of the outputs.
    "mnist-mlp-softmax": 0.51,
    # Normalisation over features, and a table that is looked up, keep the residual stream.
    "shakespeare_gpt": 0.55,
    "transformer": 0.55,
}


def printed(module):
    return output_of("prune-opt", module, "--mlir-elide-resource-strings-if-larger=1")


def parameters(module):
    """What the weights' types in a module add up to."""
    text = printed(module)
    shapes = dict(re.findall(r'dense_resource<("[^"]*"|\S+)> : tensor<([\dx]+)xf32>', text))
    return sum(int(np.prod([int(n) for n in s.split("x")])) for s in shapes.values())


def compare(name, before, after):
    """Both on the same recorded or random inputs; sums are in another order."""
    signature = re.search(r"@main\((.*?)\) ->", printed(after), re.S)[1]
    inputs = []
    for at, (shape, kind) in enumerate(re.findall(r"tensor<((?:[?\d]+x)*)(\w+)>", signature)):
        sizes = [2 if size == "?" else int(size) for size in shape.split("x")[:-1]]
        random = np.random.default_rng(at)
        values = random.integers(0, 60, sizes) if kind == "i64" else random.normal(size=sizes)
        np.save(after.parent / f"{at}.npy", values.astype({"i64": "int64"}.get(kind, "float32")))
        inputs.append(f"--input=@{after.parent}/{at}.npy")
    arguments = [*inputs, "--rtol=1e-3", "--atol=1e-4", f"--compare={before}"]
    done = run("prune-run", after, *arguments)
    assert done.returncode == 0, f"{name}: {done.stdout} {done.stderr}"


def import_model(name, folder):
    module = folder / f"{name}.mlirbc"
    output_of("prune-translate", "--import-onnx", path_of(name), "-o", module)
    return module


def describe_groups(module):
    """How many groups are of each kind, and the reasons of those that stay."""
    text = printed(module)
    matrices = set(re.findall(r'dense_resource<"?([^">]*)"?> : tensor<\d+x\d', text))
    done = run("prune-opt", module, "--prune-print-channel-groups", "-o", os.devnull)
    groups = re.findall(r"channel group '.*?': \d+ channels, (\w+); on (.*)", done.stderr)
    counts = collections.Counter()
    for kind, constants in groups:
        names = {word.rsplit("[", 1)[0] for word in constants.split()}
        is_coupled = len(names & matrices) > 1
        counts["kept" if kind != "free" else "coupled" if is_coupled else "free"] += 1
    return counts, collections.Counter(re.findall(r"note: (.*)", done.stderr))


def check_model(name, folder, ratios):
    module = import_model(name, folder)
    counts, reasons = describe_groups(module)
    print(f"{name}: groups {dict(counts)}")
    for reason, count in reasons.most_common():
        print(f"    {count} kept: {reason}")
    for ratio in ratios:
        masked, after = folder / "m.mlirbc", folder / "a.mlirbc"
        decide = [f"--prune-mask-channels=ratio={ratio}", "--prune-fold-masks"]
        output_of("prune-opt", module, *decide, "--emit-bytecode", "-o", masked)
        passes = ["--prune-remove-channels", "--emit-bytecode"]
        output_of("prune-opt", masked, *passes, "-o", after)
        old, new = parameters(masked), parameters(after)
        print(f"    ratio {ratio}: {old} parameters, {new} after ({new / old:.1%})", flush=True)
        if ratio == 0.5:
            assert new <= LIMITS.get(name, 0.5) * old, f"{name} hardly became smaller"
        compare(name, masked, after)


def check_dead(name, folder):
    module, after = import_model(name, folder), folder / "a.mlirbc"
    output_of("prune-opt", module, "--prune-remove-channels", "--emit-bytecode", "-o", after)
    old, new = parameters(module), parameters(after)
    print(f"{name}: {old} parameters, {new} without dead neurons")
    assert new < 0.25 * old, f"{name} kept dead neurons"
    compare(name, module, after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--ratios", default="0.5")
    options = parser.parse_args()
    models = FEED_FORWARD if options.models == ["all"] else options.models
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if "PRUNE_DATA" in os.environ:
            check_dead("dns_lenet300100_sparse", folder)
        for name in models:
            check_model(name, folder, [float(ratio) for ratio in options.ratios.split(",")])


if __name__ == "__main__":
    main()
