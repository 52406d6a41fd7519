// Facts of sm_90's instructions that kernels rely on, each by itself: on the emulator, and on a device that has them.
#include <cstring>
#include <functional>

#include "core/cuda/runtime.h"
#include "core/rng.h"
#include "tests/catch.h"
#include "tests/cuda/hopper_facts.h"

#include "core/tensor.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};

bool has_hopper() {
  if (cuda::device_count() > 0 && cuda::chip_of(current_stream(kDevice)).architecture == 90) return true;
  WARN("skipped: not a device of compute capability 9.0");
  return false;
}

Tensor bytes_on_device(const std::vector<uint8_t>& v) { return Tensor::from(v, {int64_t(v.size())}, kDevice); }

// Small whole numbers, of which sums of products are exact in every dtype.
struct Operand {
  int rows, length;  // elements of a row
  std::vector<int> values;
  Operand(int r, int n, uint64_t seed) : rows(r), length(n), values(size_t(r) * size_t(n)) {
    Rng rng(seed);
    for (int& v : values) v = int(rng.uniform(-4, 4));
  }
  int at(int row, int k) const { return values[size_t(row) * size_t(length) + size_t(k)]; }
};

// The image of shared memory in which 16 bytes `piece` of `row` lie at place(row, piece); all else is NaN.
std::vector<uint8_t> image_of(const Operand& o, DType t, const std::function<int(int, int)>& place) {
  std::vector<uint8_t> image(size_t(kImageBytes), 0xff);
  const int each = 16 / int(size_of(t));
  for (int row = 0; row < o.rows; ++row)
    for (int k = 0; k < o.length; ++k) {
      const float v = float(o.at(row, k));
      uint8_t* const to = image.data() + place(row, k / each) + k % each * int(size_of(t));
      REQUIRE(to + 4 <= image.data() + image.size());
      if (t == DType::f32) std::memcpy(to, &v, 4);
      else if (t == DType::bf16) {
        const bf16 h(v);
        std::memcpy(to, &h, 2);
      } else {
        const f16 h(v);
        std::memcpy(to, &h, 2);
      }
    }
  return image;
}

// Pieces of 16 bytes as planes of all rows: eight rows side by side, then the next eight.
int in_planes(const OperandPlace& p, int row, int piece) {
  return p.first + piece % 2 * p.across + piece / 2 * p.step + row / 8 * p.down + row % 8 * 16;
}
// Rows of `width` bytes, whose pieces change places with the address divided by 128.
int swizzled(const OperandPlace& p, int width, int row, int piece) {
  const int at = p.first + row / 8 * p.down + row % 8 * width + piece * 16;
  return at ^ (at / 128 % (width / 16) * 16);
}

void check_product(DType t, int columns, int steps, const OperandPlace& a, const std::function<int(int, int)>& place_a,
                   const OperandPlace& b, const std::function<int(int, int)>& place_b, bool add = false) {
  const int k = steps * 32 / int(size_of(t));
  const Operand left(64, k, 1), right(columns, k, 2);
  const Tensor image_a = bytes_on_device(image_of(left, t, place_a)), image_b = bytes_on_device(image_of(right, t, place_b));
  const Tensor before = Tensor::full({64, columns}, 3, DType::f32, kDevice), d = Tensor::full({64, columns}, 7, DType::f32, kDevice);
  multiply_images(current_stream(kDevice), t, columns, steps, image_a.view().data, a, image_b.view().data, b,
                  add ? before.view().as<float>() : nullptr, d.view().as<float>());
  const std::vector<double> got = d.values();
  int wrong = 0;
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < columns; ++j) {
      double wanted = add ? 3 : 0;
      for (int e = 0; e < k; ++e) wanted += left.at(i, e) * right.at(j, e);
      wrong += !(got[size_t(i * columns + j)] == wanted);
    }
  CAPTURE(name_of(t), columns, steps);
  CHECK(wrong == 0);
}

