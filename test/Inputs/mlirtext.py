"""Writes MLIR with weights as resources, and reads the weights back.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

Tensors are float64 arrays that hold values of their element type exactly, so
that one array type serves f64, f32, f16 and bf16, and -0, infinity and NaN
survive. `quantize` makes such an array; `encode` and `decode` are exact.
"""

import re

import numpy as np

FLOATS = {"f64": np.float64, "f32": np.float32, "f16": np.float16}
BYTES = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2}


def quantize(values, type_name):
    """Rounds once, to nearest even, to values of the element type."""
    values = np.asarray(values, np.float64)
    if type_name != "bf16":
        with np.errstate(over="ignore"):
            return values.astype(FLOATS[type_name]).astype(np.float64)
    # Eight bits of precision, and the exponents of f32.
    finite = np.isfinite(values)
    _, exponents = np.frexp(np.where(finite, values, 0.0))
    unit = np.ldexp(1.0, np.maximum(exponents - 8, -133))
    rounded = np.rint(np.where(finite, values, 0.0) / unit) * unit
    rounded = np.where(np.abs(rounded) >= 2.0**128, np.inf, rounded)
    return np.where(finite, np.copysign(rounded, values), values)


def encode(values, type_name):
    """The little-endian bytes of values that `quantize` leaves alone."""
    values = np.ascontiguousarray(values, np.float64)
    if type_name != "bf16":
        return values.astype(np.dtype(FLOATS[type_name]).newbyteorder("<")).tobytes()
    bits = values.astype(np.float32).view(np.uint32)
    return (bits >> 16).astype("<u2").tobytes()


def decode(data, type_name, shape):
    """The inverse of `encode`."""
    if type_name == "i1":
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return bits[: int(np.prod(shape))].reshape(shape).astype(np.float64)
    if type_name == "bf16":
        bits = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return bits.view(np.float32).astype(np.float64).reshape(shape)
    dtype = np.dtype(FLOATS[type_name]).newbyteorder("<")
    return np.frombuffer(data, dtype).astype(np.float64).reshape(shape)


def tensor(shape, type_name):
    """The text of a tensor type."""
    return "tensor<" + "".join(f"{size}x" for size in shape) + type_name + ">"


def dense(values, type_name):
    """A dense constant in hexadecimal; a splat if all bytes agree."""
    data = encode(values, type_name)
    width = BYTES[type_name]
    shape = np.shape(values)
    if data == data[:width] * (len(data) // width):
        bits = data[:width][::-1].hex().upper()
        return f"dense<0x{bits}> : {tensor(shape, type_name)}"
    return f'dense<"0x{data.hex().upper()}"> : {tensor(shape, type_name)}'


class Module:
    """Text of a module under construction: function bodies and resources."""

    def __init__(self):
        self.functions = []
        self.resources = {}

    def resource(self, key, values, type_name):
        """Adds a resource; returns the attribute that refers to it."""
        alignment = BYTES[type_name].to_bytes(4, "little")
        self.resources[key] = alignment + encode(values, type_name)
        return f'dense_resource<"{key}"> : {tensor(np.shape(values), type_name)}'

    def text(self):
        blobs = ",\n".join(
            f'      "{key}": "0x{data.hex().upper()}"'
            for key, data in self.resources.items()
        )
        section = (
            "{-#\n  dialect_resources: {\n    builtin: {\n"
            f"{blobs}\n    }}\n  }}\n#-}}\n"
        )
        return "\n".join(self.functions) + "\n" + (section if blobs else "")


RESOURCE = re.compile(r'^\s*(?:"([^"]+)"|([\w.$]+)): "0x([0-9A-Fa-f]*)",?$', re.M)
# A tensor type with static shape, and a constant in front of it.
CONSTANT = re.compile(r"(dense(?:_resource)?)<(.*)>(?:\s*:)\s*tensor<((?:\d+x)*)(\w+)>")


def read_resources(text):
    """The bytes of each resource, without the alignment in front."""
    return {
        quoted or bare: bytes.fromhex(data)[4:]
        for quoted, bare, data in RESOURCE.findall(text)
    }


def parse_constant(line, resources):
    """The values of the last constant on a line of printed MLIR."""
    found = CONSTANT.search(line)
    assert found, f"no constant in: {line[:200]}"
    kind, body, sizes, type_name = found.groups()
    shape = tuple(int(size) for size in sizes.split("x") if size)
    if kind == "dense_resource":
        return decode(resources[body.strip('"')], type_name, shape)
    if body.startswith('"0x'):
        return decode(bytes.fromhex(body[3:-1]), type_name, shape)
    items = [parse_element(item, type_name) for item in re.findall(r"[^][,\s]+", body)]
    if len(items) == 1:
        return np.full(shape, items[0])
    return np.array(items, np.float64).reshape(shape)


def parse_element(text, type_name):
    """One element; hexadecimal floats are bit patterns."""
    if text in ("true", "false"):
        return float(text == "true")
    if text.startswith("0x"):
        bits = int(text, 16).to_bytes(BYTES[type_name], "little")
        return float(decode(bits, type_name, (1,))[0])
    # Printed decimals are short; they denote the nearest value of the type.
    return float(quantize(float(text), type_name))


def returned_constants(text):
    """For each function, in order: its name and the constants it returns.

    An entry is None where something else than a constant is returned.
    """
    resources = read_resources(text)
    functions = []
    values = {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("func.func"):
            functions.append((re.search(r"@([\w$.-]+)", line).group(1), []))
            values = {}
        elif "arith.constant" in line:
            values[line.split(" = ")[0]] = line
        elif line.startswith("return") and functions:
            names = re.findall(r"%[\w#]+", line.split(":")[0])
            functions[-1][1].extend(
                parse_constant(values[name], resources) if name in values else None
                for name in names
            )
    return functions
