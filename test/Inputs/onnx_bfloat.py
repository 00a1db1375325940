"""Makes a model of bf16 of one of f32, to compare with what f32 gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

ONNX Runtime has no bf16 on processors. But with weights and inputs that bf16 holds,
one operator of f32 computes what the same operator of bf16 has to round.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mlirtext import quantize

# Operators whose definitions speak of f32 itself.
ONLY_F32 = {
    "BlackmanWindow",
    "Cast",
    "CastLike",
    "ConstantOfShape",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "EyeLike",
    "HammingWindow",
    "HannWindow",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "Range",
}
# Operands that stay f32, from which on.
KEPT_FROM = {"Resize": 1, "Upsample": 1, "Clip": 3}


def round_array(array):
    return quantize(array, "bf16").astype(np.float32)


def narrow_tensor(tensor):
    bits = numpy_helper.to_array(tensor).view(np.uint32) >> 16
    return helper.make_tensor(
        tensor.name, TensorProto.BFLOAT16, tensor.dims, bits.astype(np.uint16).tobytes(), raw=True
    )


def is_plain(model):
    """One node on f32 and integers, without graphs or tensors as attributes."""
    nodes = model.graph.node
    kinds = {t.data_type for t in model.graph.initializer}
    kinds |= {i.type.tensor_type.elem_type for i in model.graph.input}
    return (
        len(nodes) == 1
        and nodes[0].op_type not in ONLY_F32
        and not any(a.HasField("g") or a.HasField("t") for a in nodes[0].attribute)
        and TensorProto.FLOAT in kinds
        and not kinds & {TensorProto.DOUBLE, TensorProto.FLOAT16}
    )


def to_bfloat(model, inputs):
    """The model on rounded numbers in f32, its inputs, and the model of bf16; or None
    where there is none."""
    if not is_plain(model):
        return None
    node = model.graph.node[0]
    kept = set(node.input[KEPT_FROM.get(node.op_type, len(node.input)) :])
    plain, narrow = onnx.ModelProto(), onnx.ModelProto()
    plain.CopyFrom(model)
    for tensor in plain.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            array = round_array(numpy_helper.to_array(tensor))
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    narrow.CopyFrom(plain)
    for tensor in narrow.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            tensor.CopyFrom(narrow_tensor(tensor))
    rounded = dict(inputs)
    for info in narrow.graph.input:
        kind = info.type.tensor_type
        if kind.elem_type == TensorProto.FLOAT and info.name not in kept:
            kind.elem_type = TensorProto.BFLOAT16
            rounded[info.name] = round_array(inputs[info.name])
    return plain, rounded, narrow
