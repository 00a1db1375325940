# RUN: %python %s %t
"""Statistics of what layers read, and masks by them, equal NumPy's.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Networks are observed, run on data in batches and written with the record
prune.statistics; prune-opt makes masks of that file alone. NumPy looks at each element
of a weight and at all numbers that it multiplies.
"""

import json
import pathlib
import sys

import numpy as np
from mlirtext import Module, dense, quantize, read_resources, tensor
from tools import output_of, run

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(11)
SAMPLES = 10
ALL = ["count", "mean", "second_moment", "min", "max", "zeros", "input_norm"]


# -- Layers --------------------------------------------------------------------


def filled(name, type_name):
    """An empty tensor of zeros of that type."""
    element = type_name.split("x")[-1][:-1]
    dynamic = "(%n)" if "?" in type_name else "()"
    return f"""  %{name}e = tensor.empty{dynamic} : {type_name}
  %{name} = linalg.fill ins(%zero : {element}) outs(%{name}e : {type_name}) -> {type_name}
"""


def function(x, y, weight, body, element="f32"):
    """A function with an open batch; `body` computes %y of %x, %w and %o."""
    open_x, open_y = ("tensor<?x" + "".join(f"{size}x" for size in shape[1:]) + element + ">" for shape in (x, y))
    body = body.replace("TX", open_x).replace("TY", open_y).replace("TW", tensor(weight, element))
    return f"""func.func @main(%x: {open_x}) -> {open_y} {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : {element}
  %n = tensor.dim %x, %c0 : {open_x}
  %w = arith.constant W
{filled("o", open_y)}{body}
  return %y : {open_y}
}}
"""


def windows(x, kernel, strides, dilations):
    """x is [n, c, h, w]; the result [n, oh, ow, c, kh, kw]."""
    size = [(extent - d * (k - 1) - 1) // s + 1
            for extent, k, s, d in zip(x.shape[2:], kernel, strides, dilations)]
    rows = np.arange(size[0])[:, None] * strides[0] + np.arange(kernel[0]) * dilations[0]
    columns = np.arange(size[1])[:, None] * strides[1] + np.arange(kernel[1]) * dilations[1]
    cut = x[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return cut.transpose(0, 2, 3, 1, 4, 5)


CONV = "dilations = dense<[1, 2]> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>"
STEPS = ((3, 2), (2, 1), (1, 2))


def matrix(element="f32"):
    body = "  %y = linalg.matmul ins(%x, %w : TX, TW) outs(%o : TY) -> TY"
    x = RNG.normal(size=(SAMPLES, 6)) * (RNG.random((SAMPLES, 6)) < 0.7)
    return (6, 5), x, function((0, 6), (0, 5), (6, 5), body, element), lambda x: x[:, :, None]


def square_transposed():
    """Outputs by inputs, and square: the shape alone does not say which is which."""
    body = """  %te = tensor.empty() : TW
  %t = linalg.transpose ins(%w : TW) outs(%te : TW) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : TX, TW) outs(%o : TY) -> TY"""
    x = RNG.normal(size=(SAMPLES, 5))
    return (5, 5), x, function((0, 5), (0, 5), (5, 5), body), lambda x: x[:, None, :]


def padded_convolution():
    body = f"""  %p = tensor.pad %x low[0, 0, 1, 2] high[0, 0, 1, 0] {{
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  }} : TX to tensor<?x3x9x8xf32>
  %y = linalg.conv_2d_nchw_fchw {{{CONV}}} ins(%p, %w : tensor<?x3x9x8xf32>, TW) outs(%o : TY) -> TY"""

    def read(x):
        x = np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 0)))
        return windows(x, *STEPS).reshape(-1, 1, 3, 3, 2)

    x = RNG.normal(size=(SAMPLES, 3, 7, 6))
    return (4, 3, 3, 2), x, function((0, 3, 7, 6), (0, 4, 4, 6), (4, 3, 3, 2), body), read


