"""Attention, RotaryEmbedding, TensorScatter.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np

from . import NEWEST, case

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def heads_of(x, count):
    """[batch, length, heads * size] as [batch, heads, length, size]."""
    if x.ndim == 4:
        return x
    return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(0, 2, 1, 3)


def attention(q, k, v, mask=None, past_key=None, past_value=None, lengths=None, **options):
    """One query at a time: the keys that it sees, and their weighted mean."""
    is_flat = q.ndim == 3
    q = heads_of(q, options.get("q_num_heads"))
    k, v = (heads_of(x, options.get("kv_num_heads")) for x in (k, v))
    past = 0
    if past_key is not None:
        past = past_key.shape[2]
        k, v = np.concatenate([past_key, k], 2), np.concatenate([past_value, v], 2)
    batch, heads, queries, size = q.shape
    keys = k.shape[2]
    stages = np.zeros((4, batch, heads, queries, keys))
    result = np.zeros((batch, heads, queries, v.shape[3]))
    scale = options.get("scale", 1 / np.sqrt(size))
    if mask is not None:
        if mask.dtype == bool:
            mask = np.where(mask, 0, -np.inf)
        short = keys - mask.shape[-1]
        mask = np.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, short)], constant_values=-np.inf)
        mask = np.broadcast_to(mask, (batch, heads, queries, keys))
    for b, h, i in np.ndindex(batch, heads, queries):
        shared = h // (heads // k.shape[1])
        row = stages[:, b, h, i]
        row[0] = row[1] = scale * (k[b, shared] @ q[b, h, i])
        cap = options.get("softcap", 0)
        if cap:
            row[1] = cap * np.tanh(row[0] / cap)
        row[2] = row[1] if mask is None else row[1] + mask[b, h, i]
        offset = past if lengths is None else lengths[b] - queries
        j, position = np.arange(keys), i + offset
        left, right = options.get("left_window_size", -1), options.get("right_window_size", -1)
        hidden = np.zeros(keys, bool)
        if options.get("is_causal"):
            hidden |= j > position
        if left >= 0:
            hidden |= j < position - left
        if right >= 0:
            hidden |= j > position + right
        if lengths is not None:
            hidden |= j >= lengths[b]
        row[2][hidden] = -np.inf
        if np.isfinite(row[2]).any():
            weights = np.exp(row[2] - row[2].max())
            row[3] = weights / weights.sum()
        result[b, h, i] = row[3] @ v[b, shared]
    if is_flat:
        result = result.transpose(0, 2, 1, 3).reshape(batch, queries, -1)
    stage = stages[options.get("qk_matmul_output_mode", 0)]
    return [x.astype(np.float32) for x in (result, k, v, stage)]


def add(versions, *inputs, outputs=1, **attributes):
    named = {k: v for k, v in attributes.items()}
    expected = attention(*inputs, **named)[:outputs]
    case("Attention", versions, inputs, expected, **attributes)


def attention_cases():
    q, k, v = normal(2, 4, 3, 8), normal(2, 4, 5, 8), normal(2, 4, 5, 6)
    every, later, newest = (23, NEWEST), (24, NEWEST), (25, NEWEST)
    add(every, q, k, v)
    add(every, q, k, v, scale=0.3, softcap=1.5, outputs=4, qk_matmul_output_mode=1)
    flat = normal(2, 3, 32), normal(2, 5, 32), normal(2, 5, 24)
    add(every, *flat, q_num_heads=4, kv_num_heads=4)
    shared = normal(2, 3, 48), normal(2, 5, 16), normal(2, 5, 12)
    add(every, *shared, q_num_heads=6, kv_num_heads=2, is_causal=1)
    add(every, normal(2, 6, 3, 8), normal(2, 1, 5, 8), normal(2, 1, 5, 4), outputs=4)
    for shape in ((3, 5), (4, 3, 5), (2, 1, 3, 5)):
        add(every, q, k, v, normal(*shape), outputs=4, qk_matmul_output_mode=2)
        visible = RNG.random(shape) < 0.6
        visible[..., 1, :] = False
        add(every, q, k, v, visible, is_causal=1, outputs=4, qk_matmul_output_mode=3)
    past = normal(2, 4, 7, 8), normal(2, 4, 7, 6)
    add(every, q, k, v, None, *past, is_causal=1, outputs=3)
    add(every, q, k, v, normal(3, 12), *past, outputs=3)
    add(later, q, k, v, normal(3, 4))
    add(later, q, k, v, RNG.random((3, 2)) < 0.7)
    lengths = np.array([5, 2])
    add(later, q, k, v, None, None, None, lengths)
    add(later, q, k, v, None, None, None, lengths, is_causal=1, outputs=4, qk_matmul_output_mode=3)
    add(newest, q, k, v, left_window_size=1, right_window_size=1)
    add(newest, q, k, v, None, *past, left_window_size=2, is_causal=1)
    add(newest, q, k, v, None, None, None, lengths, left_window_size=0)


def rotate(x, cosine, sine, positions=None, interleaved=0, rotary_embedding_dim=0, num_heads=0):
    """Pairs of features as complex numbers, turned by the token's angles."""
    split = heads_of(x, num_heads)
    size = rotary_embedding_dim or split.shape[3]
    turn = cosine + 1j * sine
    turn = (turn if positions is None else turn[positions])[:, None]
    first = slice(0, size, 2) if interleaved else slice(0, size // 2)
    second = slice(1, size, 2) if interleaved else slice(size // 2, size)
    turned = (split[..., first] + 1j * split[..., second]) * turn
    result = split.copy()
    result[..., first], result[..., second] = turned.real, turned.imag
    if x.ndim == 4:
        return result
    return result.transpose(0, 2, 1, 3).reshape(x.shape)


def rotary_cases():
    positions = RNG.integers(0, 20, (2, 3))
    for flat in (False, True):
        x = normal(2, 3, 32) if flat else normal(2, 4, 3, 8)
        heads = {"num_heads": 4} if flat else {}
        for interleaved in (0, 1):
            for part in (0, 4):
                options = dict(interleaved=interleaved, rotary_embedding_dim=part, **heads)
                half = (part or 8) // 2
                tables = normal(20, half), normal(20, half)
                expected = rotate(x, *tables, positions, **options)
                case("RotaryEmbedding", (23, NEWEST), [x, *tables, positions], expected, **options)
                tables = normal(2, 3, half), normal(2, 3, half)
                expected = rotate(x, *tables, **options)
                case("RotaryEmbedding", (23, NEWEST), [x, *tables], expected, **options)


def scatter(cache, update, starts=None, axis=-2, mode="linear"):
    result = cache.copy()
    for b in range(cache.shape[0]):
        row, new = np.moveaxis(result[b], axis % cache.ndim - 1, 0), None
        new = np.moveaxis(update[b], axis % cache.ndim - 1, 0)
        for at in range(len(new)):
            to = at + (0 if starts is None else starts[b])
            row[to % len(row) if mode == "circular" else to] = new[at]
    return result


def scatter_cases():
    cache, update = normal(2, 3, 6, 4), normal(2, 3, 4, 4)
    for starts, mode in ((None, "linear"), ([0, 2], "linear"), ([5, 3], "circular")):
        starts = None if starts is None else np.array(starts)
        inputs = [cache, update] + ([] if starts is None else [starts])
        expected = scatter(cache, update, starts, mode=mode)
        case("TensorScatter", (24, NEWEST), inputs, expected, mode=mode)
    update = normal(2, 1, 6, 4)
    expected = scatter(cache, update, [2, 0], axis=1)
    case("TensorScatter", (24, NEWEST), [cache, update, np.array([2, 0])], expected, axis=1)


attention_cases()
rotary_cases()
scatter_cases()
