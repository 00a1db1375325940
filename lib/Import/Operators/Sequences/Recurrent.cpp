//===- Recurrent.cpp - LSTM, GRU, RNN -------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The input's products with W are one matrix product for all steps; the steps
// are a loop that multiplies the state by R, or no loop if there is one step.
// Steps past a sequence's own length keep the state and give zeros, which is
// also right backwards, where they come first.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"
#include "Import/Operators/Math/Activation.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// What the three cells have in common. Names of sizes are ONNX's: T steps, B
/// sequences, I inputs, H hidden units.
struct Recurrence {
  unsigned gates;
  bool batchFirst;
  SmallVector<bool> reversed;
  AffineExpr steps, batch, hidden;
  SmallVector<Activation> activations;
  double clip;
  Tensor *x;
  Tensor *lengths;
};

/// The operands of one direction: W and R as [gates * H, ...], biases.
struct Direction {
  Tensor *w, *r, *inputBias, *stateBias, *peepholes;
};
} // namespace

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static bool readActivations(Node &n, Recurrence &r,
                            ArrayRef<StringRef> defaults) {
  SmallVector<std::string> names = n.strings("activations");
  SmallVector<double> alphas = n.numbers("activation_alpha");
  SmallVector<double> betas = n.numbers("activation_beta");
  size_t expected = defaults.size() * r.reversed.size();
  if (names.empty())
    for (size_t at = 0; at < expected; ++at)
      names.push_back(defaults[at % defaults.size()].str());
  if (names.size() != expected) {
    n.error() << "expects " << expected << " activations";
    return false;
  }
  // Parameters are for the functions that have some, in order.
  size_t nextAlpha = 0, nextBeta = 0;
  for (const std::string &given : names) {
    std::string name = StringRef(given).lower();
    const Activation *found = findActivation(name);
    if (!found) {
      n.error() << "the activation '" << given << "' is not supported";
      return false;
    }
    Activation activation = *found;
    bool isStated = (!hasAlpha(name) || nextAlpha < alphas.size()) &&
                    (!hasBeta(name) || nextBeta < betas.size());
    // Definition and runtimes disagree about these defaults.
    if (!isStated && (name == "affine" || name == "scaledtanh" ||
                      name == "thresholdedrelu")) {
      n.error() << "the activation '" << given
                << "' needs its activation_alpha and activation_beta";
      return false;
    }
    if (hasAlpha(name) && nextAlpha < alphas.size())
      activation.alpha = alphas[nextAlpha++];
    if (hasBeta(name) && nextBeta < betas.size())
      activation.beta = betas[nextBeta++];
    r.activations.push_back(activation);
  }
  return true;
}

static bool readRecurrence(Node &n, Recurrence &r, unsigned gates,
                           ArrayRef<StringRef> defaults) {
  r.gates = gates;
  r.batchFirst = n.opset >= 14 && n.integer("layout", 0);
  std::string direction = n.string("direction", "forward");
  if (n.opset < 7)
    (void)n.integer("output_sequence", 0);
  if (direction == "forward")
    r.reversed = {false};
  else if (direction == "reverse")
    r.reversed = {true};
  else if (direction == "bidirectional")
    r.reversed = {false, true};
  else
    return n.error() << "has an unknown direction, '" << direction << "'",
           false;
  r.clip = n.number("clip", 0);
  if (!n.hasRank(0, 3, 3) || !n.hasRank(1, 3, 3) || !n.hasRank(2, 3, 3) ||
      !n.isFloating(0) || !n.sameTypes({0, 1, 2}) ||
      !readActivations(n, r, defaults))
    return false;
  n.computeWide();
  r.x = r.batchFirst ? n.transpose(n.input(0), {1, 0, 2}) : n.input(0);
  r.steps = r.x->dims[0];
  r.batch = r.x->dims[1];
  r.hidden = n.input(2)->dims[2];
  r.lengths = n.input(4);
  int64_t stated = n.integer("hidden_size", 0);
  AffineExpr directions = n.size(r.reversed.size());
  bool fits = (stated == 0 || r.hidden == n.size(stated)) &&
              Emitter::known(r.hidden) && n.input(1)->dims[0] == directions &&
              n.input(2)->dims[0] == directions &&
              n.input(1)->dims[1] == r.hidden * gates &&
              n.input(2)->dims[1] == r.hidden * gates &&
              n.input(1)->dims[2] == r.x->dims[2];
  if (fits && n.input(3))
    fits = n.input(3)->dims == Sizes{directions, r.hidden * (2 * gates)};
  if (fits && r.lengths)
    fits = r.lengths->rank() == 1 && r.lengths->type == DataType::Int32;
  if (!fits)
    return n.error() << "has weights, biases or lengths whose sizes do not fit "
                        "its inputs and hidden_size",
           false;
  return !r.lengths ||
         n.requireEqual(r.lengths->dims[0], r.batch, "batch sizes");
}

