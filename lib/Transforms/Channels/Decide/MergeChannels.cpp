//===- MergeChannels.cpp - Fold removed channels into similar ones --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A channel whose producing weights (with bias and normalisation) are s times
// those of another one is s times the other channel, also behind an activation
// that commutes with positive factors, such as ReLU. So its consumers' weights,
// times s, can be added to the other's. No data is needed. For weights that are
// only similar it is an approximation. (Kim et al., Neuron Merging, NeurIPS
// 2020.)
//
// What a channel goes through between its producer and its consumers is
// followed number by number: first an affine function of the product, then,
// behind the activation, nothing that does not commute with positive factors.
//
//===----------------------------------------------------------------------===//

#include "ChannelDecision.h"
#include "Transforms/Channels/ChannelRemoval.h"

#include "prune/IR/ConstantView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune;

//===----------------------------------------------------------------------===//
// What one number of a channel is
//===----------------------------------------------------------------------===//

namespace {
/// A number as a function of the product z that makes the channel.
struct Form {
  enum Kind {
    Unknown,
    Number, ///< b
    Affine, ///< a * z + b
    Scaled, ///< grows by s if z and all biases before do
    Sign,   ///< the outcome of a comparison with zero
  };
  Kind kind = Unknown;
  double a = 0, b = 0;

  bool isZero() const { return kind == Number && b == 0; }
  bool grows() const { return kind == Affine || kind == Scaled || isZero(); }
  Form asScaled() const {
    return kind == Affine || isZero() ? Form{Scaled} : *this;
  }
};
} // namespace

static Form addForms(const Form &x, const Form &y, double sign) {
  if (x.kind <= Form::Affine && y.kind <= Form::Affine && x.kind && y.kind) {
    bool isNumber = x.kind == Form::Number && y.kind == Form::Number;
    return {isNumber ? Form::Number : Form::Affine, x.a + sign * y.a,
            x.b + sign * y.b};
  }
  return x.grows() && y.grows() ? Form{Form::Scaled} : Form{};
}

static Form multiplyForms(const Form &x, const Form &y) {
  if (x.kind == Form::Number && y.kind == Form::Number)
    return {Form::Number, 0, x.b * y.b};
  for (auto [number, other] : {std::pair(x, y), std::pair(y, x)}) {
    if (number.kind != Form::Number)
      continue;
    if (other.kind == Form::Affine)
      return {Form::Affine, number.b * other.a, number.b * other.b};
    if (other.kind == Form::Scaled)
      return other;
  }
  return {};
}

static Form evaluateForm(Operation &op, ArrayRef<Form> operands) {
  const Form &x = operands[0];
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return x;
  if (isa<arith::NegFOp>(op))
    return multiplyForms(x, {Form::Number, 0, -1});
  if (operands.size() == 3 && isa<arith::SelectOp>(op))
    return x.kind == Form::Sign && operands[1].grows() && operands[2].grows()
               ? Form{Form::Scaled}
               : Form{};
  if (operands.size() != 2)
    return {};
  const Form &y = operands[1];
  if (isa<arith::AddFOp>(op))
    return addForms(x, y, 1);
  if (isa<arith::SubFOp>(op))
    return addForms(x, y, -1);
  if (isa<arith::MulFOp>(op))
    return multiplyForms(x, y);
  if (isa<arith::DivFOp>(op) && y.kind == Form::Number && y.b != 0)
    return multiplyForms(x, {Form::Number, 0, 1 / y.b});
  if (isa<arith::MaximumFOp, arith::MaxNumFOp, arith::MinimumFOp,
          arith::MinNumFOp>(op)) {
    // A maximum starts from minus infinity.
    for (auto [number, other] : {std::pair(x, y), std::pair(y, x)})
      if (number.kind == Form::Number && std::isinf(number.b))
        return other;
    return x.grows() && y.grows() ? Form{Form::Scaled} : Form{};
  }
  if (isa<arith::CmpFOp>(op) && x.grows() && y.grows())
    return {Form::Sign};
  return {};
}

//===----------------------------------------------------------------------===//
// What a channel goes through
//===----------------------------------------------------------------------===//

