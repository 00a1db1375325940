//===- Program.cpp - Compiled functions of the C interface ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks what callers hand over, against the signature of the program, before
// machine code sees a pointer.
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include "prune/Core/Packing/Processor.h"
#include "prune/Execution/Program.h"

#include <vector>

using namespace mlir;
using namespace mlir::prune;

struct PruneProgram {
  std::unique_ptr<Program> program;
};

struct PruneResults {
  struct Item {
    PruneElementType element;
    SmallVector<int64_t> shape;
    std::vector<char> data;
  };
  std::vector<Item> items;
};

// The C interface has the same types in the same order.
static_assert(int(PRUNE_F64) == int(ElementType::F64) &&
              int(PRUNE_BF16) == int(ElementType::BF16) &&
              int(PRUNE_U8) == int(ElementType::U8) &&
              int(PRUNE_INDEX) == int(ElementType::Index));

size_t pruneElementSize(PruneElementType type) {
  return unsigned(type) <= unsigned(PRUNE_INDEX) ? byteSize(ElementType(type))
                                                 : 0;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

PruneStatus pruneModuleCompile(const PruneModule *module, const char *entry,
                               const char *kernels, PruneProgram **program) {
  const PruneCompileOptions options = {/*level=*/2, /*threads=*/1,
                                       /*cpu=*/nullptr, /*externalize=*/0};
  return pruneModuleCompileWithOptions(module, entry, kernels, &options,
                                       program);
}

PruneStatus pruneModuleCompileWithOptions(const PruneModule *module,
                                          const char *entry,
                                          const char *kernels,
                                          const PruneCompileOptions *options,
                                          PruneProgram **program) {
  if (!module)
    return PRUNE_INVALID_ARGUMENT;
  PruneContext *context = module->owner;
  context->begin();
  if (!program || !options)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleCompile expects an output, and options if "
                         "it takes some");
  if (options->level > 3)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "pruneModuleCompileWithOptions expects a level from 0 "
                         "to 3 but got " +
                             llvm::Twine(options->level));
  llvm::Expected<Processor> processor =
      Processor::get(options->cpu ? options->cpu : "");
  if (!processor)
    return context->fail(PRUNE_INVALID_ARGUMENT,
                         "cpu: " + llvm::toString(processor.takeError()));
  CompileOptions chosen;
  chosen.entry = entry ? entry : "";
  chosen.kernels = kernels ? kernels : "dense";
  chosen.cpu = options->cpu ? options->cpu : "";
  chosen.threads = options->threads;
  chosen.level = options->level;
  chosen.externalize = options->externalize;
  llvm::Expected<std::unique_ptr<Program>> compiled =
      Program::compile(*module->module, chosen);
  if (!compiled) {
    std::string message = llvm::toString(compiled.takeError());
    return message.empty() ? PRUNE_COMPILE_ERROR
                           : context->fail(PRUNE_COMPILE_ERROR, message);
  }
  *program = new PruneProgram{std::move(*compiled)};
  return PRUNE_OK;
}

void pruneProgramFree(PruneProgram *program) { delete program; }

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

static PruneTensorType typeOf(const Port &port) {
  return {PruneElementType(port.element), int64_t(port.shape.size()),
          port.shape.data()};
}

size_t pruneProgramNumArguments(const PruneProgram *program) {
  return program->program->arguments().size();
}

size_t pruneProgramNumResults(const PruneProgram *program) {
  return program->program->results().size();
}

PruneTensorType pruneProgramArgumentType(const PruneProgram *program,
                                         size_t index) {
  return typeOf(program->program->arguments()[index]);
}

PruneTensorType pruneProgramResultType(const PruneProgram *program,
                                       size_t index) {
  return typeOf(program->program->results()[index]);
}

size_t pruneProgramNumWeights(const PruneProgram *program) {
  return program->program->weights().size();
}

const char *pruneProgramWeightName(const PruneProgram *program, size_t index) {
  return program->program->weights()[index].name.c_str();
}

