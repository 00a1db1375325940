# RUN: %python %s %t
"""Reports say what the deciding pass was asked for, and what it did.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A table of decisions: every criterion, scope, granularity, pattern and kind of target, right
after the decision, after folding and after removal. What each weight has to lose, the cut and
what is left are computed here and in masks.py, from the descriptions of the passes.
"""

import itertools
import json
import math
import pathlib
import sys

import numpy as np

import masks
from channelnets import ChannelNetwork
from mlirtext import Module, tensor
from tools import output_of

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(3)
CRITERIA = {
    "l1": "#prune.magnitude<l1>",
    "l2": "#prune.magnitude<l2>",
    "random": "#prune.random<seed = 5>",
    "scale": "#prune.scale",
    "geometric-median": "#prune.geometric_median",
}
FOLD, REMOVE = "--prune-fold-masks", "--prune-remove-channels"


def draw(*shape):
    return RNG.normal(size=shape).astype(np.float32).astype(np.float64)


def reports(source, *passes, steps=(FOLD, REMOVE)):
    """The rows by weight after the passes, and after each further step."""
    arguments, paths = [*passes], []
    for step in (None, *steps):
        paths.append(OUT / f"report{len(paths)}.json")
        arguments += [step] if step else []
        arguments.append(f"--prune-report-weights=format=json output={paths[-1]}")
    output_of("prune-opt", source, *arguments, "-o", "/dev/null")
    return [{row["name"]: row for row in json.loads(p.read_text())["weights"]} for p in paths]


def check(case, row, **expected):
    for key, value in expected.items():
        found = row[key]
        same = (
            isinstance(found, float) and math.isclose(found, value, rel_tol=1e-6)
            if isinstance(value, float)
            else found == value
        )
        assert same, (case, row["name"], key, found, value)


def undecided(case, row):
    check(case, row, pruned=False, by=None, criterion=None, scope=None, target=None, group=None,
          kept=None, removed=None, cut=None)
    assert row["reason"], (case, row)


def option(name, **values):
    """A pass with options; True is a flag, `_` stands for `-`."""
    parts = [key.replace("_", "-") + ("" if value is True else f"={value}")
             for key, value in values.items()]
    return f"--{name}=" + " ".join(parts)


def some_of(*levels):
    """A third of all combinations, with every pair: one of the other levels has three values."""
    for chosen in itertools.product(*map(enumerate, levels)):
        if sum(index for index, _ in chosen) % 3 == 0:
            yield [value for _, value in chosen]


# -- Elements ------------------------------------------------------------------

ELEMENTS = {"fc1": draw(12, 8), "fc2": draw(16, 12), "fc3": draw(4, 16)}
ELEMENT_PATTERNS = {
    "element": "#prune.element",
    "block:4x1": "#prune.block<[4, 1]>",
    "block:2x2": "#prune.block<[2, 2]>",
    "2:4": "#prune.nm<2:4, 1>",
}
# What is asked for, and of which weight something else.
ELEMENT_TARGETS = [
    ({"sparsity": 0.5}, {}),
    ({"sparsity": 1.0}, {}),
    ({"threshold": 0.7}, {}),
    ({"count": 9}, {}),
    ({"sparsity": 0.6}, {"fc2": 0.25}),
    ({"threshold": 0.5}, {"fc2": 1.5}),
    ({"count": 5}, {"fc2": 3, "fc3": 2}),
]


def dense_network():
    module = Module()
    network = ChannelNetwork(module, "f32")
    x = network.input(draw(2, 8))
    for name, weight in ELEMENTS.items():
        x = network.relu(network.linear(x, name, weight, "transposed"))
    network.output(x)
    network.finish()
    return module.text()


def cut_of(scores, kept, pattern, target):
    """The score at which the ranking was cut: the greatest of what goes."""
    if "threshold" in target:
        return float(target["threshold"])
    _, block = masks.parse_pattern(pattern)
    units = [masks.unit_scores(s, block) for s in scores]
    corners = [k[:: masks.full_block(block, 2)[0], :: masks.full_block(block, 2)[1]] for k in kept]
    gone = np.concatenate([u[~c] for u, c in zip(units, corners)])
    return float(gone.max()) if gone.size else None