namespace {
/// One form for each channel of the group.
using Forms = std::vector<Form>;

class Path {
public:
  Path(const PlannedGroup &group, const ChannelGroups &groups,
       const SliceConstants &constants)
      : group(group), groups(groups), constants(constants) {
    for (auto [position, channel] : llvm::enumerate(group.channels))
      positionOf[channel] = position;
    for (const ChannelConstant &constant : group.consumers)
      consumers.insert(constant.getReader());
  }

  /// Follows the channels; the operation that cannot be followed, or null.
  Operation *follow();
  /// What the activation is applied to: `a * z + b` for each channel.
  const Forms &getInput() const { return input; }

private:
  std::vector<int64_t> findIndices(std::optional<unsigned> first, int64_t rank,
                                   int64_t &dim);
  bool step(Operation *op);
  bool stepStructured(linalg::LinalgOp op);
  bool produce(linalg::LinalgOp op);
  Form getForm(OpOperand &operand, AffineMap map, unsigned loop, int64_t index);
  bool setForms(Value result, Forms next);

  const PlannedGroup &group;
  const ChannelGroups &groups;
  const SliceConstants &constants;
  llvm::DenseMap<unsigned, int64_t> positionOf;
  llvm::DenseSet<Operation *> consumers;
  llvm::DenseMap<Value, Forms> forms;
  Forms input;
};
} // namespace

/// The dimension that the channels lie along, and an index of each.
std::vector<int64_t> Path::findIndices(std::optional<unsigned> first,
                                       int64_t rank, int64_t &dim) {
  std::vector<int64_t> indices;
  for (dim = 0; first && dim != rank; ++dim) {
    indices.assign(group.channels.size(), -1);
    size_t found = 0;
    for (int64_t i = 0; i != groups.getAxes()[*first + dim].size; ++i) {
      auto position = positionOf.find(groups.getChannel(*first + dim, i));
      if (position == positionOf.end() || indices[position->second] >= 0)
        continue;
      indices[position->second] = i;
      ++found;
    }
    if (found == indices.size())
      return indices;
  }
  return {};
}

/// The loop that the channels lie along.
static std::optional<unsigned> getLoop(AffineMap map, ArrayRef<int64_t> indices,
                                       int64_t dim) {
  if (indices.empty())
    return std::nullopt;
  auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
  return loop ? std::optional<unsigned>(loop.getPosition()) : std::nullopt;
}

Form Path::getForm(OpOperand &operand, AffineMap map, unsigned loop,
                   int64_t index) {
  auto number =
      dyn_cast_or_null<FloatAttr>(constants.getAt(operand, map, loop, index));
  return number ? Form{Form::Number, 0, number.getValueAsDouble()} : Form{};
}

bool Path::setForms(Value result, Forms next) {
  if (llvm::any_of(next, [](const Form &form) { return !form.grows(); }))
    return false;
  bool isAffine = llvm::all_of(next, [](const Form &form) {
    return form.kind == Form::Affine || form.kind == Form::Number;
  });
  for (Form &form : next)
    if (!isAffine)
      form = form.asScaled();
  if (isAffine)
    input = next;
  forms[result] = std::move(next);
  return true;
}

/// The product with the producing weight starts from numbers.
bool Path::produce(linalg::LinalgOp op) {
  OpOperand &init = *op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(&init);
  int64_t dim;
  std::vector<int64_t> indices = findIndices(
      groups.getFirstAxis(op->getResult(0)), map.getNumResults(), dim);
  std::optional<unsigned> loop = getLoop(map, indices, dim);
  if (!loop)
    return false;
  Forms next;
  for (int64_t index : indices) {
    Form start = getForm(init, map, *loop, index);
    if (start.kind != Form::Number)
      return false;
    next.push_back({Form::Affine, 1, start.b});
  }
  return setForms(op->getResult(0), std::move(next));
}