PruneTensor pruneProgramWeight(const PruneProgram *program, size_t index) {
  PruneTensorType type = typeOf(program->program->weights()[index]);
  return {type.element, type.rank, type.shape,
          program->program->weight(index).data()};
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static std::string describe(const PruneTensor &tensor) {
  if (unsigned(tensor.element) > unsigned(PRUNE_INDEX))
    return "of an unknown element type";
  Port port;
  port.element = ElementType(tensor.element);
  port.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  return port.typeText();
}

std::string mlir::prune::whyNot(const Port &port, const PruneTensor &given,
                                StringRef taker) {
  if (given.rank < 0 || (given.rank > 0 && !given.shape))
    return "has no shape";
  ArrayRef<int64_t> shape(given.shape, given.rank);
  // An index is a 64-bit integer everywhere.
  auto plain = [](PruneElementType type) {
    return type == PRUNE_INDEX ? PRUNE_I64 : type;
  };
  bool fits = shape.size() == port.shape.size() &&
              plain(given.element) == plain(PruneElementType(port.element));
  bool hasElements = true;
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    fits = shape[i] >= 0 && (port.shape[i] < 0 || port.shape[i] == shape[i]);
    hasElements &= shape[i] > 0;
  }
  if (!fits)
    return ("is " + describe(given) + ", but " + taker + " takes " +
            port.typeText())
        .str();
  return given.data || !hasElements ? "" : "has no data";
}

static PruneStatus failCall(PruneBuffer *message, const llvm::Twine &text) {
  if (message)
    *message = copyOut(text.str());
  return PRUNE_INVALID_ARGUMENT;
}

PruneStatus pruneProgramCall(const PruneProgram *program,
                             const PruneTensor *arguments, size_t numArguments,
                             PruneResults **results, PruneBuffer *message) {
  if (!program || !results || (numArguments && !arguments))
    return failCall(message, "pruneProgramCall expects a program, arguments "
                             "and an output");
  const Program &compiled = *program->program;
  std::string name = "'" + compiled.entry().str() + "'";
  if (numArguments != compiled.arguments().size())
    return failCall(
        message, name + " takes " + llvm::Twine(compiled.arguments().size()) +
                     " arguments, not " + llvm::Twine(numArguments));
  SmallVector<PortView> views;
  for (auto [index, port] : llvm::enumerate(compiled.arguments())) {
    const PruneTensor &given = arguments[index];
    std::string reason = whyNot(port, given, "the function");
    if (!reason.empty())
      return failCall(message, port.description + " " + reason);
    views.push_back({const_cast<void *>(given.data),
                     ArrayRef<int64_t>(given.shape, given.rank)});
  }
  auto call = compiled.bind(views);
  if (!call)
    return failCall(message, llvm::toString(call.takeError()));
  (*call)->call();
  auto out = std::make_unique<PruneResults>();
  for (auto [index, port] : llvm::enumerate(compiled.results())) {
    auto &item = out->items.emplace_back();
    item.element = PruneElementType(port.element);
    item.shape.assign((*call)->resultShape(index).begin(),
                      (*call)->resultShape(index).end());
    size_t bytes = byteSize(port.element);
    for (int64_t extent : item.shape)
      bytes *= extent;
    item.data.resize(bytes);
    (*call)->copyResult(index, item.data.data());
  }
  *results = out.release();
  return PRUNE_OK;
}

PruneStatus pruneProgramSetWeight(PruneProgram *program, const char *name,
                                  const PruneTensor *weight,
                                  PruneBuffer *message) {
  if (!program || !name || !weight)
    return failCall(message, "pruneProgramSetWeight expects a program, a name "
                             "and a tensor");
  Program &compiled = *program->program;
  for (auto [index, port] : llvm::enumerate(compiled.weights())) {
    if (port.name != name)
      continue;
    std::string reason = whyNot(port, *weight, "the function");
    if (!reason.empty())
      return failCall(message, "weight '" + port.name + "' " + reason);
    size_t size = compiled.weight(index).size();
    compiled.setWeight(index, {static_cast<const char *>(weight->data), size});
    return PRUNE_OK;
  }
  return failCall(message,
                  "'" + compiled.entry() + "' takes no weight '" + name + "'" +
                      (compiled.weights().empty()
                           ? "; compile with externalize to make arguments of "
                             "the weights"
                           : ""));
}

size_t pruneResultsCount(const PruneResults *results) {
  return results->items.size();
}

PruneTensor pruneResultsGet(const PruneResults *results, size_t index) {
  const PruneResults::Item &item = results->items[index];
  return {item.element, int64_t(item.shape.size()), item.shape.data(),
          item.data.data()};
}

void pruneResultsFree(PruneResults *results) { delete results; }
