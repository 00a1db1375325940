"""Operator sets from 18 on, and which operators each of them defined anew.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

The installed onnx knows sets up to 17. What is listed here follows ONNX's own list of
operators by set; an operator that is not in it means what it meant in 17, or came with
the set in which the importer's table has it first.
"""

OLDEST = 18
# The newest operator set that the importer knows.
NEWEST = 26

# Those that gain types whenever there are new ones.
EVERY_TYPE = (
    "Cast CastLike Constant ConstantOfShape DequantizeLinear Flatten Identity If Loop Pad "
    "QuantizeLinear Reshape Scan Shape Size Squeeze Transpose Unsqueeze"
)
BY_SET = {
    18: "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization "
    "LpPool Mish Pad ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean "
    "ReduceMin ReduceProd ReduceSumSquare Resize ScatterElements ScatterND Split",
    19: "AveragePool Cast CastLike Constant DeformConv DequantizeLinear Equal Identity If Loop "
    "Pad QuantizeLinear Reshape Resize Scan Shape Size",
    20: "AffineGrid ConstantOfShape DFT Gelu GridSample IsInf IsNaN ReduceMax ReduceMin",
    21: f"{EVERY_TYPE} GroupNormalization QLinearMatMul",
    22: "Acos Acosh Asin Asinh Atan Atanh AveragePool Bernoulli Conv ConvTranspose Cos Cosh "
    "DeformConv Det Dropout Elu EyeLike GRU GlobalAveragePool GlobalLpPool GlobalMaxPool "
    "GridSample HardSigmoid HardSwish InstanceNormalization LSTM LpNormalization LpPool "
    "MaxPool MaxRoiPool MaxUnpool Mish Multinomial NegativeLogLikelihoodLoss RNN "
    "RandomNormal RandomNormalLike RandomUniform RandomUniformLike RoiAlign Round Selu Sin "
    "Sinh Softplus Softsign Tan ThresholdedRelu",
    23: f"{EVERY_TYPE} Attention RMSNormalization RotaryEmbedding",
    24: f"{EVERY_TYPE} Attention SplitToSequence Swish TensorScatter TopK",
    25: f"{EVERY_TYPE} Attention",
    26: "BitCast CumProd",
}


def changes():
    """The operator sets that changed each operator, in order."""
    changed = {}
    for version, operators in BY_SET.items():
        for op in operators.split():
            changed.setdefault(op, []).append(version)
    return changed


CHANGED = changes()