def expected_elements(criterion, pattern, scope, target, own):
    """By weight: the scope it is ranked in, its target, what is kept, the cut."""
    scores = {n: masks.score(w, criterion, 5, n) for n, w in ELEMENTS.items()}
    if pattern == "2:4":
        return {n: ("local", None, masks.mask([s], "2:4@1")[0], None) for n, s in scores.items()}
    ((kind, _),) = target.items()
    together = [n for n in scores if scope == "global" and n not in own]
    rankings = [together] if together else []
    rankings += [[n] for n in scores if n not in together]
    found = {}
    for names in rankings:
        mine = {kind: own[names[0]]} if names[0] in own else target
        ranked = [scores[n] for n in names]
        kept = masks.mask(ranked, pattern, **mine)
        cut = cut_of(ranked, kept, pattern, mine)
        for name, keep in zip(names, kept):
            found[name] = ("global" if names is together else "local", mine, keep, cut)
    return found


def check_elements(source, criterion, pattern, scope, target, own):
    options = dict(criterion=criterion, seed=5, pattern=pattern, scope=scope, min_size=1, **target)
    if own:
        options["targets"] = ",".join(f"{name}:{value}" for name, value in own.items())
    case = option("prune-mask-weights", **options)
    made, folded, removed = reports(source, case)
    decisions = expected_elements(criterion, pattern, scope, target, own)
    for name, (ranked, mine, keep, cut) in decisions.items():
        said = dict(by="prune-mask-weights", criterion=CRITERIA[criterion],
                    pattern=ELEMENT_PATTERNS[pattern], scope=ranked, target=mine, group=None,
                    earlier=[], pruned=True, reason=None)
        check(case, made[name], **said, format="masked", kept=None, removed=None, cut=None)
        gone = int((~keep).sum())
        if gone == 0:
            undecided(case, folded[name])
            continue
        said |= dict(unit="element", kept=keep.size - gone, removed=gone, cut=cut,
                     shape_before=list(keep.shape))
        check(case, folded[name], **said, nonzeros=keep.size - gone, shape=list(keep.shape))
        check(case, removed[name], **said)
        if not keep.any():
            check(case, removed[name], format="removed")


def check_all_elements():
    source = OUT / "elements.mlir"
    source.write_text(dense_network())
    patterns = [p for p in ELEMENT_PATTERNS if p != "2:4"]
    for criterion, pattern, scope, (target, own) in some_of(
        ("l1", "l2", "random"), patterns, ("local", "global"), ELEMENT_TARGETS
    ):
        check_elements(source, criterion, pattern, scope, target, own)
    for criterion in ("l1", "l2", "random"):
        check_elements(source, criterion, "2:4", "local", {}, {})


# -- Channels and heads --------------------------------------------------------

HEADS, HEAD = 4, 4
CHANNELS = {
    "fc1": draw(12, 8),
    "fc2": draw(16, 12),
    "fc3": draw(10, 16),
    "a.q": draw(HEADS * HEAD, 10),
    "a.k": draw(HEADS * HEAD, 10),
    "a.v": draw(HEADS * HEAD, 10),
    "a.o": draw(9, HEADS * HEAD),
}
SCALES = {"fc1": RNG.uniform(1, 2, 12), "fc2": RNG.uniform(1, 2, 16)}
# The weights that produce the channels of a group; groups that are built alike.
GROUPS = {"fc1": ["fc1"], "fc2": ["fc2"], "fc3": ["fc3"], "a.q": ["a.q", "a.k", "a.v"]}
SIZES = {"fc1": 12, "fc2": 16, "fc3": 10, "a.q": HEADS}
ALIKE = {"fc1": 0, "fc2": 0, "fc3": 1, "a.q": 2}
# Whose channels each weight sums over.
INPUTS = {"fc2": "fc1", "fc3": "fc2", "a.q": "fc3", "a.k": "fc3", "a.v": "fc3", "a.o": "a.q"}
CHANNEL_TARGETS = [
    dict(ratio=0.5),
    dict(ratio=0.3, targets={"fc2": 0.6, "a.k": 0.5}),
    dict(ratio=0.9, min_channels=3),
    dict(ratio=0.7, max_ratio=0.4),
    dict(ratio=0.6, round_to=4),
    dict(ratio=0.5, merge=True),
    dict(ratio=0.4, include="^(fc|a.v)", exclude="fc3"),
    dict(ratio=0.8, min_channels=2, max_ratio=0.7, round_to=2, targets={"fc1": 0.9}),
]


