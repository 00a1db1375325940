//===- Model.cpp - ONNX files and their tensors ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file is somebody else's. Sizes are multiplied with overflow checks and
// compared with the data that is there before memory is taken; external data
// must resolve, links followed, to a regular file beneath the model's
// directory; protobuf's own limits bound the nesting of graphs.
//
// A model is read through a small buffer, and the bytes of a large tensor move
// from the parsed message into the resource, so that memory holds them once.
//
//===----------------------------------------------------------------------===//

#include "Import/Emitter/NarrowTypes.h"
#include "Rewrites.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

#include <climits>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

using namespace llvm;
using namespace mlir;
using namespace mlir::prune::onnx_import;
namespace io = google::protobuf::io;

/// Floats and bytes of at most so many elements are followed: more are weights,
/// and weights keep their names.
static constexpr int64_t kMaxSmall = 64;
/// Bytes that a string surely keeps on the heap, aligned for any element.
static constexpr size_t kMinMoved = 4096;

Expected<std::unique_ptr<onnx::ModelProto>> mlir::prune::onnx_import::loadModel(
    StringRef path, const ONNXImportOptions &options, MLIRContext *context) {
  // Asked before it is opened: a pipe would be waited for.
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return createStringError("cannot open '" + path + "': " + code.message());
  if (status.type() != sys::fs::file_type::regular_file)
    return createStringError("cannot read '" + path +
                             "': it is not a regular file");
  Expected<sys::fs::file_t> file =
      sys::fs::openNativeFileForRead(path, sys::fs::OF_None);
  if (!file)
    return createStringError("cannot open '" + path +
                             "': " + toString(file.takeError()));
  scope_exit close([&] { sys::fs::closeFile(*file); });

  // Protobuf would write its own messages to standard error.
  google::protobuf::LogSilencer silent;
  auto model = std::make_unique<onnx::ModelProto>();
  io::FileInputStream stream(*file);
  io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT_MAX);
  if (!model->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    return createStringError("'" + path +
                             "' is not a valid ONNX model: it is truncated, "
                             "damaged, larger than 2 GB or another format");
  if (!model->has_graph() || model->opset_import_size() == 0)
    return createStringError("'" + path +
                             "' is not a valid ONNX model: it has no graph or "
                             "imports no operator set");
  TensorReader reader(path, context);
  if (Error error = rewriteModel(*model, reader, options, context))
    return error;
  return model;
}

