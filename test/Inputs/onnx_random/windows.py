"""Rules of convolutions, pools and normalisations over channels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from .builder import Unfit


def image(g, least=3, largest=8, ranks=(1, 2, 2, 2, 3)):
    """A tensor [N, C, ...] with room for a window."""
    rank = g.choice(ranks)
    if rank == 3:
        largest = min(largest, 5)

    def fits(t):
        return all(least <= size for size in t.shape[2:])

    if g.chance(0.5):
        try:
            return g.pick("float32", rank + 2, rank + 2, bound=50, fits=fits)
        except Unfit:
            pass
    spatial = [g.random.randint(least, largest) for _ in range(rank)]
    shape = (g.random.randint(1, 2), g.random.randint(1, 4), *spatial)
    return g.fresh(shape, "float32", constant=False)


def padding(g, kernel, dilations):
    """Attributes `pads` or `auto_pad`. Pads are smaller than the kernel, which
    is what pools require."""
    how = g.random.random()
    if how < 0.3:
        return {}
    if how < 0.75:
        low = [g.random.randint(0, max(k - 1, 0)) for k in kernel]
        high = [g.random.randint(0, max(k - 1, 0)) for k in kernel]
        return {"pads": low + high}
    options = ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"]
    # Runtimes do not agree on what is "same" for a dilated window.
    if any(d != 1 for d in dilations):
        options = ["VALID", "NOTSET"]
    return {"auto_pad": g.choice(options)}


def window(g, spatial, dilated=True):
    """Kernel, strides and dilations that fit into the image."""
    kernel, strides, dilations = [], [], []
    for size in spatial:
        kernel.append(g.random.randint(1, min(3, size)))
        strides.append(g.random.randint(1, 3))
        wide = dilated and kernel[-1] > 1 and 2 * (kernel[-1] - 1) + 1 <= size
        dilations.append(2 if wide and g.chance(0.3) else 1)
    return kernel, strides, dilations


def stated(g, attributes, kernel=None, strides=None, dilations=None):
    """States what is not the default, and sometimes what is."""
    for name, values in (("strides", strides), ("dilations", dilations)):
        if values and (any(v != 1 for v in values) or g.chance(0.3)):
            attributes[name] = values
    if kernel and g.chance(0.6):
        attributes["kernel_shape"] = kernel
    return attributes


def groups_of(g, channels):
    options = [d for d in range(1, channels + 1) if channels % d == 0]
    return 1 if g.chance(0.5) else g.choice(options)


def conv(g, op):
    x = image(g)
    kernel, strides, dilations = window(g, x.shape[2:])
    groups = groups_of(g, x.shape[1])
    features = groups * g.random.randint(1, 3)
    w = g.fresh((features, x.shape[1] // groups, *kernel), constant=g.chance(0.8))
    b = g.fresh((features,)) if g.chance(0.6) else None
    attributes = stated(g, padding(g, kernel, dilations), kernel, strides, dilations)
    if groups != 1 or g.chance(0.2):
        attributes["group"] = groups
    g.add(op, [x, w, b], bound=x.bound * 4 * 27 * 4, **attributes)


def conv_transpose(g, op):
    x = image(g, least=2, largest=5)
    rank = x.rank - 2
    kernel = [g.random.randint(1, 3) for _ in range(rank)]
    strides = [g.random.randint(1, 3) for _ in range(rank)]
    dilations = [g.choice([1, 1, 2]) for _ in range(rank)]
    groups = groups_of(g, x.shape[1])
    features = g.random.randint(1, 3)
    w = g.fresh((x.shape[1], features, *kernel), constant=g.chance(0.8))
    b = g.fresh((groups * features,)) if g.chance(0.6) else None
    attributes = stated(g, {}, kernel, strides, dilations)
    how = g.random.random()
    if how < 0.4:
        low = [g.random.randint(0, k // 2) for k in kernel]
        high = [g.random.randint(0, k // 2) for k in kernel]
        attributes["pads"] = low + high
    elif how < 0.55:
        attributes["auto_pad"] = g.choice(["VALID", "SAME_UPPER", "SAME_LOWER"])
    elif how < 0.7:
        attributes["output_shape"] = [
            s * (size - 1) + d * (k - 1) + 1 - g.random.randint(0, min(1, k - 1))
            for s, size, d, k in zip(strides, x.shape[2:], dilations, kernel)
        ]
    if "output_shape" not in attributes and g.chance(0.3):
        attributes["output_padding"] = [
            g.random.randint(0, max(s, d) - 1) for s, d in zip(strides, dilations)
        ]
    if groups != 1 or g.chance(0.2):
        attributes["group"] = groups
    g.add(op, [x, w, b], bound=x.bound * 4 * 27 * 4, **attributes)


def pool(g, op):
    x = image(g)
    since = {"MaxPool": 10, "AveragePool": 19, "LpPool": 18}[op]
    kernel, strides, dilations = window(g, x.shape[2:], g.opset >= since)
    attributes = stated(g, padding(g, kernel, dilations), None, strides)
    attributes["kernel_shape"] = kernel
    if g.opset >= since and any(d != 1 for d in dilations):
        attributes["dilations"] = dilations
    ceils = g.opset >= (18 if op == "LpPool" else 10)
    if ceils and "auto_pad" not in attributes and g.chance(0.4):
        attributes["ceil_mode"] = 1
    if op == "AveragePool" and g.chance(0.5):
        attributes["count_include_pad"] = g.random.randint(0, 1)
    if op == "LpPool" and g.chance(0.6):
        attributes["p"] = g.choice([1, 2, 3])
    outputs = 1
    if op == "MaxPool" and g.opset >= 8 and x.exact and g.chance(0.4):
        outputs = 2
        if g.chance(0.4):
            attributes["storage_order"] = 1
    bound = x.bound * (27 if op == "LpPool" else 1)
    exact = x.exact and op == "MaxPool"
    g.add(op, [x], outputs, bound=bound, exact=exact, **attributes)


def global_pool(g, op):
    x = image(g, least=1)
    attributes = {}
    if op == "GlobalLpPool" and g.chance(0.6):
        attributes["p"] = g.choice([1, 2, 3])
    bound = x.bound * (100 if op == "GlobalLpPool" else 1)
    g.add(op, [x], bound=bound, exact=x.exact and op == "GlobalMaxPool", **attributes)


# ---- Normalisations --------------------------------------------------------


def batch_norm(g, op):
    x = g.pick("float32", 2, 5, bound=50)
    channels = (x.shape[1],)
    scale, bias, mean = (g.fresh(channels, constant=g.chance(0.8)) for _ in range(3))
    variance = g.fresh(channels, low=0.25, high=4, constant=g.chance(0.8))
    attributes = {}
    if g.chance(0.5):
        attributes["epsilon"] = g.choice([1e-5, 1e-3])
    if g.chance(0.3):
        attributes["momentum"] = 0.75
    bound = (x.bound + 4) * 8 + 4
    g.add(op, [x, scale, bias, mean, variance], bound=bound, **attributes)


def spread(g, shape):
    """Elements that surely differ, so that no deviation is close to zero."""
    count = 1
    for size in shape:
        count *= size
    values = g.numpy.permutation(count).reshape(shape) * (6.0 / max(count, 2)) - 3
    return g.input(values.astype("float32"))


def instance_norm(g, op):
    rank = g.choice([1, 2, 2, 3])
    spatial = [g.random.randint(2, 5) for _ in range(rank)]
    x = spread(g, (g.random.randint(1, 3), g.random.randint(1, 4), *spatial))
    scale, bias = g.fresh((x.shape[1],)), g.fresh((x.shape[1],))
    epsilon = g.choice([None, 1e-5, 1e-2])
    g.add(op, [x, scale, bias], bound=100, epsilon=epsilon)


def group_norm(g, op):
    groups, each = g.random.randint(1, 3), g.random.randint(1, 3)
    spatial = [g.random.randint(2, 5) for _ in range(g.random.randint(1, 2))]
    x = spread(g, (g.random.randint(1, 2), groups * each, *spatial))
    count = groups if g.opset < 21 else groups * each
    scale, bias = g.fresh((count,)), g.fresh((count,))
    g.add(op, [x, scale, bias], bound=100, num_groups=groups)


def layer_norm(g, op):
    x = spread(g, [g.random.randint(2, 5) for _ in range(g.random.randint(1, 4))])
    axis = None if g.chance(0.3) else g.axis(x.rank)
    shape = x.shape[-1 if axis is None else axis :]
    scale = g.fresh(shape)
    bias = g.fresh(shape) if g.chance(0.6) else None
    attributes = {"axis": axis, "epsilon": g.choice([None, 1e-5, 1e-2])}
    outputs = g.choice([1, 1, 3])
    g.add(op, [x, scale, bias], outputs, bound=100, **attributes)


def lrn(g, op):
    x = image(g, least=1)
    attributes = {"size": g.choice([1, 3, 5])}
    for name, values in (
        ("alpha", (1e-4, 0.05)),
        ("beta", (0.5, 0.75)),
        ("bias", (1.0, 2.0)),
    ):
        if g.chance(0.6):
            attributes[name] = g.choice(values)
    g.add(op, [x], bound=x.bound, **attributes)


RULES = {
    "AveragePool": pool,
    "BatchNormalization": batch_norm,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "GlobalAveragePool": global_pool,
    "GlobalLpPool": global_pool,
    "GlobalMaxPool": global_pool,
    "GroupNormalization": group_norm,
    "InstanceNormalization": instance_norm,
    "LRN": lrn,
    "LayerNormalization": layer_norm,
    "LpPool": pool,
    "MaxPool": pool,
}
