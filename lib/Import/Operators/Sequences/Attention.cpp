//===- Attention.cpp - Attention and its helpers --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention is what its definition decomposes it into: two products, and a bias
// and a softmax between them. Heads of queries that share a head of keys are
// one more dimension of the products, so that nothing is repeated in memory. A
// query that no key is visible to gives zeros.
//
//===----------------------------------------------------------------------===//

#include "Import/Model/Node.h"

#include <cmath>

using namespace mlir;
using namespace mlir::prune::onnx_import;

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// One node of Attention while it is imported.
class Attention {
public:
  explicit Attention(Node &n) : n(n) {}

  LogicalResult import();

private:
  LogicalResult readInputs();
  Tensor *splitHeads(Tensor *x, int64_t heads);
  Tensor *append(unsigned past, Tensor *x);
  /// Queries times keys, [batch, heads, queries, keys].
  Tensor *multiplyKeys();
  Tensor *multiplyValues(Tensor *weights);
  /// Adds everything that hides keys; null after a diagnostic.
  Tensor *addBias(Tensor *scores);
  Tensor *addMask(Tensor *scores);
  Tensor *visibility();
  Tensor *softmax(Tensor *scores);
  Tensor *joinHeads(Tensor *x);

  Node &n;
  DataType type = DataType::Undefined;
  Tensor *q = nullptr, *k = nullptr, *v = nullptr, *lengths = nullptr;
  AffineExpr pastLength;
  /// Heads of queries, and how many of them share a head of keys.
  int64_t heads = 0, shared = 1;
  bool isCausal = false, isFlat = false;
  int64_t left = -1, right = -1;
  /// Whether a query may see no key at all.
  bool mayBeEmpty = false;
};
} // namespace

/// [batch, length, heads * size] to [batch, heads, length, size].
Tensor *Attention::splitHeads(Tensor *x, int64_t heads) {
  if (!isFlat || !x)
    return x;
  std::optional<int64_t> hidden = Emitter::known(x->dims[2]);
  if (!hidden || heads < 1 || *hidden % heads != 0) {
    n.error() << "cannot divide " << n.text(x->dims[2]) << " features into "
              << heads << " heads";
    return nullptr;
  }
  Tensor *split = n.reshape(
      x, {x->dims[0], x->dims[1], n.size(heads), n.size(*hidden / heads)});
  return n.transpose(split, {0, 2, 1, 3});
}

/// What is there already, followed by what is new.
Tensor *Attention::append(unsigned past, Tensor *x) {
  if (!x || !n.input(past))
    return x;
  if (!n.hasRank(past, 4, 4))
    return nullptr;
  return n.concat({n.convert(n.input(past), x->type), x}, 2);
}

LogicalResult Attention::readInputs() {
  isFlat = n.input(0)->rank() == 3;
  for (unsigned at : {0, 1, 2})
    if (!n.hasRank(at, isFlat ? 3 : 4, isFlat ? 3 : 4) || !n.isFloating(at))
      return failure();
  if (!n.sameTypes({0, 1}) || !n.input(4) != !n.input(5))
    return n.state.failed
               ? failure()
               : LogicalResult(n.error()
                               << "expects past keys and values together");
  type = n.input(0)->type;
  int64_t queryHeads = n.integer("q_num_heads", 0);
  int64_t keyHeads = n.integer("kv_num_heads", 0);
  q = splitHeads(n.input(0), queryHeads);
  Tensor *newKeys = splitHeads(n.input(1), keyHeads);
  Tensor *newValues = splitHeads(n.input(2), keyHeads);
  k = append(4, newKeys);
  v = append(5, newValues);
  if (!q || !k || !v)
    return failure();
  pastLength = n.input(4) ? n.input(4)->dims[2] : n.size(0);
  lengths = n.opset >= 24 ? n.input(6) : nullptr;
  if (lengths && (n.input(4) || !n.hasRank(6, 1, 1)))
    return n.error() << "expects numbers of valid keys without past keys";
  std::optional<int64_t> all = Emitter::known(q->dims[1]),
                         some = Emitter::known(k->dims[1]);
  if (!all || !some || *some < 1 || *all % *some != 0)
    return n.error() << "cannot share " << n.text(k->dims[1])
                     << " heads of keys among " << n.text(q->dims[1])
                     << " heads of queries";
  heads = *all;
  shared = *all / *some;
  isCausal = n.integer("is_causal", 0);
  if (n.opset >= 25) {
    left = n.integer("left_window_size", -1);
    right = n.integer("right_window_size", -1);
  }
  return success();
}

