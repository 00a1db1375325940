//===- PackingTest.cpp - Dense buffers to compressed levels ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "prune/Core/Packing/LevelStorage.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace mlir::prune;

template <typename T> static std::vector<char> toBytes(std::vector<T> values) {
  std::vector<char> bytes(values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

static std::vector<int64_t> toIndices(llvm::ArrayRef<char> buffer,
                                      unsigned width) {
  std::vector<int64_t> result;
  for (size_t i = 0; i < buffer.size() * 8 / width; ++i)
    result.push_back(readIndex(buffer, width, i));
  return result;
}

static std::vector<char> toFloats(std::vector<float> values) {
  return toBytes<float>(std::move(values));
}

using Indices = std::vector<int64_t>;

TEST(Packing, RowsBecomeSegments) {
  std::vector<char> dense = toFloats({0, 5, 0, 6, 0, 0, 0, 0, 7, 0, 0, 8});
  PackedTensor packed = packCompressed(FloatKind::F32, dense, {3, 4, 1});
  EXPECT_EQ(toIndices(packed.positions, 8), (Indices{0, 2, 2, 4}));
  EXPECT_EQ(toIndices(packed.coordinates, 8), (Indices{1, 3, 0, 3}));
  EXPECT_EQ(packed.values, toFloats({5, 6, 7, 8}));
  EXPECT_EQ(verifyPacked(FloatKind::F32, packed, dense, {3, 4, 1}), "");
}

TEST(Packing, KeepsBlocksWithAnyNonzero) {
  std::vector<char> dense = toFloats({0, 0, 0, 5, 0, 0, 6, 7});
  PackedTensor packed = packCompressed(FloatKind::F32, dense, {1, 4, 2});
  EXPECT_EQ(toIndices(packed.positions, 8), (Indices{0, 2}));
  EXPECT_EQ(toIndices(packed.coordinates, 8), (Indices{1, 3}));
  EXPECT_EQ(packed.values, toFloats({0, 5, 6, 7}));
  EXPECT_EQ(verifyPacked(FloatKind::F32, packed, dense, {1, 4, 2}), "");
}

TEST(Packing, DropsBothZerosAndKeepsNanAndInfinity) {
  std::vector<char> dense = toFloats({-0.0f, NAN, 0, -INFINITY, 1e-45f});
  PackedTensor packed = packCompressed(FloatKind::F32, dense, {1, 5, 1});
  EXPECT_EQ(toIndices(packed.coordinates, 8), (Indices{1, 3, 4}));
  EXPECT_EQ(packed.values, toFloats({NAN, -INFINITY, 1e-45f}));
  EXPECT_EQ(verifyPacked(FloatKind::F32, packed, dense, {1, 5, 1}), "");
  // The same signs in half precision: -0, 1, +0, smallest subnormal.
  std::vector<char> half = toBytes<uint16_t>({0x8000, 0x3c00, 0, 1});
  EXPECT_EQ(countNonzeros(FloatKind::F16, half), 2);
}

TEST(Packing, AllZeroAllFullAndEmpty) {
  for (StorageShape shape : {StorageShape{3, 4, 1}, StorageShape{0, 4, 1},
                             StorageShape{3, 0, 1}, StorageShape{2, 3, 4}}) {
    for (float fill : {0.0f, 2.0f}) {
      std::vector<char> dense =
          toFloats(std::vector<float>(shape.size(), fill));
      PackedTensor packed = packCompressed(FloatKind::F32, dense, shape);
      int64_t kept = fill == 0 ? 0 : shape.segments * shape.coordinates;
      EXPECT_EQ(packed.numCoordinates(), kept);
      EXPECT_EQ(verifyPacked(FloatKind::F32, packed, dense, shape), "");
    }
  }
}

TEST(Packing, ChoosesTheNarrowestWidths) {
  EXPECT_EQ(indexWidth(0), 8u);
  EXPECT_EQ(indexWidth(255), 8u);
  EXPECT_EQ(indexWidth(256), 16u);
  EXPECT_EQ(indexWidth(65535), 16u);
  EXPECT_EQ(indexWidth(65536), 32u);
  EXPECT_EQ(indexWidth((uint64_t(1) << 32) - 1), 32u);
  EXPECT_EQ(indexWidth(uint64_t(1) << 32), 64u);
  // 256 columns have coordinates up to 255; 256 nonzeros need position 256.
  std::vector<char> dense = toFloats(std::vector<float>(256, 1));
  PackedTensor packed = packCompressed(FloatKind::F32, dense, {1, 256, 1});
  EXPECT_EQ(packed.coordinateWidth, 8u);
  EXPECT_EQ(packed.positionWidth, 16u);
  EXPECT_EQ(verifyPacked(FloatKind::F32, packed, dense, {1, 256, 1}), "");
}

TEST(Packing, NamesReplaceCoordinates) {
  std::vector<char> dense = toFloats({1, 0, 2, 0, 3, 0});
  Indices names = {4, 70, 300};
  PackedTensor packed =
      packCompressed(FloatKind::F32, dense, {2, 3, 1}, names, 301);
  EXPECT_EQ(packed.coordinateWidth, 16u);
  EXPECT_EQ(toIndices(packed.coordinates, 16), (Indices{4, 300, 70}));
  EXPECT_EQ(verifyPacked(FloatKind::F32, packed, dense, {2, 3, 1}, names, 301),
            "");
}

TEST(Packing, StructuredGroupsListExactlyN) {
  std::vector<char> dense =
      toFloats({0, 1, 0, 2, -0.0f, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0});
  std::optional<PackedTensor> packed =
      packStructured(FloatKind::F32, dense, {4, 4, 1}, 2);
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(toIndices(packed->coordinates, 8),
            (Indices{1, 3, 0, 1, 0, 3, 0, 1}));
  EXPECT_EQ(packed->values, toFloats({1, 2, 0, 0, 0, 3, 4, 0}));
  EXPECT_EQ(verifyPacked(FloatKind::F32, *packed, dense, {4, 4, 1}, {}, 0, 2),
            "");
  EXPECT_FALSE(packStructured(FloatKind::F32, dense, {4, 4, 1}, 1).has_value());
}

TEST(Packing, VerifierFindsEveryFault) {
  std::vector<char> dense = toFloats({0, 5, 0, 6, 0, 0, 0, 0, 7, 0, 0, 8});
  StorageShape shape{3, 4, 1};
  const PackedTensor good = packCompressed(FloatKind::F32, dense, shape);
  auto problem = [&](auto damage) {
    PackedTensor bad = good;
    damage(bad);
    return verifyPacked(FloatKind::F32, bad, dense, shape);
  };
  EXPECT_EQ(problem([](PackedTensor &p) { p.positions[0] = 1; }),
            "positions do not start at 0");
  EXPECT_EQ(problem([](PackedTensor &p) { p.positions[3] = 3; }),
            "positions do not end at the number of coordinates");
  EXPECT_EQ(problem([](PackedTensor &p) { p.positions[1] = 5; }),
            "positions fall or exceed the number of coordinates");
  EXPECT_EQ(problem([](PackedTensor &p) { p.positions[2] = 1; }),
            "positions fall or exceed the number of coordinates");
  EXPECT_EQ(problem([](PackedTensor &p) { p.positions.pop_back(); }),
            "positions do not match segments");
  EXPECT_EQ(problem([](PackedTensor &p) { p.coordinates[1] = 4; }),
            "coordinate out of range");
  EXPECT_EQ(problem([](PackedTensor &p) { p.coordinates[1] = 1; }),
            "coordinates do not ascend");
  EXPECT_EQ(problem([](PackedTensor &p) { p.coordinates[0] = 0; }),
            "an element has another value");
  EXPECT_EQ(problem([](PackedTensor &p) { p.positions[1] = 1; }),
            "an element is missing");
  EXPECT_EQ(problem([](PackedTensor &p) { p.coordinates.pop_back(); }),
            "values do not match coordinates");
  EXPECT_EQ(problem([](PackedTensor &p) { p.values[0] = 1; }),
            "an element has another value");
  EXPECT_EQ(problem([](PackedTensor &p) { p.coordinateWidth = 16; }),
            "values do not match coordinates");
}

TEST(Packing, RandomTensorsVerify) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    auto below = [&](int64_t bound) { return int64_t(random() % bound); };
    StorageShape shape{below(9), below(20), 1 + below(4)};
    double density = below(11) / 10.0;
    std::vector<double> values(shape.size());
    for (double &value : values)
      value = below(1000) < density * 1000 ? 1.0 + below(9) : 0.0;
    std::vector<char> dense = toBytes(values);
    PackedTensor packed = packCompressed(FloatKind::F64, dense, shape);
    EXPECT_EQ(verifyPacked(FloatKind::F64, packed, dense, shape), "");
    if (shape.block != 1 || shape.coordinates < 1)
      continue;
    packed = *packStructured(FloatKind::F64, dense, shape, shape.coordinates);
    EXPECT_EQ(verifyPacked(FloatKind::F64, packed, dense, shape, {}, 0,
                           shape.coordinates),
              "");
  }
}