/// Row `at` of the leading dim, without it.
static Tensor *row(Node &n, Tensor *x, int64_t at) {
  Tensor *part = n.slice(x, 0, n.size(at), n.size(1));
  return part ? n.squeeze(part, int64_t(0)) : nullptr;
}

static Direction readDirection(Node &n, Recurrence &r, unsigned at) {
  Direction d = {};
  d.w = row(n, n.input(1), at);
  d.r = row(n, n.input(2), at);
  if (Tensor *all = n.input(3)) {
    Tensor *biases = row(n, all, at);
    AffineExpr count = r.hidden * r.gates;
    d.inputBias = n.slice(biases, 0, n.size(0), count);
    d.stateBias = n.slice(biases, 0, count, count);
  }
  return d;
}

/// The state of one direction at the beginning.
static Tensor *initialState(Node &n, Recurrence &r, unsigned input,
                            unsigned at) {
  Sizes dims = {r.batch, r.hidden};
  Tensor *given = n.input(input);
  if (!given)
    return n.make(n.splat(dims, r.x->type, 0.0), r.x->type, dims);
  if (!n.hasRank(input, 3, 3) || !n.sameTypes({0, input}))
    return nullptr;
  if (r.batchFirst)
    given = n.transpose(given, {1, 0, 2});
  if (given->dims[0] != n.size(r.reversed.size()) ||
      given->dims[2] != r.hidden ||
      !n.requireEqual(given->dims[1], r.batch, "batch sizes")) {
    if (!n.state.failed)
      n.error() << "expects input " << input << " to be a state of "
                << n.text(dims) << " for each direction";
    return nullptr;
  }
  return row(n, given, at);
}

//===----------------------------------------------------------------------===//
// Cells
//===----------------------------------------------------------------------===//

/// Applies an activation function of a cell, after clipping.
static Tensor *activate(Node &n, Recurrence &r, unsigned which, Tensor *x) {
  if (!x)
    return nullptr;
  return n.map(x, x->type, [&](Scalar &s, ValueRange v) {
    Value clipped = r.clip > 0 ? s.clamp(v[0], -r.clip, r.clip) : v[0];
    return applyActivation(s, r.activations[which], clipped);
  });
}

/// Gate `at` of `[B, gates * H]`.
static Tensor *gate(Node &n, Recurrence &r, Tensor *all, unsigned at) {
  return all ? n.slice(all, 1, r.hidden * at, r.hidden) : nullptr;
}

static Tensor *addIf(Node &n, Tensor *x, Tensor *y) {
  return x && y ? n.add(x, y) : x;
}

/// One step: products of the input, states in, states out.
using Cell = function_ref<SmallVector<Tensor *>(
    Direction &, unsigned firstActivation, Tensor *, ArrayRef<Tensor *>)>;

/// Keeps the states of sequences that are over; the output there is zero.
static Tensor *mask(Node &n, Recurrence &r, Value step, Tensor *fresh,
                    Tensor *old) {
  if (!r.lengths || !fresh)
    return fresh;
  Tensor *lengths = n.unsqueeze(r.lengths, int64_t(1));
  if (!old)
    old = n.Emitter::number(fresh->type, 0);
  return n.map({lengths, fresh, old}, fresh->type,
               [&](Scalar &s, ValueRange v) {
                 Value runs = s.compare(Order::LT, step, s.toIndex(v[0]));
                 return s.select(runs, v[1], v[2]);
               });
}