Tensor *Attention::multiplyKeys() {
  std::optional<int64_t> size = Emitter::known(q->dims[3]);
  if (!size && !n.has("scale")) {
    n.error() << "expects heads of a known size";
    return nullptr;
  }
  double otherwise = size ? 1 / std::sqrt(static_cast<double>(*size)) : 1;
  // Half of the factor on either side, so that neither overflows.
  double scale = std::sqrt(n.number("scale", otherwise));
  Tensor *queries = n.mul(q, n.Emitter::number(type, scale));
  Tensor *keys = n.mul(k, n.Emitter::number(type, scale));
  if (shared == 1)
    return n.contract(queries, {0, 1, 2, 4}, keys, {0, 1, 3, 4}, {0, 1, 2, 3},
                      5);
  queries = n.reshape(queries, {q->dims[0], k->dims[1], n.size(shared),
                                q->dims[2], q->dims[3]});
  Tensor *scores = n.contract(queries, {0, 1, 2, 3, 5}, keys, {0, 1, 4, 5},
                              {0, 1, 2, 3, 4}, 6);
  return scores ? n.reshape(scores,
                            {q->dims[0], n.size(heads), q->dims[2], k->dims[2]})
                : nullptr;
}

Tensor *Attention::multiplyValues(Tensor *weights) {
  Tensor *values = n.convert(v, type);
  if (!weights || !values)
    return nullptr;
  if (shared == 1)
    return n.contract(weights, {0, 1, 2, 4}, values, {0, 1, 4, 3}, {0, 1, 2, 3},
                      5);
  weights = n.reshape(weights, {q->dims[0], k->dims[1], n.size(shared),
                                q->dims[2], k->dims[2]});
  Tensor *result = n.contract(weights, {0, 1, 2, 3, 5}, values, {0, 1, 5, 4},
                              {0, 1, 2, 3, 4}, 6);
  return result ? n.reshape(result,
                            {q->dims[0], n.size(heads), q->dims[2], v->dims[3]})
                : nullptr;
}

/// Adds the mask that the model gives: minus infinity where it is false.
Tensor *Attention::addMask(Tensor *scores) {
  Tensor *mask = n.input(3);
  if (!mask || !scores)
    return scores;
  mayBeEmpty = true;
  double hidden = -std::numeric_limits<double>::infinity();
  if (mask->type == DataType::Bool)
    mask = n.map(mask, type, [&](Scalar &s, ValueRange v) {
      Type element = elementType(type, n.state.context);
      return s.select(v[0], s.constant(element, 0),
                      s.constant(element, hidden));
    });
  else if (mask->type != type) {
    n.error() << "expects a mask of booleans or of type " << nameOf(type)
              << ", but got " << nameOf(mask->type);
    return nullptr;
  }
  if (!mask || mask->rank() < 1 || mask->rank() > 4) {
    if (!n.state.failed)
      n.error() << "expects a mask of rank 1 to 4";
    return nullptr;
  }
  // One that is too short hides the rest.
  std::optional<int64_t> given = Emitter::known(mask->dims.back()),
                         wanted = Emitter::known(k->dims[2]);
  if (n.opset >= 24 && given && wanted && *given > 1 && *given < *wanted) {
    Sizes low(mask->rank(), n.size(0)), high(low);
    high.back() = n.size(*wanted - *given);
    mask = n.pad(mask, low, high, hidden);
  }
  Sizes dims = scores->dims;
  Tensor *sum = n.add(scores, mask);
  if (!sum || sum->dims == dims)
    return sum;
  n.error() << "expects a mask that broadcasts to " << n.text(dims)
            << ", but got " << n.text(mask->dims);
  return nullptr;
}