TEST(Layout, GatherReadsStridedViews) {
  auto gather = [](const std::vector<char> &data, std::vector<int64_t> shape,
                   std::vector<int64_t> strides) {
    ByteBuffer gathered = gatherElements(data, 4, shape, strides);
    return std::vector<char>(gathered.begin(), gathered.end());
  };
  std::vector<char> matrix = toFloats({0, 1, 2, 3, 4, 5}); // 2 x 3
  EXPECT_EQ(gather(matrix, {3, 2}, {1, 3}), toFloats({0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(gather(matrix, {2, 2, 3}, {0, 3, 1}),
            toFloats({0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(gather(matrix, {}, {}), toFloats({0}));
  EXPECT_EQ(gather(matrix, {0, 3}, {3, 1}), toFloats({}));
  // A splat is one element read with strides of 0.
  EXPECT_EQ(gather(toFloats({9}), {2, 2}, {0, 0}), toFloats({9, 9, 9, 9}));
}

TEST(Layout, PadsWithZeros) {
  EXPECT_EQ(padMatrix(toFloats({1, 2, 3, 4}), 4, 2, 2, 3, 3),
            toFloats({1, 2, 0, 3, 4, 0, 0, 0, 0}));
}

TEST(Layout, ConvertsBetweenAllTypes) {
  // 1, -2.5, and 1 + 2^-9, which f16 holds and bf16 rounds to 1.
  std::vector<char> wide = toBytes<double>({1, -2.5, 1.001953125});
  std::vector<char> half =
      convertElements(FloatKind::F64, FloatKind::F16, wide);
  EXPECT_EQ(half, toBytes<uint16_t>({0x3c00, 0xc100, 0x3c02}));
  EXPECT_EQ(convertElements(FloatKind::F16, FloatKind::F32, half),
            toFloats({1, -2.5, 1.001953125f}));
  EXPECT_EQ(convertElements(FloatKind::F16, FloatKind::BF16, half),
            toBytes<uint16_t>({0x3f80, 0xc020, 0x3f80}));
}
