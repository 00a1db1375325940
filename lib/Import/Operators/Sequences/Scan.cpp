//===- Scan.cpp - Loops over the slices of tensors ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scan runs a graph for each slice of its scanned inputs. How often is a size,
// so it is scf.for, and what the graph gives for each slice is written into
// tensors that are made before the loop. How large these are is found by an
// import of the graph that is thrown away.
//
// The first version has a batch around all that, with sequences of different
// lengths: two loops, the inner one of which may end early.
//
//===----------------------------------------------------------------------===//

#include "Control.h"

using namespace mlir;
using namespace mlir::prune::onnx_import;

namespace {
/// What a Scan is made of.
struct Scan {
  onnx::GraphProto &body;
  SmallVector<Tensor *> states, scanned;
  /// By scanned input and by gathered output.
  SmallVector<int64_t> inputAxes, outputAxes;
  SmallVector<int64_t> inputReversed, outputReversed;
  /// How many slices there are.
  AffineExpr length;

  unsigned numGathered() const { return body.output_size() - states.size(); }
};

using Tensors = SmallVector<Tensor *>;
} // namespace

/// The position from the other end.
static Value mirrored(Node &n, Value position, AffineExpr length) {
  Scalar s(n.b, n.loc);
  return s.sub(s.sub(n.index(length), s.index(1)), position);
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

/// Runs the body once; empty after a diagnostic.
static Tensors runBody(Node &n, Scan &scan, ArrayRef<Tensor *> states,
                       ArrayRef<Tensor *> scanned, Value position,
                       AffineExpr length) {
  auto bind = [&](Graph &graph) {
    for (auto [at, state] : llvm::enumerate(states))
      (void)graph.define(scan.body.input(at).name(), state);
    for (auto [at, whole] : llvm::enumerate(scanned)) {
      Value from =
          scan.inputReversed[at] ? mirrored(n, position, length) : position;
      (void)graph.define(scan.body.input(states.size() + at).name(),
                         n.sliceAt(whole, scan.inputAxes[at], from));
    }
  };
  auto results = importBody(n, scan.body, bind);
  if (failed(results) || n.state.failed)
    return {};
  for (auto [state, next] : llvm::zip(states, *results)) {
    if (state->type != next->type || state->rank() != next->rank()) {
      n.error() << "carries a tensor whose type or rank changes, from "
                << nameOf(state->type) << n.text(state->dims) << " to "
                << nameOf(next->type) << n.text(next->dims);
      return {};
    }
    for (auto [before, after] : llvm::zip(state->dims, next->dims))
      if (!n.requireEqual(before, after, "sizes of a carried tensor"))
        return {};
  }
  return *results;
}

/// Whether a size is known outside of a region.
static bool isKnownOutside(Node &n, AffineExpr size, Region &region) {
  bool isKnown = true;
  size.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      isKnown &= !region.isAncestor(
          n.state.symbols[symbol.getPosition()].getParentRegion());
  });
  return isKnown;
}

/// Tensors for what the slices give: `around` are sizes before all others.
static std::optional<Tensors> makeGathered(Node &n, Scan &scan,
                                           ArrayRef<Tensor *> states,
                                           ArrayRef<Tensor *> scanned,
                                           ArrayRef<AffineExpr> around) {
  Region scratch;
  Tensors results;
  {
    OpBuilder::InsertionGuard guard(n.b);
    Block *block = n.b.createBlock(&scratch, {}, n.b.getIndexType(), n.loc);
    Tensors before;
    for (Tensor *state : states) {
      Value argument =
          block->addArgument(n.typeOf(state->dims, state->type), n.loc);
      before.push_back(n.make(argument, state->type, state->dims));
    }
    results =
        runBody(n, scan, before, scanned, block->getArgument(0), scan.length);
    if (n.state.failed)
      return std::nullopt;
  }
  Tensors gathered;
  for (unsigned at = 0; at < scan.numGathered(); ++at) {
    Tensor *element = results[states.size() + at];
    Sizes dims(element->dims);
    for (AffineExpr dim : dims)
      if (!isKnownOutside(n, dim, scratch)) {
        n.error() << "has a scan output whose sizes only its body knows; fix "
                     "open sizes with --dim";
        return std::nullopt;
      }
    std::optional<int64_t> axis = n.axis(scan.outputAxes[at], dims.size() + 1);
    if (!axis)
      return std::nullopt;
    scan.outputAxes[at] = *axis;
    dims.insert(dims.begin() + *axis, scan.length);
    dims.insert(dims.begin(), around.begin(), around.end());
    // What no slice writes is zero.
    gathered.push_back(
        n.make(n.splat(dims, element->type, 0), element->type, dims));
  }
  return gathered;
}