/// Zero where a key is visible and minus infinity elsewhere, by the positions
/// of key and query: null if all are visible.
Tensor *Attention::visibility() {
  if (!isCausal && left < 0 && right < 0 && !lengths)
    return nullptr;
  mayBeEmpty |= lengths || left >= 0 || right >= 0;
  Sizes dims = {q->dims[2], k->dims[2]};
  if (lengths)
    dims.insert(dims.begin(), {q->dims[0], n.size(1)});
  Value valid = lengths ? n.value(lengths) : Value();
  Value numQueries = n.index(q->dims[2]), past = n.index(pastLength);
  return n.generate(dims, type, [&](Scalar &typed, ValueRange at) {
    Scalar s(typed.b, typed.loc);
    Value query = at[at.size() - 2], key = at.back(), offset = past;
    Value isVisible = s.integer(s.b.getI1Type(), 1);
    auto require = [&](Order order, Value x, Value y) {
      isVisible = s.bitAnd(isVisible, s.compare(order, x, y));
    };
    if (lengths) {
      Value length = s.toIndex(s.extract(valid, at[0]));
      require(Order::LT, key, length);
      offset = s.sub(length, numQueries);
    }
    Value position = s.add(query, offset);
    if (isCausal)
      require(Order::LE, key, position);
    if (left >= 0)
      require(Order::LE, position, s.add(key, s.index(left)));
    if (right >= 0)
      require(Order::LE, key, s.add(position, s.index(right)));
    Type element = elementType(type, n.state.context);
    return s.select(isVisible, s.constant(element, 0),
                    s.extreme(element, /*greatest=*/false));
  });
}

Tensor *Attention::addBias(Tensor *scores) {
  Tensor *result = addMask(scores);
  Tensor *visible = result ? visibility() : nullptr;
  return visible ? n.add(result, visible) : result;
}

/// The softmax; rows of minus infinity become zeros.
Tensor *Attention::softmax(Tensor *scores) {
  DataType precision =
      static_cast<DataType>(n.integer("softmax_precision", int(type)));
  if (!isFloat(precision)) {
    n.error() << "cannot compute a softmax in " << nameOf(precision);
    return nullptr;
  }
  Tensor *x = n.convert(scores, precision);
  if (!mayBeEmpty)
    return n.convert(x ? n.softmax(x, 3, /*logarithm=*/false) : nullptr, type);
  Tensor *top = n.greatest(x, 3, /*keepDims=*/true);
  top = n.map(top, precision, [](Scalar &s, ValueRange v) {
    Type element = v[0].getType();
    Value isEmpty = s.compare(Order::EQ, v[0], s.extreme(element, false));
    return s.select(isEmpty, s.constant(element, 0), v[0]);
  });
  Tensor *exponents = n.unary("Exp", n.sub(x, top));
  Tensor *sums = n.sum(exponents, 3, /*keepDims=*/true);
  sums = n.map(sums, precision, [](Scalar &s, ValueRange v) {
    Type element = v[0].getType();
    Value isEmpty = s.compare(Order::EQ, v[0], s.constant(element, 0));
    return s.select(isEmpty, s.constant(element, 1), v[0]);
  });
  return n.convert(n.div(exponents, sums), type);
}

/// Back to the rank of the inputs.
Tensor *Attention::joinHeads(Tensor *x) {
  if (!isFlat || !x)
    return x;
  Tensor *moved = n.transpose(x, {0, 2, 1, 3});
  return n.reshape(moved, {x->dims[0], x->dims[2], x->dims[1] * x->dims[3]});
}