def channels_last():
    body = f"  %y = linalg.conv_2d_nhwc_hwcf {{{CONV}}} ins(%x, %w : TX, TW) outs(%o : TY) -> TY"

    def read(x):
        cut = windows(x.transpose(0, 3, 1, 2), *STEPS)  # [n, oh, ow, c, kh, kw]
        return cut.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 3, 2, 3, 1)

    x = RNG.normal(size=(SAMPLES, 7, 8, 3))
    return (3, 2, 3, 4), x, function((0, 7, 8, 3), (0, 3, 6, 4), (3, 2, 3, 4), body), read


def depthwise():
    body = f"  %y = linalg.depthwise_conv_2d_nchw_chw {{{CONV}}} ins(%x, %w : TX, TW) outs(%o : TY) -> TY"
    x = RNG.normal(size=(SAMPLES, 3, 7, 8))
    return (3, 3, 2), x, function((0, 3, 7, 8), (0, 3, 3, 6), (3, 3, 2), body), \
        lambda x: windows(x, *STEPS).reshape(-1, 3, 3, 2)


def grouped():
    """Two groups of two filters, each of three channels of its own."""
    body = f"""  %c1 = arith.constant 1 : index
  %g = tensor.expand_shape %x [[0], [1, 2], [3], [4]] output_shape [%n, 2, 3, 7, 8] : TX into tensor<?x2x3x7x8xf32>
  %v = tensor.expand_shape %w [[0, 1], [2], [3], [4]] output_shape [2, 2, 3, 3, 2] : TW into tensor<2x2x3x3x2xf32>
  %i = tensor.expand_shape %o [[0], [1, 2], [3], [4]] output_shape [%n, 2, 2, 3, 6] : TY into tensor<?x2x2x3x6xf32>
  %r = linalg.conv_2d_ngchw_gfchw {{{CONV}}} ins(%g, %v : tensor<?x2x3x7x8xf32>, tensor<2x2x3x3x2xf32>) outs(%i : tensor<?x2x2x3x6xf32>) -> tensor<?x2x2x3x6xf32>
  %y = tensor.collapse_shape %r [[0], [1, 2], [3], [4]] : tensor<?x2x2x3x6xf32> into TY"""

    def read(x):
        cut = windows(x, *STEPS).reshape(-1, 2, 1, 3, 3, 2)
        return np.repeat(cut, 2, axis=2).reshape(-1, 4, 3, 3, 2)

    x = RNG.normal(size=(SAMPLES, 6, 7, 8))
    return (4, 3, 3, 2), x, function((0, 6, 7, 8), (0, 4, 3, 6), (4, 3, 3, 2), body), read


# -- Statistics ----------------------------------------------------------------


def expected(rows):
    """Of numbers [rows, weight's dimensions or 1]."""
    square = (rows * rows).sum(0)
    return {
        "count": np.full(rows.shape[1:], float(len(rows))),
        "mean": rows.mean(0),
        "second_moment": square / len(rows),
        "min": rows.min(0),
        "max": rows.max(0),
        "zeros": (rows == 0).mean(0),
        "input_norm": np.sqrt(square),
    }


def statistics_of(path):
    output_of("prune-opt", path, f"--prune-print-statistics=format=json output={path}.json", "-o", "/dev/null")
    entries = json.loads(pathlib.Path(f"{path}.json").read_text())
    return {(e["weight"], e["statistic"]): np.array(e["values"], np.float64).reshape(e["shape"]) for e in entries}


def observe(name, text, x, *options):
    """The path of the network with statistics."""
    path, data, result = OUT / f"{name}.mlir", OUT / f"{name}.npy", OUT / f"{name}-seen.mlir"
    path.write_text(text)
    np.save(data, x)
    output_of("prune-run", path, "--pipeline=prune-insert-observers", f"--input=@{data}",
              f"--statistics={result}", *options)
    return result


def close(found, wanted, what, exact=False):
    assert found.shape == wanted.shape, (what, found.shape, wanted.shape)
    bound = 0 if exact else 1e-13
    assert np.all(np.abs(found - wanted) <= bound * (1 + np.abs(wanted))), (what, found, wanted)


# -- Masks ---------------------------------------------------------------------


