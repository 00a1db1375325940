# REQUIRES: python-package
# RUN: %python %s
"""Weights as arrays: read, replaced, masked, and scored by functions in Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Every decision is made again with NumPy, or by a criterion of the compiler.
"""

import collections.abc
import concurrent.futures
import functools

import numpy as np
import prune

from mlirtext import Module, quantize, tensor

RNG = np.random.default_rng(11)


def shuffled(*shape):
    """Whole numbers that differ in magnitude, some of them negative."""
    size = int(np.prod(shape))
    w = RNG.permutation(size).reshape(shape) + 1.0
    return np.where(RNG.integers(0, 2, shape) == 0, w, -w)


def network(type_name="f32", sizes=(8, 16, 12), weights=None):
    """A module of products in a row, and its weights by name: fc1, fc2, ..."""
    text = Module()
    weights = weights or [quantize(shuffled(k, n), type_name) for k, n in zip(sizes, sizes[1:])]
    x = tensor([2, len(weights[0])], type_name)
    body = [f"%z = arith.constant 0.0 : {type_name}"]
    value, value_type = "%x", x
    for i, w in enumerate(weights, 1):
        y = tensor([2, w.shape[1]], type_name)
        body += [
            f"%w{i} = arith.constant {text.resource(f'fc{i}', w, type_name)}",
            f"%e{i} = tensor.empty() : {y}",
            f"%f{i} = linalg.fill ins(%z : {type_name}) outs(%e{i} : {y}) -> {y}",
            f"%y{i} = linalg.matmul ins({value}, %w{i} : {value_type}, {tensor(w.shape, type_name)})"
            f" outs(%f{i} : {y}) -> {y}",
        ]
        value, value_type = f"%y{i}", y
    body = "\n  ".join([*body, f"return {value} : {value_type}"])
    text.functions.append(f"func.func @main(%x: {x}) -> {value_type} {{\n  {body}\n}}\n")
    return prune.Module.parse(text.text()), {f"fc{i}": w for i, w in enumerate(weights, 1)}