/// Runs the body for `count` slices: last states, then what was gathered.
static Tensors runSlices(Node &n, Scan &scan, ArrayRef<Tensor *> states,
                         ArrayRef<Tensor *> scanned,
                         ArrayRef<Tensor *> gathered, AffineExpr count) {
  Tensors carried(states);
  llvm::append_range(carried, gathered);
  auto body = [&](Value position, ArrayRef<Tensor *> before) -> Tensors {
    size_t numStates = scan.states.size();
    Tensors next = runBody(n, scan, before.take_front(numStates), scanned,
                           position, count);
    if (n.state.failed)
      return {};
    for (size_t at = 0; at < scan.numGathered(); ++at) {
      Value to =
          scan.outputReversed[at] ? mirrored(n, position, count) : position;
      next[numStates + at] =
          n.insertAt(next[numStates + at], before[numStates + at],
                     scan.outputAxes[at], to);
    }
    return next;
  };
  return n.loop(count, carried, body);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// A list with one number for each of `count`, all zero if it is left out.
static std::optional<SmallVector<int64_t>> listOf(Node &n, StringRef name,
                                                  size_t count, bool isFlag) {
  SmallVector<int64_t> zeros(count, 0), values = n.integers(name, zeros);
  bool isRight = values.size() == count;
  for (int64_t value : values)
    isRight &= !isFlag || value == 0 || value == 1;
  if (isRight)
    return values;
  InFlightDiagnostic diagnostic = n.error();
  diagnostic << "expects attribute '" << name << "' to have " << count
             << " elements";
  if (isFlag)
    diagnostic << ", each 0 or 1";
  return std::nullopt;
}

/// States and scanned inputs, which begin at input `first`.
static std::optional<Scan> readScan(Node &n, unsigned first) {
  onnx::GraphProto *body = n.subgraph("body");
  if (!body)
    return std::nullopt;
  int64_t numScanned = n.integer("num_scan_inputs", 0);
  int64_t numInputs = static_cast<int64_t>(n.numInputs()) - first;
  if (numScanned < 1 || numScanned > numInputs) {
    n.error() << "expects num_scan_inputs to be a number of its inputs, but "
                 "got "
              << numScanned;
    return std::nullopt;
  }
  int64_t numStates = numInputs - numScanned;
  if (body->input_size() != numInputs || body->output_size() < numStates ||
      static_cast<int>(n.numOutputs()) > body->output_size()) {
    n.error() << "has a body with " << body->input_size() << " inputs and "
              << body->output_size() << " outputs for " << numInputs
              << " inputs and " << n.numOutputs() << " outputs";
    return std::nullopt;
  }
  Scan scan{*body, {}, {}, {}, {}, {}, {}, {}};
  for (int64_t at = 0; at < numInputs; ++at) {
    Tensor *tensor = n.input(first + at);
    if (!tensor) {
      n.error() << "input " << first + at << " is missing";
      return std::nullopt;
    }
    (at < numStates ? scan.states : scan.scanned).push_back(tensor);
  }
  return scan;
}

/// The axes of the scanned inputs, and how long these are.
static bool readLength(Node &n, Scan &scan, ArrayRef<int64_t> axes) {
  for (auto [given, tensor] : llvm::zip(axes, scan.scanned)) {
    std::optional<int64_t> axis = n.axis(given, tensor->rank());
    if (!axis)
      return false;
    scan.inputAxes.push_back(*axis);
    AffineExpr length = tensor->dims[*axis];
    if (!scan.length)
      scan.length = length;
    if (!n.requireEqual(scan.length, length, "lengths of scanned inputs"))
      return false;
  }
  return true;
}

static LogicalResult giveAll(Node &n, ArrayRef<Tensor *> results) {
  if (n.state.failed)
    return failure();
  for (unsigned at = 0; at < n.numOutputs(); ++at)
    if (n.wants(at) && failed(n.output(at, results[at])))
      return failure();
  return success();
}

static LogicalResult importScan(Node &n) {
  std::optional<Scan> scan = readScan(n, 0);
  if (!scan)
    return failure();
  size_t numScanned = scan->scanned.size(), numGathered = scan->numGathered();
  auto axes = listOf(n, "scan_input_axes", numScanned, false);
  auto reversed = listOf(n, "scan_input_directions", numScanned, true);
  auto outAxes = listOf(n, "scan_output_axes", numGathered, false);
  auto outReversed = listOf(n, "scan_output_directions", numGathered, true);
  if (!axes || !reversed || !outAxes || !outReversed ||
      !readLength(n, *scan, *axes))
    return failure();
  scan->inputReversed = *reversed;
  scan->outputAxes = *outAxes;
  scan->outputReversed = *outReversed;
  auto gathered = makeGathered(n, *scan, scan->states, scan->scanned, {});
  if (!gathered)
    return failure();
  return giveAll(n, runSlices(n, *scan, scan->states, scan->scanned, *gathered,
                              scan->length));
}

//===----------------------------------------------------------------------===//
// Batches of sequences
//===----------------------------------------------------------------------===//

/// The size of the batch, which all inputs begin with; null after a diagnostic.
static AffineExpr readBatch(Node &n, Scan &scan, Tensor *lengths) {
  AffineExpr batch = nullptr;
  Tensors all(scan.states);
  llvm::append_range(all, scan.scanned);
  for (auto [at, tensor] : llvm::enumerate(all)) {
    int64_t least = at < scan.states.size() ? 1 : 2;
    if (!n.hasRank(at + 1, least))
      return nullptr;
    if (!batch)
      batch = tensor->dims[0];
    if (!n.requireEqual(batch, tensor->dims[0], "batch sizes"))
      return nullptr;
  }
  if (!lengths)
    return batch;
  if (lengths->type != DataType::Int64 || !n.hasRank(0, 1, 1)) {
    if (!n.state.failed)
      n.error() << "expects lengths of type int64, but got "
                << nameOf(lengths->type);
    return nullptr;
  }
  return n.requireEqual(batch, lengths->dims[0], "batch sizes") ? batch
                                                                : nullptr;
}

/// The length of one sequence, which is no more than there is.
static AffineExpr lengthOf(Node &n, Scan &scan, Tensor *lengths, Value entry) {
  if (!lengths)
    return scan.length;
  Scalar s(n.b, n.loc);
  Value length = s.toIndex(s.extract(n.value(lengths), entry));
  length = s.max(s.min(length, n.index(scan.length)), s.index(0));
  return n.symbol(length);
}

static Tensors entryOf(Node &n, ArrayRef<Tensor *> tensors, Value entry) {
  return llvm::map_to_vector(
      tensors, [&](Tensor *tensor) { return n.sliceAt(tensor, 0, entry); });
}

static LogicalResult importBatchScan(Node &n) {
  std::optional<Scan> scan = readScan(n, 1);
  if (!scan)
    return failure();
  Tensor *lengths = n.input(0);
  AffineExpr batch = readBatch(n, *scan, lengths);
  auto reversed = listOf(n, "directions", scan->scanned.size(), true);
  if (!batch || !reversed)
    return failure();
  scan->inputReversed = *reversed;
  scan->outputReversed.assign(scan->numGathered(), 0);
  scan->outputAxes.assign(scan->numGathered(), 0);
  SmallVector<int64_t> times(scan->scanned.size(), 1);
  if (!readLength(n, *scan, times))
    return failure();
  // Each entry of the batch has lost its first axis.
  scan->inputAxes.assign(times.size(), 0);

  // Only the sizes of an entry count here.
  Scalar s(n.b, n.loc);
  Value none = s.index(0);
  auto whole = makeGathered(n, *scan, entryOf(n, scan->states, none),
                            entryOf(n, scan->scanned, none), batch);
  if (!whole)
    return failure();
  Tensors carried(scan->states);
  llvm::append_range(carried, *whole);
  auto body = [&](Value entry, ArrayRef<Tensor *> before) -> Tensors {
    Tensors parts = entryOf(n, before, entry);
    size_t numStates = scan->states.size();
    Tensors results = runSlices(n, *scan, ArrayRef(parts).take_front(numStates),
                                entryOf(n, scan->scanned, entry),
                                ArrayRef(parts).drop_front(numStates),
                                lengthOf(n, *scan, lengths, entry));
    if (n.state.failed)
      return {};
    Tensors next;
    for (auto [part, into] : llvm::zip(results, before))
      next.push_back(n.insertAt(part, into, 0, entry));
    return next;
  };
  return giveAll(n, n.loop(batch, carried, body));
}

ArrayRef<Operator> mlir::prune::onnx_import::scanOperators() {
  static const Operator operators[] = {
      {"Scan", 8, 8, 0, ChannelRule::Keep, importBatchScan,
       "carried tensors keep their sizes"},
      {"Scan", 9, kNewest, 1, ChannelRule::Keep, importScan,
       "carried tensors keep their sizes"},
  };
  return operators;
}