def removed(scores, sparsity):
    """Where the lowest scores are, the first ones among equals."""
    order = np.argsort(scores, axis=None, kind="stable")
    mask = np.zeros(scores.size, bool)
    mask[order[: int(np.floor(scores.size * sparsity))]] = True
    return mask.reshape(scores.shape)


def relative(weight, norms, inputs, outputs, power):
    magnitude = np.abs(weight)
    sums = [np.zeros(weight.shape) for _ in range(2)]
    for total, index in zip(sums, (inputs, outputs)):
        index = np.broadcast_to(index, weight.shape)
        for value in np.unique(index):
            total[index == value] = magnitude[index == value].sum()
    return (magnitude / sums[0] + magnitude / sums[1]) * norms**power


def check_masks(name, path, weight, found):
    norms = np.broadcast_to(found["w", "input_norm"], weight.shape)
    inputs, outputs = found["w", "input_index"], found["w", "output_index"]
    cases = {
        "wanda": np.abs(weight) * norms,
        "ria": relative(weight, norms, inputs, outputs, 0.5),
        "#prune.ria<power=1.0>": relative(weight, norms, inputs, outputs, 1.0),
    }
    for criterion, scores in cases.items():
        text = output_of("prune-opt", path, f"--prune-mask-weights=criterion={criterion} sparsity=0.5 include=w",
                         "--prune-fold-masks")
        values = np.frombuffer(read_resources(text)["w#1"], np.float32).reshape(weight.shape)
        assert np.array_equal(values == 0, removed(scores, 0.5)), (name, criterion)


def check(name, case, element="f32"):
    shape, x, text, read = case
    x = quantize(x, element)
    weight = quantize(RNG.normal(size=shape), element)
    module = Module()
    module.functions.append(text.replace("constant W", "constant " + module.resource("w", weight, element)))
    text = module.text()
    data = x.astype({"f64": np.float64, "f16": np.float16}.get(element, np.float32))
    wanted = expected(read(x))
    seen = {}
    for kernels in ("packed", "dense", "reference"):
        path = observe(f"{name}-{kernels}", text, data, "--batch=3", f"--kernels={kernels}")
        seen[kernels] = statistics_of(path)
        for statistic in ALL:
            close(seen[kernels]["w", statistic], wanted[statistic], (name, kernels, statistic),
                  exact=statistic in ("count", "min", "max"))
    assert all(np.array_equal(seen[k][key], seen["dense"][key]) for k in seen for key in seen["dense"]), name
    assert "prune.observe" not in path.read_text()
    if element == "f32":
        check_masks(name, path, weight, seen["dense"])
    return text, data, seen["dense"]


# -- What numbers mean ---------------------------------------------------------


def check_indices(found):
    """Of two groups with two filters of three channels."""
    inputs, outputs = found["w", "input_index"], found["w", "output_index"]
    assert inputs.shape == (4, 3, 3, 2) and outputs.shape == (4, 1, 1, 1)
    assert np.array_equal(inputs[0].reshape(-1), np.arange(18)) and np.array_equal(inputs[0], inputs[1])
    assert np.array_equal(inputs[2].reshape(-1), np.arange(18, 36))
    assert np.array_equal(outputs.reshape(-1), np.arange(4))


def check_gram(text, data, rows, groups):
    """Features in the order of the weight, groups apart."""
    path = OUT / "gram.mlir"
    path.write_text(text)
    np.save(OUT / "gram.npy", data)
    output_of("prune-run", path, "--pipeline=prune-insert-observers{what=gram}", f"--input=@{OUT}/gram.npy",
              "--batch=4", f"--statistics={OUT}/gram-seen.mlirbc")
    gram = statistics_of(OUT / "gram-seen.mlirbc")["w", "gram"]
    parts = rows.reshape(len(rows), groups, -1).transpose(1, 0, 2)
    close(gram, parts.transpose(0, 2, 1) @ parts, "gram")