def expect(exception, words, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except exception as error:
        for word in [words] if isinstance(words, str) else words:
            assert word in str(error), (word, str(error))
    else:
        raise AssertionError(f"no {exception.__name__}: {words}")


def same(module, weights):
    """Whether the weights of a module are these arrays, bit for bit; passes may reorder them."""
    return set(module.weights) == set(weights) and all(
        w.tobytes() == np.asarray(weights[name], w.dtype).tobytes() for name, w in module.weights.items()
    )


def entries(module):
    return {entry["name"]: entry for entry in module.report()["weights"]}


def test_mapping():
    """The weights are a mapping of copies."""
    module, weights = network()
    found = module.weights
    assert isinstance(found, collections.abc.Mapping) and isinstance(found, prune.Weights)
    assert len(found) == 2 and list(found) == ["fc1", "fc2"] == list(found.keys())
    assert "fc1" in found and "fc3" not in found and 1 not in found
    assert found.get("fc3") is None and "fc1" in repr(found)
    assert found["fc1"].dtype == np.float32 and same(module, weights)
    found["fc1"][:] = 0
    assert same(module, weights) and len(list(found.values())) == 2
    expect(KeyError, ["no weight 'fc3'", "'fc1', 'fc2'"], lambda: found["fc3"])
    many, _ = network(sizes=[4] * 12)
    expect(KeyError, ["'fc8' and 3 more"], lambda: many.weights["fc"])
    empty = prune.Module.parse("")
    assert len(empty.weights) == 0
    expect(KeyError, "the module has none", lambda: empty.weights["fc1"])


def test_element_types():
    """All types of weights cross in both directions; bfloat16 as float32."""
    for type_name, dtype in [("f64", "f8"), ("f32", "f4"), ("f16", "f2"), ("bf16", "f4")]:
        module, weights = network(type_name)
        assert same(module, weights) and module.weights["fc1"].dtype == np.dtype(dtype), type_name
        new = RNG.normal(size=(8, 16))
        module.weights["fc1"] = new
        assert same(module, {**weights, "fc1": quantize(np.asarray(new, dtype), type_name)}), type_name


def test_set_and_run():
    """What is set is what runs, what is written, and what other passes see."""
    module, weights = network()
    new = shuffled(8, 16)
    for given in (new, np.asfortranarray(new), new.tolist(), new.astype(np.int16)):
        module.weights["fc1"] = given
    assert same(module, {**weights, "fc1": new})
    assert 'dense_resource<"fc1#4">' in str(module) and same(module.clone(), module.weights)
    x = RNG.integers(-3, 4, (2, 8)).astype(np.float32)
    assert (module.compile()(x) == x @ new @ weights["fc2"]).all()
    module.run("prune-weights{sparsity=0.5 include=fc1}")
    kept = np.where(np.abs(new) > 64, new, 0)
    assert same(module, {**weights, "fc1": kept})
    # A decision stands when trained numbers take the place of what was kept.
    module.weights["fc1"] = kept * 2
    entry = entries(module)["fc1"]
    assert entry["nonzeros"] == 64 and entry["criterion"] == "#prune.magnitude<l1>"


def test_set_errors():
    module, weights = network()
    text = str(module)

    def assign(name, array):
        module.weights[name] = array

    expect(prune.Error, ["weight 'fc1' is 16x8xf32", "takes 8x16xf32"], assign, "fc1", np.zeros((16, 8)))
    expect(prune.Error, ["'fc1'", "is 128xf32"], assign, "fc1", np.zeros(128))
    expect(prune.Error, ["'fc1'", "complex128", "float32"], assign, "fc1", np.zeros((8, 16), complex))
    expect(KeyError, "no weight 'none'", assign, "none", np.zeros((8, 16)))
    assert str(module) == text and same(module, weights)


def test_constants_without_names():
    """A constant that is no resource is a weight, too; so is one number for all."""
    module = prune.Module.parse("""
      func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
        %w = arith.constant dense<3.0> : tensor<2x2xf32>
        %z = arith.constant dense<0.0> : tensor<1x2xf32>
        %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>)
                           outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
        return %y : tensor<1x2xf32>
      }""")
    assert same(module, {"weight0": np.full((2, 2), 3)})
    module.weights["weight0"] = [[1, 2], [3, 4]]
    assert (module.compile()([[1, 10]]) == [[31, 42]]).all()
    module.apply_mask("weight0", np.eye(2))
    module.run("prune-fold-masks")
    assert (module.compile()([[1, 10]]) == [[1, 40]]).all()


def test_shared_constants():
    """Two operations that hold a weight get the same numbers, or the same mask."""
    text = Module()
    w = shuffled(4, 4)
    weight = text.resource("w", w, "f32")
    for name in ("f", "g"):
        text.functions.append(f"""
          func.func @{name}(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {{
            %w = arith.constant {weight}
            %z = arith.constant dense<0.0> : tensor<1x4xf32>
            %y = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x4xf32>)
                               outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
            return %y : tensor<1x4xf32>
          }}""")
    module = prune.Module.parse(text.text())
    x = np.ones((1, 4), np.float32)

    def expect_both(w):
        for name in ("f", "g"):
            assert (module.compile(name)(x) == x @ w).all()

    expect_both(w)
    module.weights["w"] = w = w + 1
    expect_both(w)
    module.apply_mask("w", np.tri(4))
    expect_both(w * np.tri(4))
    module.run("prune-fold-masks")
    expect_both(w * np.tri(4))
    assert same(module, {"w": np.where(np.tri(4), w, 0)})


def test_versions():
    """A second weight of one name goes by its key; each is replaced on its own."""
    text = Module()
    # Even and odd, so that no two are alike.
    first, second = 2 * shuffled(4, 4), 2 * shuffled(4, 4) + 1
    text.functions.append(f"""
      func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {{
        %v = arith.constant {text.resource("w#1", first, "f32")}
        %w = arith.constant {text.resource("w#2", second, "f32")}
        %z = arith.constant dense<0.0> : tensor<1x4xf32>
        %h = linalg.matmul ins(%x, %v : tensor<1x4xf32>, tensor<4x4xf32>)
                           outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
        %y = linalg.matmul ins(%h, %w : tensor<1x4xf32>, tensor<4x4xf32>)
                           outs(%z : tensor<1x4xf32>) -> tensor<1x4xf32>
        return %y : tensor<1x4xf32>
      }}""")
    module = prune.Module.parse(text.text())
    assert same(module, {"w": first, "w#2": second})
    assert same(module.compile(externalize=True), module.weights)
    module.weights["w"] = first + 2
    assert same(module, {"w": first + 2, "w#2": second})
    names = []
    module.score_weights(lambda name, w: names.append(name) or w, 0.5, scope="global")
    module.run("prune-fold-masks")
    cut = np.sort(np.concatenate([first + 2, second], axis=None))[15]
    assert names == ["w", "w#2"] and list(module.weights)[0] == "w"
    assert sorted(np.concatenate([w for w in module.weights.values()], axis=None)) == sorted(
        np.where(w > cut, w, 0).flat[i] for w in (first + 2, second) for i in range(16)
    )


def diagonals(shape, part):
    """A pattern that is only a function: every so many diagonals are kept."""
    return np.subtract.outer(np.arange(shape[0]), np.arange(shape[1])) % round(1 / part) == 0


def test_apply_mask():
    """A mask goes through folding, report and kernels, whatever its pattern."""
    # Products of small numbers are exact.
    ws = [RNG.choice([-3.0, -2, -1, 1, 2, 3], shape) for shape in ((64, 128), (128, 64))]
    module, weights = network(weights=ws)
    mask = diagonals((64, 128), 0.25)
    module.apply_mask("fc1", mask)
    entry = entries(module)["fc1"]
    assert entry["by"] == "python" and entry["criterion"] is None and entry["removed"] == 6144
    module.run("prune-fold-masks")
    weights["fc1"] = np.where(mask, weights["fc1"], 0)
    assert same(module, weights)
    entry = entries(module)["fc1"]
    assert entry["pruned"] and entry["by"] == "python" and entry["scope"] == "local"
    assert (entry["kept"], entry["removed"], entry["nonzeros"]) == (2048, 6144, 2048)
    assert not entries(module)["fc2"]["pruned"]
    x = RNG.integers(-1, 2, (2, 64)).astype(np.float32)
    for kernels in ("dense", "packed"):
        assert (module.compile(kernels=kernels)(x) == x @ weights["fc1"] @ weights["fc2"]).all(), kernels


def test_masks_and_channels():
    """Columns that a mask empties leave with prune-remove-channels."""
    module, weights = network(sizes=(4, 6, 3))
    keep = np.array([1, 0, 1, 1, 0, 1])
    x = RNG.integers(-3, 4, (2, 4)).astype(np.float32)
    module.apply_mask("fc1", np.broadcast_to(keep, (4, 6)))
    module.run("prune-fold-masks,prune-remove-channels,canonicalize")
    chosen = keep == 1
    w1, w2 = weights["fc1"][:, chosen], weights["fc2"][chosen]
    assert same(module, {"fc1": w1, "fc2": w2})
    assert (module.compile()(x) == x @ w1 @ w2).all()


def test_masks_twice():
    """A masked weight is one again when the mask is folded; then it takes another."""
    module, weights = network()
    first, second = RNG.integers(0, 2, (2, 8, 16))
    module.apply_mask("fc1", first)
    assert list(module.weights) == ["fc2"]
    expect(KeyError, ["'fc1' cannot be pruned", "prune-fold-masks first"], module.apply_mask, "fc1", second)
    expect(KeyError, "prune-fold-masks first", lambda: module.weights["fc1"])
    module.run("prune-fold-masks")
    module.apply_mask("fc1", second)
    module.run("prune-fold-masks")
    assert same(module, {**weights, "fc1": np.where(first & second, weights["fc1"], 0)})


def test_mask_errors():
    module, _ = network()
    text = str(module)
    for mask, words in [
        (np.ones((16, 8), bool), ["mask of weight 'fc1' is 16x8xi1", "takes 8x16xi1"]),
        (np.full((8, 16), 2), ["mask of weight 'fc1'", "0 or 1 but got 2"]),
        (np.full((8, 16), 0.5), ["0 or 1 but got 0.5"]),
        (np.full((8, 16), "x"), ["<U1", "expected bool"]),
    ]:
        expect(prune.Error, words, module.apply_mask, "fc1", mask)
    expect(KeyError, "no weight 'fc9'", module.apply_mask, "fc9", np.ones((8, 16)))
    assert str(module) == text


def magnitude(_name, w):
    return abs(w)


def test_scores_as_built_in():
    """A function that computes what a criterion computes decides the same."""
    for type_name in ("f32", "f64", "f16", "bf16"):
        for options in (
            {"sparsity": 0.9},
            {"sparsity": 0.37, "scope": "global"},
            {"pattern": "2:4"},
            {"pattern": "1:4@1"},
            {"pattern": "block:4x1", "sparsity": 0.5},
            {"pattern": "block:4x4", "sparsity": 0.7, "scope": "global"},
            {"pattern": "block:1x16", "sparsity": 0.4, "exclude": "fc2"},
            {"pattern": "#prune.block<[1,4]>", "sparsity": 0.4, "include": "fc2"},
            {"sparsity": 0},
            {"sparsity": 1},
        ):
            # Small numbers have ties.
            ws = [quantize(RNG.integers(-9, 10, s), type_name) for s in ((8, 16), (16, 12))]
            built_in, _ = network(type_name, weights=ws)
            ours, _ = network(type_name, weights=ws)
            listed = " ".join(f"{key}={value}" for key, value in options.items())
            built_in.run(f"prune-mask-weights{{criterion=l1 {listed}}},prune-fold-masks{{quiet}}")
            assert ours.score_weights(magnitude, **options) is None
            ours.run("prune-fold-masks{quiet}")
            assert same(ours, built_in.weights), (type_name, options)
            for name, entry in entries(ours).items():
                other = entries(built_in)[name]
                if entry["by"]:
                    assert entry["by"] == "python" and entry["criterion"] == "magnitude"
                    assert other["by"] == "prune-mask-weights"
                different = {key for key in entry if entry[key] != other[key]}
                assert different <= {"by", "criterion"}, (options, different)


def test_scores_of_any_function():
    """Scores need not be magnitudes; the lowest go, also of several weights together."""
    module, weights = network()
    scores = {name: RNG.permutation(w.size).reshape(w.shape) for name, w in weights.items()}
    seen = []

    def taken(name, w):
        seen.append((name, w.dtype, w.shape))
        assert name in module.weights  # the module can be read meanwhile
        return scores[name]

    module.score_weights(taken, 0.75)
    assert seen == [("fc1", np.float32, (8, 16)), ("fc2", np.float32, (16, 12))]
    assert module.diagnostics == ""
    module.run("prune-fold-masks")
    assert same(module, {n: np.where(scores[n] >= w.size * 0.75, w, 0) for n, w in weights.items()})
    assert entries(module)["fc1"]["cut"] == 95 and entries(module)["fc1"]["target"] == {"sparsity": 0.75}

    module, weights = network()
    module.score_weights(lambda name, w: np.full(w.shape, name == "fc2"), 128 / 320, scope="global")
    module.run("prune-fold-masks")
    assert same(module, {"fc1": np.zeros((8, 16)), "fc2": weights["fc2"]})
    assert entries(module)["fc1"]["criterion"] == "<lambda>"
    assert entries(module)["fc1"]["scope"] == "global"


def test_names_of_criteria():
    """A thing that can be called but has no name goes by its type."""

    class Random:
        def __call__(self, name, w):
            return RNG.random(w.shape)

    for callback, name in ((functools.partial(magnitude), "partial"), (Random(), "Random"), (np.multiply, "multiply")):
        module, _ = network()
        if callback is np.multiply:
            expect(Exception, "", module.score_weights, callback, 0.5)
            continue
        module.score_weights(callback, 0.5)
        assert entries(module)["fc2"]["criterion"] == name


def test_score_errors():
    """What a callback does wrong is said by name, and changes nothing."""
    module, _ = network()
    text = str(module)

    def raising(name, w):
        if name == "fc2":
            raise ZeroDivisionError("mine")
        return w

    def with_nan(name, w):
        scores = abs(w)
        scores[3, 5] = np.nan if name == "fc2" else 1
        return scores

    expect(ZeroDivisionError, "mine", module.score_weights, raising, 0.5)
    for callback, options, words in [
        (with_nan, {"sparsity": 0.5}, ["'with_nan'", "NaN score for weight 'fc2' at [3, 5]"]),
        (with_nan, {"sparsity": 0.5, "scope": "global"}, ["weight 'fc2' at [3, 5]"]),
        (with_nan, {"pattern": "2:4"}, ["weight 'fc2' at [3, 5]"]),
        (lambda n, w: w.T, {"sparsity": 0.5}, ["score tensor of weight 'fc1' is 16x8xf32", "8x16xf32"]),
        (lambda n, w: 1, {"sparsity": 0.5}, ["score tensor of weight 'fc1'"]),
        (lambda n, w: None, {"sparsity": 0.5}, ["weight 'fc1' is an array of object"]),
        (lambda n, w: w * 1j, {"sparsity": 0.5}, ["weight 'fc1'", "complex"]),
        (magnitude, {}, ["one of the options 'sparsity'"]),
        (magnitude, {"sparsity": 1.5}, ["[0, 1]"]),
        (magnitude, {"sparsity": float("nan")}, ["[0, 1]"]),
        (magnitude, {"sparsity": 0.5, "pattern": "2:4"}, ["remove option 'sparsity'"]),
        (magnitude, {"sparsity": 0.5, "pattern": "none"}, ["option 'pattern'"]),
        (magnitude, {"sparsity": 0.5, "scope": "all"}, ["local or global"]),
        (magnitude, {"sparsity": 0.5, "include": "none"}, ["'none'"]),
    ]:
        expect(prune.Error, words, module.score_weights, callback, **options)
        assert str(module) == text, words
    expect(TypeError, "", module.score_weights, "l1", 0.5)


def test_what_is_not_scored():
    """The callback is called for the weights that the options choose; no other."""
    module, weights = network()
    names = []

    def noted(name, w):
        names.append(name)
        return abs(w)

    module.score_weights(noted, 0.5, exclude="fc1")
    assert names == ["fc2"]
    module.run("prune-fold-masks")
    assert same(module, {**weights, "fc2": np.where(abs(weights["fc2"]) > 96, weights["fc2"], 0)})
    names.clear()
    module.score_weights(noted, 0.001)
    assert not names and "rounds to 0" in module.diagnostics


def test_program_weights():
    """An externalized program reads what was set last."""
    module, weights = network()
    x = RNG.integers(-3, 4, (2, 8)).astype(np.float32)
    fixed = module.compile()
    assert len(fixed.weights) == 0
    expect(KeyError, "externalize=True", fixed.set_weight, "fc1", weights["fc1"])
    program = module.compile(externalize=True)
    assert isinstance(program.weights, collections.abc.Mapping) and same(program, weights)
    assert (program(x) == fixed(x)).all() and program.signature == fixed.signature
    program.weights["fc1"][:] = 0
    assert (program(x) == fixed(x)).all()
    new = shuffled(16, 12)
    program.set_weight("fc2", new)
    assert (program(x) == x @ weights["fc1"] @ new).all() and same(program, {**weights, "fc2": new})
    program.weights["fc2"] = weights["fc2"].tolist()
    assert (program(x) == fixed(x)).all()
    expect(KeyError, ["no weight 'fc3'", "'fc1', 'fc2'"], program.set_weight, "fc3", new)
    expect(prune.Error, ["'fc1' is 16x12xf32", "takes 8x16xf32"], program.set_weight, "fc1", new)
    expect(prune.Error, ["'fc1'", "complex"], program.set_weight, "fc1", new * 1j)


def test_scan():
    """Five sparsities with one compilation compute what five compilations do."""
    module, _ = network(sizes=(32, 48, 16))
    program = module.compile(externalize=True)
    x = RNG.integers(-3, 4, (2, 32)).astype(np.float32)
    results = []
    for sparsity in (0, 0.25, 0.5, 0.75, 0.9):
        pruned = module.clone()
        pruned.run(f"prune-weights{{sparsity={sparsity}}}")
        for name, w in pruned.weights.items():
            program.set_weight(name, w)
        assert (program(x) == pruned.compile()(x)).all(), sparsity
        results.append(program(x))
    assert not any((a == b).all() for a, b in zip(results, results[1:]))


def test_threads():
    """A call sees a weight before or after it is set, not between."""
    module, weights = network(sizes=(64, 64, 64))
    program = module.compile(externalize=True)
    x = RNG.integers(-3, 4, (2, 64)).astype(np.float32)
    w = weights["fc1"]
    wanted = [program(x), program(-x)]

    def work(number):
        if number % 2:
            program.set_weight("fc1", w if number % 4 == 1 else -w)
            return True
        y = program(x)
        return any((y == other).all() for other in wanted) and module.diagnostics == "" and len(module.weights) == 2

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(200)))


def test_bfloat16_program():
    module, weights = network("bf16")
    program = module.compile(externalize=True)
    program.set_weight("fc1", weights["fc1"] / 3)
    assert same(program, {**weights, "fc1": quantize(np.float32(weights["fc1"] / 3), "bf16")})


for test_name, test in list(globals().items()):
    if test_name.startswith("test_"):
        test()