bool Path::stepStructured(linalg::LinalgOp op) {
  OpOperand *data = nullptr;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (forms.contains(operand->get()))
      data = data ? data : operand;
  AffineMap map = op.getMatchingIndexingMap(data);
  int64_t dim;
  std::vector<int64_t> indices =
      findIndices(groups.getFirstAxis(*data), map.getNumResults(), dim);
  std::optional<unsigned> loop = getLoop(map, indices, dim);
  if (!loop || op->getNumResults() != 1 ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0))
           .isFunctionOfDim(*loop))
    return false;
  Forms next;
  for (auto [position, index] : llvm::enumerate(indices)) {
    llvm::SmallDenseMap<Value, Form, 8> known;
    for (OpOperand &operand : op->getOpOperands()) {
      auto from = forms.find(operand.get());
      known[op.getMatchingBlockArgument(&operand)] =
          from != forms.end()
              ? from->second[position]
              : getForm(operand, op.getMatchingIndexingMap(&operand), *loop,
                        index);
    }
    for (Operation &inner : op.getBlock()->without_terminator()) {
      SmallVector<Form> operands;
      for (Value value : inner.getOperands()) {
        FloatAttr number;
        operands.push_back(
            matchPattern(value, m_Constant(&number))
                ? Form{Form::Number, 0, number.getValueAsDouble()}
                : known.lookup(value));
      }
      if (inner.getNumResults() == 1 && !operands.empty())
        known[inner.getResult(0)] = evaluateForm(inner, operands);
    }
    next.push_back(known.lookup(op.getBlock()->getTerminator()->getOperand(0)));
  }
  return setForms(op->getResult(0), std::move(next));
}

bool Path::step(Operation *op) {
  SmallVector<Value> inputs;
  for (Value operand : op->getOperands())
    if (forms.contains(operand))
      inputs.push_back(operand);
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (inputs.empty())
    return true;
  if (structured)
    return consumers.contains(op) || stepStructured(structured);
  Forms next = forms[inputs.front()];
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    Value padding = pad.getConstantPaddingValue();
    if (!padding || !matchPattern(padding, m_AnyZeroFloat()))
      return false;
  } else if (!hasChannelLinks(op)) {
    return false;
  } else if (!isa<ChannelOpInterface>(op)) {
    // An operation on whole tensors, element by element.
    for (size_t i = 0; i != next.size(); ++i) {
      SmallVector<Form> operands;
      for (OpOperand &operand : op->getOpOperands()) {
        auto number =
            dyn_cast_or_null<FloatAttr>(constants.getUniform(operand));
        auto from = forms.find(operand.get());
        if (number)
          operands.push_back({Form::Number, 0, number.getValueAsDouble()});
        else
          operands.push_back(from != forms.end() ? from->second[i] : Form{});
      }
      next[i] = evaluateForm(*op, operands);
    }
  }
  return op->getNumResults() == 1 &&
         setForms(op->getResult(0), std::move(next));
}