constexpr DType kTypes[] = {DType::bf16, DType::f16, DType::f32};

}  // namespace

TEST_CASE("sm_90: wgmma multiplies rows of 16-byte planes, and adds to what there is") {
  if (!has_hopper()) return;
  for (const DType t : kTypes)
    for (const int columns : {32, 64, 96, 128, 160}) {
      const OperandPlace a{.first = 0, .across = 64 * 16, .down = 128, .step = 2 * 64 * 16};
      const OperandPlace b{.first = 0, .across = columns * 16, .down = 128, .step = 2 * columns * 16};
      const auto of_a = [&](int row, int piece) { return in_planes(a, row, piece); };
      const auto of_b = [&](int row, int piece) { return in_planes(b, row, piece); };
      check_product(t, columns, 1, a, of_a, b, of_b);
      check_product(t, columns, 4, a, of_a, b, of_b, true);
    }
}

TEST_CASE("sm_90: descriptors of 16-byte planes start at any 16 bytes, with any pitch of eight rows") {
  if (!has_hopper()) return;
  // As taps of a halo of lines of 10 voxels: eight rows along W, the next eight a line further.
  for (const int shift : {1, 3, 11, 22})
    for (const DType t : kTypes) {
      const OperandPlace a{.first = shift * 16, .across = 170 * 16, .down = 10 * 16, .step = 2 * 170 * 16};
      const OperandPlace b{.first = 16, .across = 33 * 16, .down = 128, .step = 2 * 33 * 16};
      check_product(t, 32, 2, a, [&](int row, int piece) { return in_planes(a, row, piece); }, b,
                    [&](int row, int piece) { return in_planes(b, row, piece); });
    }
}

TEST_CASE("sm_90: descriptors of swizzled rows, whose pieces a step of 32 bytes finds") {
  if (!has_hopper()) return;
  const int widths[] = {128, 64, 32};
  for (int s = 0; s < 3; ++s)
    for (const DType t : kTypes) {
      const int width = widths[s];
      const OperandPlace p{.first = 0, .down = 8 * width, .swizzle = s + 1, .step = 32};
      const auto place = [&](int row, int piece) { return swizzled(p, width, row, piece); };
      check_product(t, 64, width / 32, p, place, p, place);
    }
}

TEST_CASE("sm_90: a swizzle goes by addresses, so that descriptors of swizzled rows start at any row") {
  if (!has_hopper()) return;
  const int widths[] = {128, 64, 32};
  for (int s = 0; s < 3; ++s)
    for (const int shift : {1, 5}) {
      const int width = widths[s];
      const OperandPlace a{.first = shift * width, .down = 10 * width, .swizzle = s + 1, .step = 32};
      const OperandPlace b{.first = 0, .down = 8 * width, .swizzle = s + 1, .step = 32};
      check_product(DType::bf16, 64, width / 32, a, [&](int row, int piece) { return swizzled(a, width, row, piece); }, b,
                    [&](int row, int piece) { return swizzled(b, width, row, piece); });
    }
}