def channel_network():
    """Two layers with normalisation and ReLU, one without, and attention with heads."""
    module = Module()
    network = ChannelNetwork(module, "f32")
    x = network.input(draw(5, 8))
    for name, scale in SCALES.items():
        x = network.linear(x, name, CHANNELS[name], "transposed")
        x = network.normalize(x, f"{name}.norm", draw(len(scale)), scale, draw(len(scale)))
        x = network.relu(x)
    x = network.linear(x, "fc3", CHANNELS["fc3"], "transposed")
    weights = {n[2:]: w for n, w in CHANNELS.items() if n.startswith("a.")}
    network.output(network.attention(x, "a", weights, HEADS))
    network.finish()
    return module.text()


def channel_scores(group, criterion):
    """The score of each channel, and the elements that it adds up."""
    size = SIZES[group]
    if criterion == "scale":
        return np.abs(SCALES[group].astype(np.float32).astype(np.float64)), 1
    scores, elements = np.zeros(size), 0
    for name in GROUPS[group]:
        weight = CHANNELS[name]
        parts = weight.reshape(size, -1)
        elements += parts.shape[1]
        if criterion == "geometric-median":
            scores += np.sqrt(((parts[:, None] - parts) ** 2).sum(2)).sum(1)
        else:
            scores += masks.element_scores(weight, criterion, 5, name).reshape(size, -1).sum(1)
    return scores, elements