Operation *Path::follow() {
  Operation *producer = group.constants.front().getReader();
  auto product = dyn_cast<linalg::LinalgOp>(producer);
  if (!product || !isSumOfProducts(product) || !produce(product))
    return producer;
  for (Operation *op : group.ops)
    if (op != producer && !step(op))
      return op;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

/// The constant that a use reads now, past masks.
static OpOperand &getCurrent(const ChannelConstant &constant) {
  OpOperand *current = constant.use;
  while (auto apply = current->get().getDefiningOp<ApplyOp>())
    current = &apply.getTensorMutable();
  return *current;
}

static Attribute getCurrentValue(const ChannelConstant &constant) {
  Attribute value;
  matchPattern(getCurrent(constant).get(), m_Constant(&value));
  return value;
}

namespace {
/// For each channel the one that takes it and the factor, or -1.
struct Heir {
  int64_t channel = -1;
  double factor = 0;
};
} // namespace

static std::vector<Heir>
findHeirs(const std::vector<std::vector<double>> &vectors,
          const std::vector<bool> &removed, double threshold,
          MLIRContext *context) {
  size_t size = vectors.size();
  std::vector<double> norms(size);
  for (size_t i = 0; i != size; ++i) {
    for (double v : vectors[i])
      norms[i] += v * v;
    norms[i] = std::sqrt(norms[i]);
  }
  std::vector<Heir> heirs(size);
  mlir::parallelFor(context, 0, size, [&](size_t j) {
    double best = threshold;
    for (size_t k = 0; k != size && removed[j] && norms[j] != 0; ++k) {
      if (removed[k] || norms[k] == 0)
        continue;
      double product = 0;
      for (auto [x, y] : llvm::zip_equal(vectors[j], vectors[k]))
        product += x * y;
      double cosine = product / norms[j] / norms[k];
      if (cosine > best || (cosine == best && heirs[j].channel < 0)) {
        best = cosine;
        heirs[j] = {int64_t(k), norms[j] / norms[k]};
      }
    }
  });
  return heirs;
}

/// Moves the weights of removed channels to their heirs.
static void rewriteConsumer(const ChannelConstant &consumer,
                            ArrayRef<Heir> heirs,
                            const std::vector<bool> &removed) {
  Attribute old = getCurrentValue(consumer);
  TensorView view = *getTensorView(old);
  std::vector<double> values(view.size());
  view.load(0, values);
  std::vector<SmallVector<int64_t>> indices(heirs.size());
  for (auto [index, channel] : llvm::enumerate(consumer.channelOfIndex))
    if (channel >= 0)
      indices[channel].push_back(index);
  int64_t size = consumer.channelOfIndex.size();
  int64_t inner = countElements(view.shape.drop_front(consumer.dim + 1));
  int64_t outer = view.size() / (size * inner);
  auto at = [&](int64_t o, int64_t index, int64_t i) -> double & {
    return values[(o * size + index) * inner + i];
  };
  for (size_t channel = 0; channel != heirs.size(); ++channel)
    for (size_t t = 0; removed[channel] && t != indices[channel].size(); ++t)
      for (int64_t o = 0; o != outer; ++o)
        for (int64_t i = 0; i != inner; ++i) {
          double &from = at(o, indices[channel][t], i);
          if (heirs[channel].channel >= 0)
            at(o, indices[heirs[channel].channel][t], i) +=
                heirs[channel].factor * from;
          from = 0;
        }
  OpOperand &current = getCurrent(consumer);
  Operation *before = current.get().getDefiningOp();
  OpBuilder builder(before->getContext());
  builder.setInsertionPointAfter(before);
  current.set(arith::ConstantOp::create(
      builder, before->getLoc(),
      createRounded(old, cast<RankedTensorType>(current.get().getType()),
                    values)));
}

MergeOutcome mlir::prune::mergeChannels(const PlannedGroup &group,
                                        const Decision &decision,
                                        double threshold,
                                        const ChannelGroups &groups,
                                        const SliceConstants &constants) {
  Operation *here = group.constants.front().constant;
  auto weights = group.getWeights();
  if (std::distance(weights.begin(), weights.end()) != 1)
    return {0, "several weights produce the channels", here};
  if (group.consumers.empty())
    return {0, "no weight sums over the channels", here};
  for (const ChannelConstant &consumer : group.consumers)
    if (consumer.weight->uses.size() != 1)
      return {0, "a weight that sums over the channels is shared",
              consumer.constant};
  Path path(group, groups, constants);
  if (Operation *blocked = path.follow())
    return {0,
            (blocked->getName().getStringRef() +
             ": does not commute with positive factors")
                .str(),
            blocked};

  // Weights and bias behind normalisation.
  const ChannelConstant &producer = *weights.begin();
  std::vector<std::vector<double>> vectors =
      readChannels(producer, getCurrentValue(producer), group.channels.size());
  for (auto [vector, form] : llvm::zip_equal(vectors, path.getInput())) {
    for (double &value : vector)
      value *= form.a;
    vector.push_back(form.b);
  }
  std::vector<bool> removed = decision.getRemoved();
  std::vector<Heir> heirs =
      findHeirs(vectors, removed, threshold, here->getContext());
  for (const ChannelConstant &consumer : group.consumers)
    rewriteConsumer(consumer, heirs, removed);
  return {llvm::count_if(heirs, [](const Heir &h) { return h.channel >= 0; }),
          {}};
}