def two_layers():
    """The second layer sees what the first one computes; a weight twice is one weight."""
    module = Module()
    w, v = quantize(RNG.normal(size=(6, 6)), "f32"), quantize(RNG.normal(size=(6, 2)), "f32")
    x = RNG.normal(size=(8, 6)).astype(np.float32)
    module.functions.append(f"""func.func @main(%x: tensor<4x6xf32>) -> tensor<4x2xf32> {{
  %w = arith.constant {module.resource("w", w, "f32")}
  %v = arith.constant {module.resource("v", v, "f32")}
  %o = arith.constant dense<0.0> : tensor<4x6xf32>
  %p = arith.constant dense<0.0> : tensor<4x2xf32>
  %a = linalg.matmul ins(%x, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%o : tensor<4x6xf32>) -> tensor<4x6xf32>
  %b = linalg.max ins(%a, %o : tensor<4x6xf32>, tensor<4x6xf32>) outs(%o : tensor<4x6xf32>) -> tensor<4x6xf32>
  %c = linalg.matmul ins(%b, %w : tensor<4x6xf32>, tensor<6x6xf32>) outs(%o : tensor<4x6xf32>) -> tensor<4x6xf32>
  %d = linalg.matmul ins(%c, %v : tensor<4x6xf32>, tensor<6x2xf32>) outs(%p : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %d : tensor<4x2xf32>
}}
""")
    path = observe("two", module.text(), x, "--batch", f"--output=@{OUT}/two-y.npy")
    found = statistics_of(path)
    hidden = np.maximum(x.astype(np.float64) @ w, 0)
    for name, rows in (("w", np.concatenate([x, hidden])), ("v", hidden @ w)):
        for statistic, wanted in expected(rows[:, :, None].astype(np.float64)).items():
            difference = np.abs(found[name, statistic] - wanted)
            assert np.all(difference <= 1e-5 * (1 + np.abs(wanted))), (name, statistic, difference)
    # The network computes what it did before.
    output_of("prune-run", OUT / "two.mlir", f"--input=@{OUT}/two.npy", "--batch", f"--expected=@{OUT}/two-y.npy")
    # A module that is observed runs without a collector, too.
    seen = OUT / "two-observed.mlir"
    output_of("prune-opt", OUT / "two.mlir", "--prune-insert-observers", "-o", seen)
    output_of("prune-run", seen, f"--input=@{OUT}/two.npy", "--batch", f"--expected=@{OUT}/two-y.npy")
    return seen


def channels():
    """Criteria of channels read what the next layer reads: neurons behind a ReLU."""
    module = Module()
    w, v = quantize(RNG.normal(size=(5, 8)), "f32"), quantize(RNG.normal(size=(8, 3)), "f32")
    x = RNG.normal(size=(SAMPLES, 5)).astype(np.float32)
    module.functions.append(f"""func.func @main(%x: tensor<10x5xf32>) -> tensor<10x3xf32> {{
  %w = arith.constant {module.resource("w", w, "f32")}
  %v = arith.constant {module.resource("v", v, "f32")}
  %o = arith.constant dense<0.0> : tensor<10x8xf32>
  %p = arith.constant dense<0.0> : tensor<10x3xf32>
  %a = linalg.matmul ins(%x, %w : tensor<10x5xf32>, tensor<5x8xf32>) outs(%o : tensor<10x8xf32>) -> tensor<10x8xf32>
  %b = linalg.max ins(%a, %o : tensor<10x8xf32>, tensor<10x8xf32>) outs(%o : tensor<10x8xf32>) -> tensor<10x8xf32>
  %c = linalg.matmul ins(%b, %v : tensor<10x8xf32>, tensor<8x3xf32>) outs(%p : tensor<10x3xf32>) -> tensor<10x3xf32>
  return %c : tensor<10x3xf32>
}}
""")
    path = observe("channels", module.text(), x)
    hidden = np.maximum(x.astype(np.float64) @ w, 0)
    for criterion, scores in (("mean-activation", hidden.mean(0)), ("zero-share", (hidden > 0).mean(0))):
        text = output_of("prune-opt", path, f"--prune-mask-channels=criterion={criterion} ratio=0.5",
                         "--prune-fold-masks")
        found = np.frombuffer(read_resources(text)["w#1"], np.float32).reshape(w.shape)
        assert np.array_equal((found == 0).all(0), removed(scores, 0.5)), (criterion, scores, found)