TEST_CASE("sm_90: wgmma multiplies rows in registers by columns that lie as rows of k") {
  if (!has_hopper()) return;
  for (const DType t : kTypes)
    for (const int columns : {32, 64, 96}) {
      constexpr int kSteps = 3;
      const int k = kSteps * 32 / int(size_of(t));
      const Operand left(64, k, 3), right(columns, k, 4);
      // 16 bits: eight rows of k side by side, the next eight further, columns in eights; from any 16 bytes on. tf32: planes as above.
      const bool by_columns = size_of(t) == 2;
      const OperandPlace b{.first = 48, .across = by_columns ? 128 : (columns + 1) * 16, .down = by_columns ? (k + 2) * 16 : 128,
                           .step = by_columns ? 256 : 2 * (columns + 1) * 16};
      std::vector<uint8_t> image(size_t(kImageBytes), 0xff);
      for (int n = 0; n < columns; ++n)
        for (int e = 0; e < k; ++e) {
          const float v = float(right.at(n, e));
          uint8_t* const to = image.data() + (by_columns ? b.first + e / 8 * b.across + e % 8 * 16 + n / 8 * b.down + n % 8 * 2
                                                         : in_planes(b, n, e / 4) + e % 4 * 4);
          const bf16 half(v);
          const f16 other(v);
          std::memcpy(to, t == DType::f32 ? static_cast<const void*>(&v) : t == DType::bf16 ? static_cast<const void*>(&half) : &other,
                      size_of(t));
        }
      const std::vector<double> of_a(left.values.begin(), left.values.end());
      const Tensor a = Tensor::from(of_a, {64, k}, t, kDevice), image_b = bytes_on_device(image);
      const Tensor d = Tensor::full({64, columns}, 7, DType::f32, kDevice);
      multiply_held(current_stream(kDevice), t, columns, kSteps, a.view().data, image_b.view().data, b, d.view().as<float>());
      const std::vector<double> got = d.values();
      int wrong = 0;
      for (int i = 0; i < 64; ++i)
        for (int j = 0; j < columns; ++j) {
          double wanted = 0;
          for (int e = 0; e < k; ++e) wanted += left.at(i, e) * right.at(j, e);
          wrong += !(got[size_t(i * columns + j)] == wanted);
        }
      CAPTURE(name_of(t), columns);
      CHECK(wrong == 0);
    }
}

TEST_CASE("sm_90: a multicast reaches all blocks of a cluster, and completes on the barriers of each") {
  if (!has_hopper()) return;
  constexpr int kBytes = 4096;
  std::vector<uint8_t> x(kBytes);
  for (int i = 0; i < kBytes; ++i) x[size_t(i)] = uint8_t(i * 7 + i / 256);
  const Tensor from = bytes_on_device(x), y = Tensor::zeros({2, kBytes}, DType::u8, kDevice);
  copy_to_cluster(current_stream(kDevice), from.view().data, kBytes, y.view().data);
  const std::vector<double> got = y.values();
  int wrong = 0;
  for (int i = 0; i < 2 * kBytes; ++i) wrong += got[size_t(i)] != x[size_t(i % kBytes)];
  CHECK(wrong == 0);
}

TEST_CASE("sm_90: a ring of stages goes round, emptied by both blocks of a cluster") {
  if (!has_hopper()) return;
  constexpr int kEach = 64, kRounds = 7;
  std::vector<int32_t> x(kEach * kRounds);
  for (size_t i = 0; i < x.size(); ++i) x[i] = int32_t(i * i % 1001);
  const Tensor from = Tensor::from(x, {kRounds, kEach}, kDevice), y = Tensor::zeros({2, kEach}, DType::i32, kDevice);
  sum_ring(current_stream(kDevice), from.view().as<int32_t>(), kEach, kRounds, y.view().as<int32_t>());
  const std::vector<double> got = y.values();
  for (int i = 0; i < 2 * kEach; ++i) {
    double wanted = 0;
    for (int r = 0; r < kRounds; ++r) wanted += x[size_t(r * kEach + i % kEach)];
    REQUIRE(got[size_t(i)] == wanted);
  }
}

TEST_CASE("sm_90: some warps of a block meet at a barrier of their own") {
  if (!has_hopper()) return;
  std::vector<double> x(64);
  for (size_t i = 0; i < 64; ++i) x[i] = double(i);
  const Tensor from = Tensor::from(x, {64}, DType::f32, kDevice), y = Tensor::zeros({64}, DType::f32, kDevice);
  reverse_by_some(current_stream(kDevice), from.view().as<float>(), y.view().as<float>());
  const std::vector<double> got = y.values();
  for (size_t i = 0; i < 64; ++i) CHECK(got[i] == double(63 - i));
}