/// Runs one direction; returns the outputs [T, B, H] and the last states.
static SmallVector<Tensor *> runDirection(Node &n, Recurrence &r, unsigned at,
                                          ArrayRef<Tensor *> initial,
                                          bool biasesGoIn, Cell cell) {
  Direction d = readDirection(n, r, at);
  if (!d.w || !d.r || n.state.failed)
    return {};
  if (r.gates == 4 && n.input(7))
    d.peepholes = row(n, n.input(7), at);
  Tensor *flat = n.reshape(r.x, {r.steps * r.batch, r.x->dims[2]});
  Tensor *products = n.gemm(flat, d.w, false, true);
  products = addIf(n, products, d.inputBias);
  if (biasesGoIn)
    products = addIf(n, products, d.stateBias);
  if (!products)
    return {};
  products = n.reshape(products, {r.steps, r.batch, r.hidden * r.gates});
  Sizes dims = {r.steps, r.batch, r.hidden};
  unsigned first = at * r.activations.size() / r.reversed.size();

  auto step = [&](Value position, Tensor *input, ArrayRef<Tensor *> states) {
    SmallVector<Tensor *> fresh = cell(d, first, input, states);
    SmallVector<Tensor *> results;
    if (fresh.empty() || llvm::is_contained(fresh, nullptr))
      return results;
    results.push_back(mask(n, r, position, fresh[0], nullptr));
    for (auto [state, old] : llvm::zip(fresh, states))
      results.push_back(mask(n, r, position, state, old));
    return results;
  };
  if (r.steps == n.size(1)) {
    SmallVector<Tensor *> results = step(
        Scalar(n.b, n.loc).index(0), n.squeeze(products, int64_t(0)), initial);
    if (!results.empty() && results[0])
      results[0] = n.unsqueeze(results[0], int64_t(0));
    return results;
  }
  SmallVector<Tensor *> carried = {
      n.make(n.empty(dims, r.x->type), r.x->type, dims)};
  carried.append(initial.begin(), initial.end());
  Value last = n.index(r.steps - 1);
  return n.loop(
      r.steps, carried,
      [&](Value position, ArrayRef<Tensor *> now) -> SmallVector<Tensor *> {
        if (r.reversed[at])
          position = Scalar(n.b, n.loc).sub(last, position);
        SmallVector<Tensor *> results =
            step(position, n.sliceAt(products, 0, position), now.drop_front());
        if (!results.empty())
          results[0] = n.insertAt(results[0], now[0], 0, position);
        return results;
      });
}

/// Joins the directions and gives the outputs: Y, then the states.
static LogicalResult finish(Node &n, Recurrence &r,
                            ArrayRef<SmallVector<Tensor *>> directions) {
  for (unsigned at = 0; at < directions[0].size(); ++at) {
    SmallVector<Tensor *> parts;
    for (const SmallVector<Tensor *> &direction : directions) {
      if (!direction[at])
        return failure();
      parts.push_back(n.unsqueeze(direction[at], at == 0 ? 1 : 0));
    }
    // Y is [T, D, B, H], a state [D, B, H].
    Tensor *all = n.concat(parts, at == 0 ? 1 : 0);
    if (all && r.batchFirst)
      all = n.transpose(all, at == 0 ? ArrayRef<int64_t>{2, 0, 1, 3}
                                     : ArrayRef<int64_t>{1, 0, 2});
    if (failed(n.output(at, all)))
      return failure();
  }
  return success();
}

