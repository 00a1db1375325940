"""A network with a branch for each ONNX operator that channels may leave through.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

A branch is a convolution, the operator, and a convolution that reads it. All read the
same input and have a result each, so that one import, one decision and one export tell
of all operators.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE

CHANNELS, SIZE = 8, 4
PER_CHANNEL = (1, CHANNELS, 1, 1)
# Operators of one input that keep its shape.
PLAIN = (
    "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Dropout Elu Erf Exp Floor "
    "GlobalAveragePool GlobalLpPool GlobalMaxPool HardSigmoid HardSwish Hardmax Identity "
    "LeakyRelu Log LogSoftmax Mish Neg Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh "
    "Softmax Softplus Softsign Sqrt Tan Tanh ThresholdedRelu Trilu MeanVarianceNormalization "
    "LpNormalization Gelu Swish"
).split()
# Those of booleans or integers, with a second operand or without.
BETWEEN = {
    TensorProto.BOOL: ("And", "Or", "Xor", "Not"),
    TensorProto.INT32: ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"),
    TensorProto.FLOAT: ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsInf", "IsNaN"),
}
ALONE = ("Not", "BitwiseNot", "IsInf", "IsNaN")
POOLS = ("AveragePool", "LpPool", "MaxPool")
# Those that also read a tensor with a number for each channel.
WITH_NUMBERS = ("Add", "Div", "Max", "Mean", "Min", "Mod", "Mul", "PRelu", "Pow", "Sub", "Sum")
REDUCED = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
    "ReduceSum ReduceSumSquare"
).split()


class Branches:
    def __init__(self, opset=24):
        self.random = np.random.default_rng(3)
        self.opset = opset
        self.nodes, self.tensors, self.outputs = [], [], []

    def store(self, name, values):
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def floats(self, name, *shape):
        return self.store(name, self.random.uniform(0.5, 1.5, shape).astype(np.float32))

    def ints(self, name, *values):
        return self.store(name, np.array(values, np.int64))

    def op(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], f"node_{output}", **attributes))
        return output

    def conv(self, x, name, channels, filters):
        # Of inputs in [0, 1] results are in [0, 1]: every operator is defined there.
        weight = self.random.uniform(0.01, 0.3, (filters, channels, 1, 1)).astype(np.float32)
        return self.op("Conv", [x, self.store(f"w_{name}", weight)], name)

    def add(self, op):
        """A branch through one operator; its weights are `w_in_OP` and `w_out_OP`."""
        x = self.conv("x", f"in_{op}", 3, CHANNELS)
        y, channels = self.through(op, x, f"through_{op}")
        self.outputs.append(self.conv(y, f"out_{op}", channels, 2))

    def through(self, op, x, y):
        if op in POOLS:
            self.op(op, [x], y, kernel_shape=[3, 3], pads=[1] * 4)
        elif op in WITH_NUMBERS:
            attributes = {"fmod": 1} if op == "Mod" else {}
            self.op(op, [x, self.floats(f"{y}_c", *PER_CHANNEL)], y, **attributes)
        elif op in REDUCED:
            self.op(op, [x, self.ints(f"{y}_axes", 2, 3)], y)
        elif op in sum(BETWEEN.values(), ()):
            self.between(op, x, y)
        elif op in PLAIN:
            self.op(op, [x], y, **({"axis": 2} if op in ("Hardmax", "LogSoftmax", "Softmax") else {}))
        else:
            return getattr(self, op)(x, y)
        return y, CHANNELS

    def between(self, op, x, y):
        """Converts to the operator's type and back."""
        kind = next(kind for kind, names in BETWEEN.items() if op in names)
        inputs = [self.op("Cast", [x], f"{y}_from", to=kind)]
        if op not in ALONE:
            inputs.append(self.store(f"{y}_c", np.array(1, TENSOR_TYPE_TO_NP_TYPE[kind])))
        self.op("Cast", [self.op(op, inputs, f"{y}_result")], y, to=TensorProto.FLOAT)

    def RMSNormalization(self, x, y):
        return self.op("RMSNormalization", [x, self.floats(f"{y}_s", SIZE)], y), CHANNELS

    def GroupNormalization(self, x, y):
        parts = [self.floats(f"{y}_{at}", CHANNELS) for at in range(2)]
        return self.op("GroupNormalization", [x, *parts], y, num_groups=4), CHANNELS

    def CastLike(self, x, y):
        return self.op("CastLike", [x, self.store(f"{y}_l", np.float32(0))], y), CHANNELS

    def QuantizeLinear(self, x, y):
        scale = [self.store(f"{y}_s", np.float32(0.1)), self.store(f"{y}_z", np.int8(3))]
        q = self.op("QuantizeLinear", [x, *scale], f"{y}_q")
        return self.op("DequantizeLinear", [q, *scale], y), CHANNELS

    DequantizeLinear = QuantizeLinear

    def DynamicQuantizeLinear(self, x, y):
        parts = [f"{y}_q", f"{y}_s", f"{y}_z"]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], parts))
        return self.op("DequantizeLinear", parts, y), CHANNELS

    def ArgMax(self, x, y):
        at = self.op("ArgMax", [x], f"{y}_at", axis=2)
        return self.op("Cast", [at], y, to=TensorProto.FLOAT), CHANNELS

    def ArgMin(self, x, y):
        at = self.op("ArgMin", [x], f"{y}_at", axis=2)
        return self.op("Cast", [at], y, to=TensorProto.FLOAT), CHANNELS

    def TopK(self, x, y):
        self.nodes.append(helper.make_node("TopK", [x, self.ints(f"{y}_k", 2)], [y, f"{y}_i"]))
        return y, CHANNELS

    def BatchNormalization(self, x, y):
        parts = [self.floats(f"{y}_{at}", CHANNELS) for at in range(4)]
        return self.op("BatchNormalization", [x, *parts], y), CHANNELS

    def InstanceNormalization(self, x, y):
        parts = [self.floats(f"{y}_{at}", CHANNELS) for at in range(2)]
        return self.op("InstanceNormalization", [x, *parts], y), CHANNELS

    def LayerNormalization(self, x, y):
        return self.op("LayerNormalization", [x, self.floats(f"{y}_s", SIZE)], y), CHANNELS

    def LRN(self, x, y):
        return self.op("LRN", [x], y, size=3), CHANNELS

    def Clip(self, x, y):
        low, high = (self.store(f"{y}_{v}", np.float32(v)) for v in (-1, 1))
        return self.op("Clip", [x, low, high], y), CHANNELS

    def Cast(self, x, y):
        half = self.op("Cast", [x], f"{y}_half", to=TensorProto.FLOAT16)
        return self.op("Cast", [half], y, to=TensorProto.FLOAT), CHANNELS

    def CumSum(self, x, y):
        return self.op("CumSum", [x, self.store(f"{y}_a", np.array(2))], y), CHANNELS

    def Concat(self, x, y):
        return self.op("Concat", [x, x], y, axis=1), 2 * CHANNELS

    def Split(self, x, y):
        self.nodes.append(helper.make_node("Split", [x], [y, f"{y}_b"], axis=1, num_outputs=2))
        return self.op("Add", [y, f"{y}_b"], f"{y}_sum"), CHANNELS // 2

    def Slice(self, x, y):
        bounds = [self.ints(f"{y}_{at}", at) for at in (2, 6, 1)]
        return self.op("Slice", [x, *bounds], y), 4

    def Gather(self, x, y):
        return self.op("Gather", [x, self.ints(f"{y}_i", 5, 0, 2)], y, axis=1), 3

    def Pad(self, x, y):
        return self.op("Pad", [x, self.ints(f"{y}_p", 0, 0, 1, 1, 0, 0, 1, 1)], y), CHANNELS

    def Resize(self, x, y):
        scales = self.store(f"{y}_s", np.array([1, 1, 2, 2], np.float32))
        return self.op("Resize", [x, "", scales], y, mode="linear"), CHANNELS

    def Transpose(self, x, y):
        turned = self.op("Transpose", [x], f"{y}_t", perm=[0, 2, 1, 3])
        return self.op("Transpose", [turned], y, perm=[0, 2, 1, 3]), CHANNELS

    def Reshape(self, x, y):
        flat = self.op("Reshape", [x, self.ints(f"{y}_f", 0, 0, -1)], f"{y}_r")
        return self.op("Reshape", [flat, self.ints(f"{y}_s", 0, 0, SIZE, SIZE)], y), CHANNELS

    def Unsqueeze(self, x, y):
        more = self.op("Unsqueeze", [x, self.ints(f"{y}_a", 1)], f"{y}_m")
        return self.op("Squeeze", [more, f"{y}_a"], y), CHANNELS

    Squeeze = Unsqueeze

    def Flatten(self, x, y):
        flat = self.op("Flatten", [x], f"{y}_f")
        return self.op("Reshape", [flat, self.ints(f"{y}_s", 1, -1, 1, 1)], y), CHANNELS * SIZE**2

    def Expand(self, x, y):
        pooled = self.op("GlobalMaxPool", [x], f"{y}_p")
        return self.op("Expand", [pooled, self.ints(f"{y}_s", 1, 1, SIZE, SIZE)], y), CHANNELS

    def Tile(self, x, y):
        return self.op("Tile", [x, self.ints(f"{y}_t", 1, 1, 2, 1)], y), CHANNELS

    def DepthToSpace(self, x, y):
        return self.op("DepthToSpace", [x], y, blocksize=2), CHANNELS // 4

    def SpaceToDepth(self, x, y):
        return self.op("SpaceToDepth", [x], y, blocksize=2), CHANNELS * 4

    def Conv(self, x, y):
        return self.op("Conv", [x, self.floats(f"{y}_w", CHANNELS, 1, 1, 1)], y, group=CHANNELS), CHANNELS

    def ConvTranspose(self, x, y):
        return self.op("ConvTranspose", [x, self.floats(f"{y}_w", CHANNELS, 5, 2, 2)], y), 5

    def Where(self, x, y):
        seen = self.store(f"{y}_m", self.random.random((SIZE, SIZE)) < 0.5)
        return self.op("Where", [seen, x, self.store(f"{y}_z", np.float32(2))], y), CHANNELS

    def MatMul(self, x, y):
        return self.op("MatMul", [x, self.floats(f"{y}_w", SIZE, 3)], y), CHANNELS

    def Einsum(self, x, y):
        inputs = [x, self.floats(f"{y}_w", CHANNELS, 3)]
        return self.op("Einsum", inputs, y, equation="bchw,cd->bdhw"), 3

    def Gemm(self, x, y):
        pooled = self.op("Flatten", [self.op("GlobalMaxPool", [x], f"{y}_p")], f"{y}_f")
        product = self.op("Gemm", [pooled, self.floats(f"{y}_w", CHANNELS, 3)], f"{y}_g")
        return self.op("Reshape", [product, self.ints(f"{y}_s", 1, -1, 1, 1)], y), 3

    def model(self):
        info = helper.make_tensor_value_info
        inputs = [info("x", TensorProto.FLOAT, [1, 3, SIZE, SIZE])]
        outputs = [info(name, TensorProto.FLOAT, None) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "branches", inputs, outputs, self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return model


# Those with a method of their own.
OWN = [name for name in vars(Branches) if name[0].isupper()]
ALL = sorted([*PLAIN, *POOLS, *WITH_NUMBERS, *REDUCED, *OWN, *sum(BETWEEN.values(), ())])
