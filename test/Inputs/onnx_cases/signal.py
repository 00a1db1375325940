"""Fourier transforms, their windows, and the mel scale.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import math

import numpy as np
from onnx import TensorProto

from . import NEWEST, case

RNG = np.random.default_rng(41)
EVERY = (17, NEWEST)
OLD, NEW = (17, 19), (20, NEWEST)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def transform(x, length, axis, inverse, onesided):
    """Of a tensor whose last axis has the parts of numbers."""
    signal = x[..., 0] + (1j * x[..., 1] if x.shape[-1] == 2 else 0)
    if inverse and onesided:
        return np.fft.irfft(signal, length, axis)[..., None].astype(x.dtype)
    y = (np.fft.ifft if inverse else np.fft.fft)(signal.astype(complex), length, axis)
    if onesided:
        y = y.take(range(y.shape[axis] // 2 + 1), axis)
    return np.stack([y.real, y.imag], -1).astype(x.dtype)


def dft(x, axis, length=None, inverse=0, onesided=0, constants=(1, 2), tolerance=1e-4):
    assert axis >= 0
    expected = transform(x, length, axis, inverse, onesided)
    count = None if length is None else np.array(length, np.int64)
    options = {"inverse": inverse, "onesided": onesided}
    negative = axis - x.ndim
    for given in (axis, negative):
        case("DFT", OLD, [x, count], expected, constants, tolerance, axis=given, **options)
        inputs = [x, count, np.array(given, np.int64)]
        case("DFT", NEW, inputs, expected, [*constants, 2], tolerance, **options)


def transforms():
    for parts in (1, 2):
        x = normal(2, 6, 5, parts)
        for inverse in (0, 1):
            dft(x, 1, inverse=inverse)
            # Shorter and longer than the axis: cut, and filled with zeros.
            for length in (4, 9, 1):
                dft(x, 2, length, inverse)
            dft(x, 1, 8, inverse, constants=())
            if parts == 1 + inverse:
                for length in (None, 7, 8, 9):
                    dft(x, 2, length, inverse, onesided=1)
                dft(x, 1, 8, inverse, onesided=1, constants=())
    # Without attributes: the first axis of one, the last one before the parts.
    x = normal(2, 6, 5, 1)
    case("DFT", OLD, [x], transform(x, None, 1, 0, 0), tolerance=1e-4)
    case("DFT", NEW, [x], transform(x, None, 2, 0, 0), tolerance=1e-4)
    dft(normal(3, 7, 2).astype(np.float64), 1, tolerance=1e-9)
    dft(normal(3, 7, 1).astype(np.float16), 1, tolerance=1e-2)
    # Large ones are made of tables that the program computes.
    dft(normal(1, 1100, 1), 1, tolerance=2e-3)


def stft(x, step, window, length, onesided):
    size = length if window is None else len(window)
    size = x.shape[1] if size is None else size
    starts = range(0, x.shape[1] - size + 1, step)
    frames = np.stack([x[:, at : at + size] for at in starts], 1)
    if window is not None:
        frames = frames * window[:, None]
    return transform(frames, size, 2, 0, onesided)


def frames():
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)).astype(np.float32)
    number = lambda v: None if v is None else np.array(v, np.int64)
    for parts in (1, 2):
        x = normal(2, 60, parts)
        for window, length in ((hann, None), (None, 16), (hann, 16), (hann[:7], 7)):
            for step in (4, 5, 16):
                for onesided in (0, 1)[: 3 - parts]:
                    expected = stft(x, step, window, length, onesided)
                    inputs = [x, number(step), window, number(length)]
                    options = {"onesided": onesided}
                    case("STFT", EVERY, inputs, expected, [1, 2, 3], 1e-4, **options)
    # Nothing is known before the run; one frame; the default is one-sided.
    x = normal(2, 60, 1)
    inputs = [x, number(4), hann, number(16)]
    case("STFT", EVERY, inputs, stft(x, 4, hann, 16, 1), tolerance=1e-4)
    case("STFT", EVERY, inputs[:2] + [None, number(16)], stft(x, 4, None, 16, 1), tolerance=1e-4)
    case("STFT", EVERY, inputs[:2], stft(x, 4, None, None, 1), [1], 1e-3)
    double = x.astype(np.float64)
    inputs = [double, number(7), hann.astype(np.float64)]
    case("STFT", EVERY, inputs, stft(double, 7, inputs[2], None, 1), [1, 2], 1e-9)


WINDOWS = {
    "HannWindow": (0.5, -0.5, 0),
    "HammingWindow": (25 / 46, -21 / 46, 0),
    "BlackmanWindow": (0.42, -0.5, 0.08),
}


def windows():
    for op, (a, b, c) in WINDOWS.items():
        for size in (10, 9, 2):
            for periodic in (0, 1):
                t = 2 * np.pi * np.arange(size) / (size - 1 + periodic)
                window = a + b * np.cos(t) + c * np.cos(2 * t)
                for constants in ([0], []):
                    for kind in (np.int64, np.int32):
                        inputs = [np.array(size, kind)]
                        expected = window.astype(np.float32)
                        case(op, EVERY, inputs, expected, constants, periodic=periodic)
        # Periodic floats are what is given unless the node says more.
        t = 2 * np.pi * np.arange(size) / size
        window = a + b * np.cos(t) + c * np.cos(2 * t)
        inputs = [np.array(size)]
        case(op, EVERY, inputs, window.astype(np.float32), [0])
        for kind, name in ((np.float64, "DOUBLE"), (np.float16, "FLOAT16")):
            options = {"output_datatype": getattr(TensorProto, name), "tolerance": 1e-3}
            case(op, EVERY, inputs, window.astype(kind), [0], **options)
            case(op, EVERY, inputs, window.astype(kind), **options)


def mel_matrix(bands, length, rate, low, high):
    mel = lambda hertz: 2595 * math.log10(1 + hertz / 700)
    step = (mel(high) - mel(low)) / (bands + 2)
    edges = [700 * (10 ** ((mel(low) + at * step) / 2595) - 1) for at in range(bands + 2)]
    edges = [math.floor((length + 1) * edge / rate) for edge in edges]
    table = np.zeros((length // 2 + 1, bands))
    for band, (begin, peak, end) in enumerate(zip(edges, edges[1:], edges[2:])):
        for row in range(begin, peak + 1):
            table[row, band] = (row - begin) / (peak - begin) if peak > begin else 1
        for row in range(peak, end):
            table[row, band] = (end - row) / (end - peak)
    return table


def mel():
    for bands, length, rate, low, high in (
        (8, 16, 8192, 0, 4096),
        (40, 512, 16000, 20, 7600),
        (3, 7, 8000, 0, 3000),
        # Bands that are narrower than a bin.
        (30, 32, 16000, 0, 2000),
    ):
        table = mel_matrix(bands, length, rate, low, high)
        integers = [np.array(v) for v in (bands, length, rate)]
        edges = [np.array(v, np.float32) for v in (low, high)]
        case("MelWeightMatrix", EVERY, integers + edges, table.astype(np.float32), range(5))
    integers = [v.astype(np.int32) for v in integers]
    options = {"output_datatype": TensorProto.DOUBLE}
    case("MelWeightMatrix", EVERY, integers + edges, table, range(5), **options)


for group in (transforms, frames, windows, mel):
    group()