TensorReader::TensorReader(StringRef path, MLIRContext *context)
    : context(context) {
  SmallString<256> real;
  if (sys::fs::real_path(path, real))
    real = path;
  directory = sys::path::parent_path(real).str();
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

Expected<std::string> TensorReader::resolve(StringRef location) {
  auto refuse = [&](StringRef why) {
    return createStringError("external data '" + location + "' " + why);
  };
  if (location.empty() || location.contains('\0'))
    return refuse("has no usable name");
  if (sys::path::is_absolute(location))
    return refuse("is an absolute path; it has to lie beneath the model's "
                  "directory");
  for (StringRef part :
       make_range(sys::path::begin(location), sys::path::end(location)))
    if (part == "..")
      return refuse("leaves the model's directory");
  SmallString<256> path(directory), real;
  sys::path::append(path, location);
  if (std::error_code code = sys::fs::real_path(path, real))
    return refuse("cannot be read: " + code.message());
  StringRef rest(real);
  if (!rest.consume_front(directory) ||
      !(directory == "/" || rest.empty() || rest.starts_with("/")))
    return refuse("is a link that leaves the model's directory");
  if (!sys::fs::is_regular_file(real))
    return refuse("is not a regular file");
  return std::string(real);
}

Error TensorReader::external(onnx::TensorProto &tensor, uint64_t size,
                             std::string &bytes) {
  std::string location;
  uint64_t offset = 0, length = size;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    bool isOffset = entry.key() == "offset";
    if ((isOffset || entry.key() == "length") &&
        StringRef(entry.value()).getAsInteger(10, isOffset ? offset : length))
      return createStringError("external data has the " + entry.key() + " '" +
                               entry.value() + "', which is not a number");
  }
  Expected<std::string> path = resolve(location);
  if (!path)
    return path.takeError();
  uint64_t fileSize;
  if (std::error_code code = sys::fs::file_size(*path, fileSize))
    return createStringError("cannot read '" + location +
                             "': " + code.message());
  if (length != size || offset > fileSize || size > fileSize - offset)
    return createStringError(
        formatv("external data '{0}' has {1} bytes from offset {2}, of a file "
                "of {3} bytes, but the tensor needs {4}",
                location, length, offset, fileSize, size)
            .str());
  Expected<sys::fs::file_t> file =
      sys::fs::openNativeFileForRead(*path, sys::fs::OF_None);
  if (!file)
    return file.takeError();
  scope_exit close([&] { sys::fs::closeFile(*file); });
  bytes.resize(size);
  for (uint64_t done = 0; done < size;) {
    Expected<size_t> count = sys::fs::readNativeFileSlice(
        *file,
        MutableArrayRef<char>(bytes).drop_front(done).take_front(1 << 30),
        offset + done);
    if (!count)
      return count.takeError();
    if (*count == 0)
      return createStringError("external data '" + location + "' is truncated");
    done += *count;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Bytes of one stored element; booleans take one.
static unsigned bytesOf(Type element) {
  return (element.getIntOrFloatBitWidth() + 7) / 8;
}

/// Moves a typed field, narrowing each element to what the tensor holds. The
/// field's memory is freed: clearing would keep it.
template <typename Stored, typename Field>
static void moveAs(Field *field, std::string &bytes) {
  Field elements;
  elements.Swap(field);
  bytes.resize(elements.size() * sizeof(Stored));
  char *to = bytes.data();
  for (auto element : elements) {
    Stored stored = static_cast<Stored>(element);
    std::memcpy(to, &stored, sizeof(Stored));
    to += sizeof(Stored);
  }
}

/// The elements of the typed fields, as raw data.
static void moveTyped(onnx::TensorProto &tensor, DataType type,
                      std::string &bytes) {
  switch (type) {
  case DataType::Float:
    return moveAs<float>(tensor.mutable_float_data(), bytes);
  case DataType::Double:
    return moveAs<double>(tensor.mutable_double_data(), bytes);
  case DataType::Int64:
    return moveAs<int64_t>(tensor.mutable_int64_data(), bytes);
  case DataType::UInt64:
    return moveAs<uint64_t>(tensor.mutable_uint64_data(), bytes);
  case DataType::UInt32:
    return moveAs<uint32_t>(tensor.mutable_uint64_data(), bytes);
  case DataType::Int32:
    return moveAs<int32_t>(tensor.mutable_int32_data(), bytes);
  case DataType::Int16:
  case DataType::UInt16:
  case DataType::Float16:
  case DataType::BFloat16:
    return moveAs<uint16_t>(tensor.mutable_int32_data(), bytes);
  default:
    return moveAs<uint8_t>(tensor.mutable_int32_data(), bytes);
  }
}

/// The element at `at`, as an integer that keeps its sign or as a double.
static void appendElement(Contents &contents, Type element, DataType type,
                          const std::string &bytes, uint64_t at) {
  uint64_t bits = 0;
  unsigned size = bytesOf(element);
  std::memcpy(&bits, bytes.data() + at * size, size);
  MLIRContext *context = element.getContext();
  if (auto floating = dyn_cast<FloatType>(element)) {
    APFloat value(floating.getFloatSemantics(), APInt(size * 8, bits));
    bool inexact;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &inexact);
    contents.floats.push_back(value.convertToDouble());
    return;
  }
  int64_t value = type == DataType::Bool ? bits != 0
                                         : (isUnsigned(type) || size == 8
                                                ? static_cast<int64_t>(bits)
                                                : SignExtend64(bits, size * 8));
  contents.ints.push_back(getAffineConstantExpr(value, context));
}

ElementsAttr TensorReader::toResource(RankedTensorType type, StringRef name,
                                      std::string bytes) {
  // What stands behind `#` in a key counts how often a weight was rewritten.
  std::string key = name.str();
  std::replace(key.begin(), key.end(), '#', '_');
  AsmResourceBlob blob;
  if (bytes.size() >= kMinMoved) {
    auto *owner = new std::string(std::move(bytes));
    blob = UnmanagedAsmResourceBlob::allocateWithAlign(
        ArrayRef<char>(owner->data(), owner->size()), alignof(std::max_align_t),
        [owner](void *, size_t, size_t) { delete owner; });
  } else {
    blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(
        ArrayRef<char>(bytes.data(), bytes.size()), 64);
  }
  return DenseResourceElementsAttr::get(type, key, std::move(blob));
}

Error TensorReader::read(onnx::TensorProto &tensor, StringRef name,
                         Tensor &result) {
  auto found = done.find(&tensor);
  if (found != done.end()) {
    result = found->second;
    return Error::success();
  }
  Error error = readNew(tensor, name, result);
  if (!error)
    done.try_emplace(&tensor, result);
  return error;
}

/// Sizes and their product, which must be sensible.
static Error readSizes(const onnx::TensorProto &tensor, StoredTensor &result) {
  if (tensor.dims_size() > kMaxRank)
    return createStringError(
        formatv("has {0} dimensions; it has at most {1} dimensions",
                tensor.dims_size(), kMaxRank)
            .str());
  result.count = 1;
  bool isAbsurd = false;
  for (int64_t dim : tensor.dims()) {
    isAbsurd |= dim < 0 || dim > kMaxElements;
    result.count = SaturatingMultiply(
        result.count, static_cast<uint64_t>(std::max<int64_t>(dim, 0)));
    result.shape.push_back(dim);
  }
  if (!isAbsurd && result.count <= static_cast<uint64_t>(kMaxElements))
    return Error::success();
  return createStringError(
      "has absurd sizes: [" +
      join(map_range(result.shape,
                     [](int64_t dim) { return std::to_string(dim); }),
           ", ") +
      "]");
}

Expected<StoredTensor> TensorReader::take(onnx::TensorProto &tensor) {
  StoredTensor result;
  result.type = static_cast<DataType>(tensor.data_type());
  result.element = elementType(result.type, context);
  if (!result.element)
    return createStringError("has the element type " + nameOf(result.type) +
                             ", which is not supported");
  if (tensor.has_segment())
    return createStringError("is stored in segments, which is not supported");
  if (Error error = readSizes(tensor, result))
    return error;
  result.elementBytes = bytesOf(result.element);
  std::optional<unsigned> narrow = narrowBits(result.type);
  uint64_t size = narrow ? divideCeil(result.count * *narrow, 8)
                         : result.count * result.elementBytes;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    if (Error error = external(tensor, size, result.bytes))
      return createStringError("lies in another file: " +
                               toString(std::move(error)));
  } else if (tensor.has_raw_data()) {
    result.bytes.swap(*tensor.mutable_raw_data());
  } else {
    moveTyped(tensor, result.type, result.bytes);
  }
  constexpr uint64_t kBytesForByte = 16, kStepsForElement = 512;
  if (result.bytes.size() == size) {
    budget.bytes += kBytesForByte * size;
    budget.steps += kStepsForElement * result.count;
    if (narrow)
      result.bytes =
          widen(result.type, result.bytes, result.count, result.element);
    return result;
  }
  return createStringError(
      formatv("holds {0} bytes, but its sizes and type ({1}) need {2}",
              result.bytes.size(), nameOf(result.type), size)
          .str());
}

