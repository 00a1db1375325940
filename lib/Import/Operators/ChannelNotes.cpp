//===- ChannelNotes.cpp - Operators that channels leave through -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the analysis of channels makes of an operator cannot be read off the
// import: it looks at what the operator is lowered to. The notes here are for
// the documentation; a test prunes through each operator that says yes.
//
//===----------------------------------------------------------------------===//

#include "ChannelNotes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using llvm::StringRef;

namespace {
struct Note {
  StringRef text;
  /// Operators, separated by blanks.
  StringRef operators;
};
} // namespace

static constexpr Note kNotes[] = {
    {"yes",
     "Abs Acos Add And Asin Asinh Atan Atanh AveragePool "
     "BatchNormalization BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast "
     "CastLike Ceil Celu Clip Concat Conv ConvTranspose Cos Cosh "
     "DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand Flatten "
     "Floor Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater "
     "GreaterOrEqual HardSigmoid HardSwish Identity InstanceNormalization "
     "IsInf IsNaN LeakyRelu Less LessOrEqual LpPool MatMul Max MaxPool "
     "Mean Min Mish Mul Neg Not Or PRelu Pad Pow QuantizeLinear Relu "
     "Reshape Resize Round Selu Shrink Sigmoid Sign Sin Sinh Slice "
     "Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan "
     "Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Where Xor"},
    {"no: an element depends on neighbouring channels", "LRN"},
    {"no: its scale depends on all channels", "DynamicQuantizeLinear"},
    {"no: integer weights are not pruned",
     "ConvInteger MatMulInteger QLinearConv QLinearMatMul"},
    {"no: of a channel of zeros it gives no finite number",
     "Acosh Log Reciprocal ReduceLogSum"},
    {"no: of a masked divisor it gives no number", "Mod"},
    {"no: positions are data",
     "GatherElements GatherND OneHot Scatter ScatterElements ScatterND "
     "TensorScatter"},
    {"reads no channels", "Constant ConstantOfShape EyeLike Range Shape Size"},
    {"yes, but not along its axes",
     "ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd"},
    {"yes, but not along its axis",
     "ArgMax ArgMin CumSum Hardmax LayerNormalization LogSoftmax "
     "MeanVarianceNormalization RMSNormalization Softmax TopK"},
    {"yes, of known indices", "Gather"},
    {"yes, units whose state is internal", "GRU LSTM RNN"},
    {"yes, whole blocks", "DepthToSpace"},
    {"yes, whole groups", "GroupNormalization"},
    {"yes; a norm can lose zeros",
     "LpNormalization ReduceL1 ReduceL2 ReduceSum ReduceSumSquare"},
};

StringRef mlir::prune::onnx_import::describeChannels(StringRef op) {
  static const llvm::StringMap<StringRef> notes = [] {
    llvm::StringMap<StringRef> map;
    for (const Note &note : kNotes)
      for (StringRef name : llvm::split(note.operators, ' '))
        map[name] = note.text;
    return map;
  }();
  auto note = notes.find(op);
  return note == notes.end() ? "not tested" : note->second;
}