def run_time_scores():
    """Wanda on a weight that only the run knows equals Wanda on constants."""
    norms = RNG.random((3, 1, 4)) + 0.5
    weight = RNG.normal(size=(3, 5, 4)).astype(np.float32)
    path, data = OUT / "scores.mlir", OUT / "scores.npy"
    path.write_text(f"""func.func @main(%w: tensor<3x5x4xf32>) -> tensor<3x5x4xf64> {{
  %n = arith.constant {dense(norms, "f64")}
  %s = prune.score %w stats(%n) {{criterion = #prune.wanda}} : tensor<3x5x4xf32>, tensor<3x1x4xf64> -> tensor<3x5x4xf64>
  return %s : tensor<3x5x4xf64>
}}
""")
    np.save(data, weight)
    output_of("prune-run", path, f"--input=@{data}", f"--output=@{OUT}/scores-y.npy")
    assert np.array_equal(np.load(OUT / "scores-y.npy"), np.abs(weight.astype(np.float64)) * norms)


# -- Errors --------------------------------------------------------------------


def refuse(code, message, *arguments):
    result = run("prune-run", *arguments)
    assert result.returncode == code and message in result.stderr, (message, result.returncode, result.stderr)


def check_errors(observed):
    data, out = OUT / "two.npy", f"--statistics={OUT}/none.mlir"
    refuse(3, "has no observers", OUT / "two.mlir", f"--input=@{data}", "--batch", out)
    refuse(2, "leave out --repeat", observed, f"--input=@{data}", "--batch", out, "--repeat=2")
    np.save(OUT / "six.npy", np.load(data)[:6])
    refuse(1, "give a multiple of 4", observed, f"--input=@{OUT}/six.npy", "--batch", out)
    x = np.load(data)
    x[5, 3] = np.nan
    np.save(OUT / "nan.npy", x)
    refuse(3, "the inputs of layer 'w' hold NaN or infinity", observed, f"--input=@{OUT}/nan.npy", "--batch", out)
    assert not (OUT / "none.mlir").exists()
    # An observer of something else.
    odd = OUT / "odd.mlir"
    odd.write_text(observed.read_text().replace('"v" {what', '"u" {what'))
    refuse(3, "the observer of 'u' is not in front of a product", odd, f"--input=@{data}", "--batch", out)
    # A criterion says what it misses, and who makes it.
    result = run("prune-opt", OUT / "two.mlir", "--prune-mask-weights=criterion=wanda sparsity=0.5")
    assert result.returncode == 1, result
    assert "reads the statistic 'input_norm' of weight 'w'" in result.stderr, result.stderr
    assert "prune-run --statistics" in result.stderr, result.stderr
    # RIA needs all of the weight.
    path = OUT / "ria.mlir"
    path.write_text("""func.func @main(%w: tensor<2x2xf32>, %n: tensor<2x1xf64>) -> tensor<2x2xf64> {
  %s = prune.score %w stats(%n, %n, %n) {criterion = #prune.ria} : tensor<2x2xf32>, tensor<2x1xf64>, tensor<2x1xf64>, tensor<2x1xf64> -> tensor<2x2xf64>
  return %s : tensor<2x2xf64>
}
""")
    result = run("prune-opt", path, "--convert-prune-to-linalg")
    assert result.returncode == 1 and "works on constant weights only" in result.stderr, result.stderr


for element in ("f64", "f16", "bf16"):
    check(f"matrix-{element}", matrix(element), element)
check("matrix", matrix())
check("square", square_transposed())
check("padded", padded_convolution())
last = channels_last()
text, data, _ = check("channels-last", last)
check_gram(text, data, last[3](data.astype(np.float64)), 1)
narrow = depthwise()
text, data, _ = check("depthwise", narrow)
check_gram(text, data, narrow[3](data.astype(np.float64)), 3)
check_indices(check("grouped", grouped())[2])
check_errors(two_layers())
channels()
run_time_scores()
