//===- Npy.cpp - Arrays in NumPy's file format ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A .npy file is a magic string, a version, the length of a header, the header,
// and the elements. The header is a Python dictionary with the keys 'descr',
// 'fortran_order' and 'shape'; only the literals that NumPy writes there are
// understood, and everything else is an error that says what was found.
// The host is taken to be little endian, as the supported files are.
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Npy.h"

#include "ForeignArrays.h"

#include "prune/Core/Support/FileOutput.h"
#include "prune/Core/Support/Memory.h"
#include "prune/Core/TensorView.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <limits>

using namespace llvm;
using namespace mlir::prune;

static constexpr StringLiteral kMagic("\x93NUMPY");

namespace {
struct TypeInfo {
  NpyType type;
  StringLiteral descr;
  StringLiteral name;
  unsigned bytes;
};

/// What precedes the elements.
struct Header {
  NpyType type = NpyType::F32;
  bool fortranOrder = false;
  SmallVector<int64_t, 4> shape;
  bool hasType = false, hasOrder = false, hasShape = false;
};
} // namespace

static constexpr TypeInfo kTypes[] = {
    {NpyType::Bool, "|b1", "bool", 1},   {NpyType::I8, "|i1", "int8", 1},
    {NpyType::U8, "|u1", "uint8", 1},    {NpyType::I16, "<i2", "int16", 2},
    {NpyType::I32, "<i4", "int32", 4},   {NpyType::I64, "<i8", "int64", 8},
    {NpyType::F16, "<f2", "float16", 2}, {NpyType::F32, "<f4", "float32", 4},
    {NpyType::F64, "<f8", "float64", 8},
};

static const TypeInfo &info(NpyType type) {
  return kTypes[static_cast<unsigned>(type)];
}

unsigned mlir::prune::byteSize(NpyType type) { return info(type).bytes; }

StringRef mlir::prune::typeName(NpyType type) { return info(type).name; }

std::string mlir::prune::shapeString(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "()";
  std::string text;
  raw_string_ostream os(text);
  interleave(
      shape, os,
      [&](int64_t dim) {
        if (dim < 0)
          os << '?';
        else
          os << dim;
      },
      "x");
  return text;
}

std::optional<uint64_t> mlir::prune::npyByteCount(NpyType type,
                                                  ArrayRef<int64_t> shape) {
  // Zeros are left out of the product, so that no order of factors hides an
  // overflow.
  int64_t bytes = byteSize(type);
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0)
      return std::nullopt;
    empty |= dim == 0;
    if (MulOverflow<int64_t>(bytes, std::max<int64_t>(dim, 1), bytes))
      return std::nullopt;
  }
  return empty ? 0 : bytes;
}

//===----------------------------------------------------------------------===//
// NpyArray
//===----------------------------------------------------------------------===//

NpyArray::NpyArray(NpyType type, ArrayRef<int64_t> shape) {
  Expected<NpyArray> zeros = make("an array", type, shape);
  if (!zeros)
    report_bad_alloc_error(toString(zeros.takeError()).c_str());
  *this = std::move(*zeros);
}

Expected<NpyArray> NpyArray::make(const Twine &what, NpyType type,
                                  ArrayRef<int64_t> shape) {
  std::optional<uint64_t> bytes = npyByteCount(type, shape);
  if (!bytes)
    return createStringError(what + " has the absurd shape " +
                             shapeString(shape));
  if (Error error = checkMemory(what, *bytes))
    return std::move(error);
  // Aligned for the widest vectors.
  size_t allocated = alignTo(std::max<size_t>(*bytes, 1), 64);
  NpyArray array;
  array.data.reset(static_cast<char *>(std::aligned_alloc(64, allocated)));
  if (!array.data)
    return createStringError(what + " needs " + byteString(*bytes) +
                             ", which cannot be allocated");
  std::memset(array.data.get(), 0, allocated);
  array.elementType = type;
  array.dims.assign(shape.begin(), shape.end());
  array.byteCount = *bytes;
  return std::move(array);
}

int64_t NpyArray::size() const { return byteCount / byteSize(elementType); }