static LogicalResult run(Node &n, Recurrence &r, unsigned numStates,
                         bool biasesGoIn, Cell cell) {
  SmallVector<SmallVector<Tensor *>> directions;
  for (unsigned at = 0; at < r.reversed.size(); ++at) {
    SmallVector<Tensor *> initial;
    for (unsigned state = 0; state < numStates; ++state) {
      initial.push_back(initialState(n, r, 5 + state, at));
      if (!initial.back())
        return failure();
    }
    directions.push_back(runDirection(n, r, at, initial, biasesGoIn, cell));
    if (n.state.failed || directions.back().empty())
      return failure();
  }
  return finish(n, r, directions);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

static LogicalResult importRNN(Node &n) {
  Recurrence r;
  if (!readRecurrence(n, r, 1, {"Tanh"}))
    return failure();
  return run(n, r, 1, true,
             [&](Direction &d, unsigned first, Tensor *input,
                 ArrayRef<Tensor *> states) -> SmallVector<Tensor *> {
               Tensor *sum = n.add(input, n.gemm(states[0], d.r, false, true));
               return {activate(n, r, first, sum)};
             });
}

static LogicalResult importGRU(Node &n) {
  Recurrence r;
  bool resetAfter = n.integer("linear_before_reset", 0);
  if (!readRecurrence(n, r, 3, {"Sigmoid", "Tanh"}))
    return failure();
  AffineExpr two = r.hidden * 2;
  auto cell = [&](Direction &d, unsigned first, Tensor *input,
                  ArrayRef<Tensor *> states) -> SmallVector<Tensor *> {
    Tensor *h = states[0];
    // Update and reset gates come from one product, the hidden one from another
    // unless the reset is applied after it.
    Tensor *bias = d.stateBias;
    auto stateGates = [&](Tensor *state, AffineExpr from, AffineExpr count) {
      Tensor *weights = n.slice(d.r, 0, from, count);
      Tensor *product = n.gemm(state, weights, false, true);
      return addIf(n, product, bias ? n.slice(bias, 0, from, count) : nullptr);
    };
    Tensor *product = resetAfter ? addIf(n, n.gemm(h, d.r, false, true), bias)
                                 : stateGates(h, n.size(0), two);
    if (!product)
      return {};
    Tensor *z = activate(n, r, first,
                         n.add(gate(n, r, input, 0), gate(n, r, product, 0)));
    Tensor *reset = activate(
        n, r, first, n.add(gate(n, r, input, 1), gate(n, r, product, 1)));
    Tensor *candidate = resetAfter ? n.mul(reset, gate(n, r, product, 2))
                                   : stateGates(n.mul(reset, h), two, r.hidden);
    candidate =
        activate(n, r, first + 1, n.add(gate(n, r, input, 2), candidate));
    if (!z || !candidate)
      return {};
    // (1 - z) * candidate + z * h
    return {n.map({z, candidate, h}, h->type, [](Scalar &s, ValueRange v) {
      Value rest = s.sub(s.constant(v[0].getType(), 1), v[0]);
      return s.add(s.mul(rest, v[1]), s.mul(v[0], v[2]));
    })};
  };
  return run(n, r, 1, false, cell);
}

static LogicalResult importLSTM(Node &n) {
  Recurrence r;
  bool coupled = n.integer("input_forget", 0);
  if (!readRecurrence(n, r, 4, {"Sigmoid", "Tanh", "Tanh"}))
    return failure();
  if (n.input(7) &&
      (!n.sameTypes({0, 7}) ||
       n.input(7)->dims != Sizes{n.size(r.reversed.size()), r.hidden * 3}))
    return n.error() << "expects peepholes of " << n.text(r.hidden * 3)
                     << " for each direction";
  auto cell = [&](Direction &d, unsigned first, Tensor *input,
                  ArrayRef<Tensor *> states) -> SmallVector<Tensor *> {
    Tensor *c = states[1];
    Tensor *all = n.add(input, n.gemm(states[0], d.r, false, true));
    auto peep = [&](Tensor *x, Tensor *state, unsigned at) {
      if (!d.peepholes || !x)
        return x;
      Tensor *weights = n.slice(d.peepholes, 0, r.hidden * at, r.hidden);
      return n.add(x, n.mul(state, weights));
    };
    Tensor *i = activate(n, r, first, peep(gate(n, r, all, 0), c, 0));
    Tensor *f = nullptr;
    if (!coupled)
      f = activate(n, r, first, peep(gate(n, r, all, 2), c, 2));
    else if (i)
      f = n.sub(n.Emitter::number(i->type, 1), i);
    Tensor *g = activate(n, r, first + 1, gate(n, r, all, 3));
    Tensor *cell = n.add(n.mul(f, c), n.mul(i, g));
    Tensor *o = activate(n, r, first, peep(gate(n, r, all, 1), cell, 1));
    if (!o)
      return {};
    // The clip is for what enters a gate, not for the cell.
    double clip = std::exchange(r.clip, 0);
    Tensor *h = n.mul(o, activate(n, r, first + 2, cell));
    r.clip = clip;
    return {h, cell};
  };
  return run(n, r, 2, true, cell);
}

ArrayRef<Operator> mlir::prune::onnx_import::recurrentOperators() {
  static const Operator operators[] = {
      {"GRU", 3, kNewest, 3, ChannelRule::Recurrent, importGRU,
       "Affine, ScaledTanh and ThresholdedRelu need their parameters"},
      {"LSTM", 1, kNewest, 3, ChannelRule::Recurrent, importLSTM,
       "Affine, ScaledTanh and ThresholdedRelu need their parameters"},
      {"RNN", 1, kNewest, 3, ChannelRule::Recurrent, importRNN,
       "Affine, ScaledTanh and ThresholdedRelu need their parameters"},
  };
  return operators;
}