Error TensorReader::readNew(onnx::TensorProto &tensor, StringRef name,
                            Tensor &result) {
  Expected<StoredTensor> stored = take(tensor);
  if (!stored)
    return createStringError("tensor '" + name + "' " +
                             toString(stored.takeError()));
  result.type = stored->type;
  for (int64_t dim : stored->shape)
    result.dims.push_back(getAffineConstantExpr(dim, context));
  store(std::move(*stored), name, result);
  return Error::success();
}

void TensorReader::store(StoredTensor stored, StringRef name, Tensor &result) {
  DataType type = stored.type;
  uint64_t count = stored.count;
  bool follows = count <= kMaxSmall ||
                 (count <= static_cast<uint64_t>(kMaxContents) &&
                  (type == DataType::Int64 || type == DataType::Int32 ||
                   type == DataType::Bool));
  if (follows) {
    result.contents.emplace();
    for (uint64_t at = 0; at < count; ++at)
      appendElement(*result.contents, stored.element, type, stored.bytes, at);
  }
  auto tensorType = RankedTensorType::get(stored.shape, stored.element);
  if (type == DataType::Bool) {
    SmallVector<bool> bits;
    for (char byte : stored.bytes)
      bits.push_back(byte != 0);
    result.constant = DenseElementsAttr::get(tensorType, bits);
  } else if (count > 0 && !stored.shape.empty() &&
             (isFloat(type) || !follows)) {
    result.constant = toResource(tensorType, name, std::move(stored.bytes));
  } else if (follows) {
    // Made when it is used: most of these are shapes and never are.
  } else {
    result.constant = DenseElementsAttr::getFromRawBuffer(
        tensorType, ArrayRef<char>(stored.bytes.data(), stored.bytes.size()));
  }
}

std::string mlir::prune::onnx_import::nameOf(const onnx::NodeProto &node) {
  return node.name().empty() && node.output_size() ? node.output(0)
                                                   : node.name();
}