template <typename T> static T loadAs(ArrayRef<char> bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

int64_t NpyArray::asInteger(int64_t index) const {
  switch (elementType) {
  case NpyType::Bool:
    return loadAs<uint8_t>(bytes(), index) != 0;
  case NpyType::I8:
    return loadAs<int8_t>(bytes(), index);
  case NpyType::U8:
    return loadAs<uint8_t>(bytes(), index);
  case NpyType::I16:
    return loadAs<int16_t>(bytes(), index);
  case NpyType::I32:
    return loadAs<int32_t>(bytes(), index);
  case NpyType::I64:
    return loadAs<int64_t>(bytes(), index);
  case NpyType::F16:
  case NpyType::F32:
  case NpyType::F64:
    break;
  }
  llvm_unreachable("not an integer array");
}

double NpyArray::asDouble(int64_t index) const {
  switch (elementType) {
  case NpyType::F16:
    return halfToDouble(loadAs<uint16_t>(bytes(), index));
  case NpyType::F32:
    return loadAs<float>(bytes(), index);
  case NpyType::F64:
    return loadAs<double>(bytes(), index);
  default:
    return asInteger(index);
  }
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static Error problem(StringRef name, const Twine &what) {
  return createStringError(Twine("'") + name + "': " + what);
}

namespace {
/// Reads the header's dictionary.
class HeaderParser {
public:
  HeaderParser(StringRef text, StringRef name) : rest(text), name(name) {}

  Expected<Header> parse();

private:
  Error malformed(const Twine &what) {
    return problem(name, "malformed .npy header: " + what);
  }
  void skipBlanks() { rest = rest.ltrim(" \t\n"); }
  bool consume(StringRef token) {
    skipBlanks();
    return rest.consume_front(token);
  }
  Expected<StringRef> parseString();
  Error parseDescr(Header &header);
  Error parseOrder(Header &header);
  Error parseShape(Header &header);

  StringRef rest, name;
};
} // namespace

Expected<StringRef> HeaderParser::parseString() {
  skipBlanks();
  char quote = rest.empty() ? '\0' : rest.front();
  size_t end =
      quote == '\'' || quote == '"' ? rest.find(quote, 1) : StringRef::npos;
  if (end == StringRef::npos)
    return malformed("expected a quoted string");
  StringRef value = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return value;
}

Error HeaderParser::parseDescr(Header &header) {
  skipBlanks();
  if (rest.starts_with("["))
    return problem(name, "holds records; save one plain array per file");
  Expected<StringRef> descr = parseString();
  if (!descr)
    return descr.takeError();
  if (descr->starts_with(">"))
    return problem(name, "is big endian ('" + *descr +
                             "'); save it with a.astype(a.dtype."
                             "newbyteorder('<'))");
  // One byte has no order; '=' and '|' are accepted where they are harmless.
  for (const TypeInfo &type : kTypes)
    if (*descr == type.descr ||
        (descr->drop_front(!descr->empty()) == type.descr.drop_front() &&
         (type.bytes == 1 || descr->front() == '='))) {
      header.type = type.type;
      header.hasType = true;
      return Error::success();
    }
  return problem(name, "has the element type '" + *descr +
                           "'; expected bool, int8, uint8, int16, int32, "
                           "int64, float16, float32 or float64");
}

Error HeaderParser::parseOrder(Header &header) {
  header.hasOrder = true;
  header.fortranOrder = consume("True");
  if (!header.fortranOrder && !consume("False"))
    return malformed("'fortran_order' is neither True nor False");
  return Error::success();
}

Error HeaderParser::parseShape(Header &header) {
  if (!consume("("))
    return malformed("'shape' is not a tuple");
  header.hasShape = true;
  header.shape.clear();
  while (!consume(")")) {
    skipBlanks();
    if (rest.consume_front("-"))
      return malformed("'shape' has a negative dimension");
    StringRef digits = rest.take_while(llvm::isDigit);
    uint64_t dim = 0;
    if (digits.empty())
      return malformed("'shape' is not a tuple of integers");
    if (digits.getAsInteger(10, dim) ||
        dim > uint64_t(std::numeric_limits<int64_t>::max()))
      return problem(name, "has a dimension of absurd size " + digits);
    rest = rest.drop_front(digits.size());
    rest.consume_front("L"); // Python 2 wrote long integers so
    header.shape.push_back(dim);
    skipBlanks();
    if (!consume(",") && !rest.starts_with(")"))
      return malformed("'shape' is not a tuple of integers");
  }
  return Error::success();
}

Expected<Header> HeaderParser::parse() {
  Header header;
  if (!consume("{"))
    return malformed("expected a dictionary");
  while (!consume("}")) {
    Expected<StringRef> key = parseString();
    if (!key)
      return key.takeError();
    if (!consume(":"))
      return malformed("expected ':' after '" + *key + "'");
    Error error = *key == "descr"           ? parseDescr(header)
                  : *key == "fortran_order" ? parseOrder(header)
                  : *key == "shape" ? parseShape(header)
                                    : malformed("unknown key '" + *key + "'");
    if (error)
      return std::move(error);
    skipBlanks();
    if (!consume(",") && !rest.starts_with("}"))
      return malformed("expected ',' or '}'");
  }
  skipBlanks();
  if (!rest.empty())
    return malformed("text after the dictionary");
  if (!header.hasType || !header.hasOrder || !header.hasShape)
    return malformed("expected the keys 'descr', 'fortran_order' and 'shape'");
  return header;
}

/// Splits a file into the text of its header and its elements.
static Expected<std::pair<StringRef, StringRef>> splitFile(StringRef contents,
                                                           StringRef name) {
  if (!contents.starts_with(kMagic))
    return problem(name, describeForeignArray(contents, name));
  StringRef rest = contents.drop_front(kMagic.size());
  if (rest.size() < 2)
    return problem(name, "ends within its header");
  unsigned major = static_cast<uint8_t>(rest[0]);
  if (major < 1 || major > 3)
    return problem(name, "has format version " + Twine(major) +
                             "; expected 1, 2 or 3");
  rest = rest.drop_front(2);
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (rest.size() < lengthBytes)
    return problem(name, "ends within its header");
  size_t length = major == 1 ? support::endian::read16le(rest.data())
                             : support::endian::read32le(rest.data());
  rest = rest.drop_front(lengthBytes);
  if (rest.size() < length)
    return problem(name, "ends within its header");
  return std::make_pair(rest.take_front(length), rest.drop_front(length));
}

Expected<NpyArray> mlir::prune::parseNpy(StringRef contents, StringRef name) {
  auto parts = splitFile(contents, name);
  if (!parts)
    return parts.takeError();
  auto [text, elements] = *parts;
  Expected<Header> header = HeaderParser(text, name).parse();
  if (!header)
    return header.takeError();
  // With at most one dimension that is not 1, both orders are the same.
  auto isLong = [](int64_t dim) { return dim != 1; };
  if (header->fortranOrder && count_if(header->shape, isLong) > 1)
    return problem(name, "is in Fortran order; save it with "
                         "numpy.ascontiguousarray(a)");
  std::optional<uint64_t> needed = npyByteCount(header->type, header->shape);
  if (!needed)
    return problem(name, "has the absurd shape " + shapeString(header->shape));
  if (*needed != elements.size())
    return problem(name, "holds " + Twine(elements.size()) +
                             " bytes of elements, but its shape " +
                             shapeString(header->shape) + " of " +
                             typeName(header->type) + " needs " +
                             Twine(*needed));
  Expected<NpyArray> array =
      NpyArray::make("'" + name + "'", header->type, header->shape);
  if (!array)
    return array;
  if (*needed)
    std::memcpy(array->bytes().data(), elements.data(), *needed);
  // Compiled code relies on a boolean being 0 or 1.
  if (header->type == NpyType::Bool)
    for (char &byte : array->bytes())
      byte = byte != 0;
  return array;
}

Expected<NpyArray> mlir::prune::readNpy(StringRef path) {
  if (sys::fs::is_directory(path))
    return problem(path, describeForeignArray("", path));
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(file.getError(), "cannot read '%s': %s",
                             path.str().c_str(),
                             file.getError().message().c_str());
  return parseNpy((*file)->getBuffer(), path);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Error mlir::prune::writeNpy(StringRef path, const NpyArray &array) {
  std::string header;
  raw_string_ostream os(header);
  os << "{'descr': '" << info(array.type()).descr
     << "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : array.shape())
    os << dim << ", ";
  // NumPy writes (3,) and (3, 4).
  if (array.shape().size() > 1)
    header.resize(header.size() - 2);
  else if (array.shape().size() == 1)
    header.resize(header.size() - 1);
  header += "), }";
  // The elements start at a multiple of 64; the header ends with a newline.
  bool wide = header.size() + 64 > std::numeric_limits<uint16_t>::max();
  size_t before = kMagic.size() + 2 + (wide ? 4 : 2);
  header.resize(alignTo(before + header.size() + 1, 64) - before - 1, ' ');
  header += '\n';
  return writeFile(path, [&](raw_ostream &out) -> Error {
    out << kMagic << char(wide ? 2 : 1) << '\0';
    char length[4];
    support::endian::write32le(length, header.size());
    out.write(length, wide ? 4 : 2);
    out << header;
    out.write(array.bytes().data(), array.bytes().size());
    return Error::success();
  });
}