def limit(size, wanted, asked):
    """As many as wanted, unless a limit or rounding keeps more."""
    kept = size - min(wanted, most(size, asked))
    step = asked.get("round_to", 1)
    return max(0, size - -(-kept // step) * step)


def most(size, asked):
    share = math.floor(size * asked.get("max_ratio", 1))
    return max(0, min(share, size - asked.get("min_channels", 1)))


def share(groups, ranked, asked):
    """What groups lose that are ranked together."""
    line = sorted((score, groups.index(g), g) for g in groups for score in ranked[g])
    lost = dict.fromkeys(groups, 0)
    wanted = math.floor(len(line) * asked["ratio"])
    for _, _, group in line:
        if wanted and lost[group] < most(SIZES[group], asked):
            lost[group] += 1
            wanted -= 1
    return {g: limit(SIZES[g], n, asked) for g, n in lost.items()}


def expected_channels(criterion, granularity, scope, asked):
    """By group: the scope it is ranked in, its ratio, how many go, its scores."""
    groups = list(GROUPS)
    if "include" in asked:
        groups.remove("fc3")
    if granularity == "head":
        groups = [g for g in groups if g == "a.q"]
    if criterion == "scale":
        groups = [g for g in groups if g in SCALES]
    # A group is named by any of its weights.
    own = {g: r for n, r in asked.get("targets", {}).items() for g in groups if n in GROUPS[g]}
    scored = {g: channel_scores(g, criterion) for g in groups}
    ranked = {g: scores / elements for g, (scores, elements) in scored.items()}
    together = {}
    for group in groups:
        if scope != "local" and group not in own:
            together.setdefault(ALIKE[group] if scope == "isomorphic" else 0, []).append(group)
    lost = {}
    for members in together.values():
        lost |= share(members, ranked, asked)
    found = {}
    for group in groups:
        ratio, size = own.get(group, asked["ratio"]), SIZES[group]
        is_alone = group not in lost
        number = limit(size, math.floor(size * ratio), asked) if is_alone else lost[group]
        found[group] = ("local" if is_alone else scope, ratio, number, scored[group][0])
    return found


def check_channels(source, criterion, granularity, scope, asked):
    options = dict(criterion=criterion, seed=5, granularity=granularity, scope=scope) | asked
    if "targets" in asked:
        options["targets"] = ",".join(f"{name}:{r}" for name, r in asked["targets"].items())
    case = option("prune-mask-channels", **options)
    stages = reports(source, case)
    decisions = expected_channels(criterion, granularity, scope, asked)
    kept = {g: np.ones(size, bool) for g, size in SIZES.items()}
    for group, (_, _, number, scores) in decisions.items():
        kept[group][np.argsort(scores, kind="stable")[:number]] = False
    owner = {name: group for group, names in GROUPS.items() for name in names}
    for stage, (name, weight) in itertools.product(range(3), CHANNELS.items()):
        row, group = stages[stage][name], owner.get(name)
        # Rows are produced, columns are summed over.
        rows, columns = kept.get(group, np.ones(9, bool)), kept.get(INPUTS.get(name), np.ones(8, bool))
        rows, columns = (k.repeat(n // len(k)) for k, n in zip((rows, columns), weight.shape))
        shape = [int(rows.sum()), int(columns.sum())] if stage == 2 else list(weight.shape)
        stored = (lambda s: s[::-1]) if name == "a.o" else list
        left = int(columns.sum()) if stage == 2 else columns.size
        left *= int(rows.sum()) if stage else rows.size
        check(case, row, shape=stored(shape), shape_before=stored(list(weight.shape)))
        # Merging changes the weights that sum over a channel.
        if "merge" not in asked:
            check(case, row, nonzeros=left)
        if group not in decisions or decisions[group][2] == 0:
            undecided(case, row)
            if stage == 2 and row["shape"] != row["shape_before"]:
                assert "neighbours" in row["reason"], (case, row)
            continue
        ranked, ratio, number, scores = decisions[group]
        check(case, row, by="prune-mask-channels", criterion=CRITERIA[criterion],
              pattern=granularity, scope=ranked, target={"ratio": ratio}, unit=granularity,
              group=group, pruned=True, reason=None, earlier=[], kept=len(scores) - number,
              removed=number, cut=float(np.sort(scores)[number - 1]))


def check_all_channels():
    source = OUT / "channels.mlir"
    source.write_text(channel_network())
    scopes = ("local", "global", "isomorphic")
    for chosen in some_of(CRITERIA, ("channel", "head"), scopes, CHANNEL_TARGETS):
        check_channels(source, *chosen)


# -- Branches ------------------------------------------------------------------

BRANCHES = {f"branch{i}": (draw(3 + i, 6), draw(6, 3 + i)) for i in range(5)}
BRANCH_TARGETS = [
    dict(ratio=0.5),
    dict(ratio=1),
    dict(ratio=0.9, max_ratio=0.45),
    dict(ratio=0.7, include="branch[0-2]"),
    dict(ratio=0.7, exclude="branch1", max_ratio=0.5),
    dict(ratio=0.7, min_channels=4, round_to=8),
]


def branch_network():
    """x + W relu(V x + b) + c, again and again."""
    module = Module()
    network = ChannelNetwork(module, "f32")
    x = network.input(draw(5, 6))
    for name, (inner, outer) in BRANCHES.items():
        y = network.linear(x, f"{name}.in", inner, "transposed")
        y = network.relu(network.bias(y, f"{name}.b", draw(len(inner))))
        y = network.linear(y, f"{name}.out", outer, "transposed")
        x = network.add(x, network.bias(y, f"{name}.c", draw(6)))
    network.output(x)
    network.finish()
    return module.text()


def branch_score(name, criterion):
    """The mean over all elements inside."""
    scores = [
        masks.element_scores(weight, criterion, 5, f"{name}.{which}").ravel()
        for which, weight in zip(("in", "out"), BRANCHES[name])
    ]
    return float(np.concatenate(scores).mean())


def check_branches(source, criterion, scope, asked):
    options = dict(criterion=criterion, seed=5, granularity="block", scope=scope) | asked
    case = option("prune-mask-channels", **options)
    made, folded, removed = reports(source, case)
    chosen = [name for name in BRANCHES
              if ("include" not in asked or name < "branch3") and name != asked.get("exclude")]
    order = sorted(chosen, key=lambda name: branch_score(name, criterion))
    share = min(asked["ratio"], asked.get("max_ratio", 1))
    gone = order[: math.floor(len(order) * share)]
    cut = branch_score(gone[-1], criterion)
    for name, (inner, outer) in BRANCHES.items():
        for stage, rows in enumerate((made, folded, removed)):
            first, last = rows[f"{name}.in"], rows[f"{name}.out"]
            is_gone = name in gone
            left = outer.size if stage == 0 or not is_gone else 0
            check(case, last, nonzeros=left, shape=list(outer.shape))
            undecided(case, first)
            if not is_gone:
                undecided(case, last)
                continue
            # All branches are ranked together, whatever the scope.
            check(case, last, by="prune-mask-channels", criterion=CRITERIA[criterion],
                  pattern="branch", scope="global", target={"ratio": float(asked["ratio"])},
                  unit="branch", group=f"{name}.in", pruned=True, reason=None, earlier=[],
                  kept=len(order) - len(gone), removed=len(gone), cut=cut)
            if stage == 2:
                assert first["format"] == last["format"] == "removed", (case, first, last)
                assert "neighbours" in first["reason"], (case, first)


def check_all_branches():
    source = OUT / "branches.mlir"
    source.write_text(branch_network())
    for i, (criterion, asked) in enumerate(
        itertools.product(("l1", "l2", "random"), BRANCH_TARGETS)
    ):
        check_branches(source, criterion, ("local", "global", "isomorphic")[i % 3], asked)


# -- Two masks on one weight ---------------------------------------------------

FILTERS = {"first": draw(6, 3, 1), "second": draw(8, 6, 3), "third": draw(5, 8, 3)}


def sigmoid_network():
    """Behind a sigmoid and a padding, a masked channel is one half among zeros: no bias takes
    that, and the filters that sum over the channel are masked as well."""
    module = Module()
    body, x, shape = "", "%x", (1, 3, 7)
    for name, filters in FILTERS.items():
        channels, taps = filters.shape[0], filters.shape[2]
        if name != "first":
            before, shape = tensor(shape, "f32"), (*shape[:2], 9)
            body += f"""  %{name}.e = tensor.empty() : {before}
  %{name}.s = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}} ins({x} : {before}) outs(%{name}.e : {before}) {{
  ^bb0(%v: f32, %o: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %v : f32
    %p = math.exp %m : f32
    %d = arith.addf %one, %p : f32
    %q = arith.divf %one, %d : f32
    linalg.yield %q : f32
  }} -> {before}
  %{name}.p = tensor.pad %{name}.s low[0, 0, 1] high[0, 0, 1] {{
  ^bb0(%a: index, %b: index, %c: index):
    %zero = arith.constant 0.0 : f32
    tensor.yield %zero : f32
  }} : {before} to {tensor(shape, "f32")}
"""
            x = f"%{name}.p"
        t, y = tensor(shape, "f32"), tensor((1, channels, shape[2] - taps + 1), "f32")
        body += f"""  %{name} = arith.constant {module.resource(name, filters, "f32")}
  %{name}.z = arith.constant dense<0.0> : {y}
  %{name}.y = linalg.conv_1d_ncw_fcw ins({x}, %{name} : {t}, {tensor(filters.shape, "f32")}) outs(%{name}.z : {y}) -> {y}
"""
        x, shape = f"%{name}.y", (1, channels, 7)
    module.functions.append(
        "#id = affine_map<(n, c, w) -> (n, c, w)>\n"
        f"func.func @main(%x: tensor<1x3x7xf32>) -> {y} {{\n{body}  return {x} : {y}\n}}"
    )
    return module.text()


def check_all_consumers():
    """A weight says what was decided for the channels that it produces; if nothing was, what
    was decided for those that it sums over."""
    source = OUT / "sigmoid.mlir"
    source.write_text(sigmoid_network())
    case = "--prune-mask-channels=ratio=0.5 criterion=l1"
    owner = {"first": "first", "second": "second", "third": "second"}
    for rows in reports(source, case):
        for name, group in owner.items():
            scores = np.abs(FILTERS[group]).sum((1, 2))
            half = len(scores) // 2
            check(case, rows[name], by="prune-mask-channels", group=group, kept=half,
                  removed=half, cut=float(np.sort(scores)[half - 1]), earlier=[])


# -- Several decisions ---------------------------------------------------------


def check_all_sequences():
    """What was decided before and still holds, and what was replaced: the same before and
    after the masks are folded."""
    source = OUT / "elements.mlir"
    channels = "--prune-mask-channels=ratio=0.5"
    elements = "--prune-mask-weights=sparsity=0.5 min-size=1"
    case = "channels, then elements"
    rows = reports(source, channels, FOLD, REMOVE, elements, steps=[FOLD])
    for stage in rows:
        check(case, stage["fc1"], by="prune-mask-weights", earlier=["prune-mask-channels"],
              shape=[6, 8], shape_before=[12, 8])
        check(case, stage["fc3"], by="prune-mask-weights", earlier=[], shape=[4, 8],
              shape_before=[4, 16])
    check(case, rows[1]["fc1"], removed=24, kept=24)
    check(case, rows[1]["fc3"], removed=16, kept=16)
    for rows in reports(source, elements, FOLD, channels):
        check("elements, then channels", rows["fc1"], by="prune-mask-channels",
              earlier=["prune-mask-weights"], unit="channel", removed=6, kept=6)
    again = "--prune-mask-weights=count=60 criterion=l2 min-size=1"
    for rows in reports(source, elements, FOLD, again, steps=[FOLD]):
        check("elements twice", rows["fc1"], by="prune-mask-weights", earlier=[],
              target={"count": 60}, criterion="#prune.magnitude<l2>")
    check("elements twice", rows["fc1"], removed=60, kept=36)


for name, test in list(globals().items()):
    if name.startswith("check_all"):
        test()