LogicalResult Attention::import() {
  int64_t mode = n.integer("qk_matmul_output_mode", 0);
  double cap = n.number("softcap", 0);
  if (failed(readInputs()))
    return failure();
  if (mode < 0 || mode > 3)
    return n.error() << "expects a qk_matmul_output_mode from 0 to 3, but got "
                     << mode;
  SmallVector<Tensor *> stages = {multiplyKeys()};
  Tensor *capped = stages[0];
  if (cap > 0)
    capped = n.map(capped, type, [&](Scalar &s, ValueRange v) {
      Value bound = s.constant(v[0].getType(), cap);
      return s.mul(s.unary("Tanh", s.div(v[0], bound)), bound);
    });
  stages.push_back(capped);
  stages.push_back(addBias(capped));
  stages.push_back(stages[2] ? softmax(stages[2]) : nullptr);
  if (failed(n.output(0, joinHeads(multiplyValues(stages[3])))))
    return failure();
  if (n.wants(1) && failed(n.output(1, k)))
    return failure();
  if (n.wants(2) && failed(n.output(2, v)))
    return failure();
  return n.wants(3) ? n.output(3, stages[mode]) : success();
}

static LogicalResult importAttention(Node &n) {
  n.computeWide();
  return Attention(n).import();
}

//===----------------------------------------------------------------------===//
// Rotary embedding
//===----------------------------------------------------------------------===//

/// The table's rows for the tokens, aligned with `[batch, heads, tokens, half]`
/// or, of flat inputs, `[batch, tokens, heads, half]`.
static Tensor *anglesOf(Node &n, unsigned at, bool isFlat, AffineExpr half) {
  Tensor *table = n.input(at), *positions = n.input(3);
  if (!n.hasRank(at, positions ? 2 : 3, positions ? 2 : 3) ||
      !n.sameTypes({0, at}) ||
      !n.requireEqual(table->dims.back(), half, "numbers of angles"))
    return nullptr;
  if (positions) {
    if (!n.hasRank(3, 2, 2))
      return nullptr;
    Value source = n.value(table), which = n.value(positions);
    Value count = n.index(table->dims[0]);
    table = n.generate({positions->dims[0], positions->dims[1], half},
                       table->type, [&](Scalar &s, ValueRange index) {
                         Value row = s.extract(which, index.take_front(2));
                         return s.extract(
                             source, {indexWithin(s, row, count), index[2]});
                       });
  }
  return table ? n.unsqueeze(table, isFlat ? 2 : 1) : nullptr;
}

/// Every second feature or one half of them.
static Tensor *component(Node &n, Tensor *x, bool interleaved, int64_t which,
                         int64_t half) {
  Sizes offsets(4, n.size(0)), sizes(x->dims);
  SmallVector<int64_t> steps(4, 1);
  offsets[3] = n.size(interleaved ? which : which * half);
  sizes[3] = n.size(half);
  steps[3] = interleaved ? 2 : 1;
  return n.slice(x, offsets, sizes, steps);
}

static LogicalResult importRotary(Node &n) {
  n.computeWide();
  Tensor *x = n.input(0);
  bool interleaved = n.integer("interleaved", 0), isFlat = x->rank() == 3;
  int64_t heads = n.integer("num_heads", 0);
  int64_t rotated = n.integer("rotary_embedding_dim", 0);
  if (!n.hasRank(0, 3, 4) || !n.isFloating(0))
    return failure();
  std::optional<int64_t> features = Emitter::known(x->dims.back());
  if (!features || (isFlat && (heads < 1 || *features % heads != 0)))
    return n.error() << "cannot divide " << n.text(x->dims.back())
                     << " features into " << heads << " heads";
  int64_t size = isFlat ? *features / heads : *features;
  rotated = rotated == 0 ? size : rotated;
  if (rotated < 0 || rotated > size || rotated % 2 != 0)
    return n.error() << "cannot rotate " << rotated << " of " << size
                     << " features";
  Tensor *split = x;
  if (isFlat)
    split = n.reshape(x, {x->dims[0], x->dims[1], n.size(heads), n.size(size)});
  int64_t half = rotated / 2;
  Tensor *cosine = anglesOf(n, 1, isFlat, n.size(half));
  Tensor *sine = cosine ? anglesOf(n, 2, isFlat, n.size(half)) : nullptr;
  if (!split || !sine)
    return failure();
  Tensor *a = component(n, split, interleaved, 0, half);
  Tensor *b = component(n, split, interleaved, 1, half);
  Tensor *real = n.sub(n.mul(cosine, a), n.mul(sine, b));
  Tensor *imaginary = n.add(n.mul(sine, a), n.mul(cosine, b));
  if (!real || !imaginary)
    return failure();
  Sizes dims = split->dims;
  dims[3] = n.size(rotated);
  Tensor *result =
      interleaved
          ? n.reshape(
                n.concat({n.unsqueeze(real, 4), n.unsqueeze(imaginary, 4)}, 4),
                dims)
          : n.concat({real, imaginary}, 3);
  if (rotated != size)
    result = n.concat(
        {result, n.slice(split, 3, n.size(rotated), n.size(size - rotated))},
        3);
  return n.output(isFlat && result ? n.reshape(result, x->dims) : result);
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

/// Each element of the cache is read from where it comes from.
static LogicalResult importTensorScatter(Node &n) {
  Tensor *cache = n.input(0), *update = n.input(1), *starts = n.input(2);
  std::string mode = n.string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return n.error() << "has an unknown mode, '" << mode << "'";
  if (!n.hasRank(0, 2) || !n.hasRank(1, cache->rank(), cache->rank()) ||
      !n.sameTypes({0, 1}) || (starts && !n.hasRank(2, 1, 1)))
    return failure();
  std::optional<int64_t> axis = n.axis(n.integer("axis", -2), cache->rank());
  if (!axis)
    return failure();
  if (*axis == 0)
    return n.error() << "expects an axis that is not the batch";
  for (int64_t dim = 0; dim != cache->rank(); ++dim)
    if (dim != *axis && !n.requireEqual(cache->dims[dim], update->dims[dim],
                                        "sizes of cache and update"))
      return failure();
  Value old = n.value(cache), fresh = n.value(update);
  Value first = starts ? n.value(starts) : Value();
  Value length = n.index(update->dims[*axis]),
        size = n.index(cache->dims[*axis]);
  return n.output(
      n.generate(cache->dims, cache->type, [&](Scalar &typed, ValueRange at) {
        Scalar s(typed.b, typed.loc);
        Value zero = s.index(0), from = at[*axis];
        if (first)
          from = s.sub(from, s.toIndex(s.extract(first, at[0])));
        if (mode == "circular") {
          from = s.rem(from, size);
          from = s.select(s.compare(Order::LT, from, zero), s.add(from, size),
                          from);
        }
        Value isNew = s.bitAnd(s.compare(Order::GE, from, zero),
                               s.compare(Order::LT, from, length));
        SmallVector<Value> position(at);
        position[*axis] = s.select(isNew, from, zero);
        return s.select(isNew, s.extract(fresh, position), s.extract(old, at));
      }));
}

ArrayRef<Operator> mlir::prune::onnx_import::attentionOperators() {
  static const Operator operators[] = {
      {"Attention", 23, kNewest, 3, ChannelRule::Keep, importAttention,
       "the numbers of heads are known"},
      {"RotaryEmbedding", 23, kNewest, 3, ChannelRule::Keep, importRotary,
       "the number of features is known"},
      {"TensorScatter", 24, kNewest, 2, ChannelRule::Keep, importTensorScatter},
  };
  return operators;
}
