// Facts of copies of boxes of tensors that kernels rely on, each by itself: on the emulator, and on a device that has them.
#include <algorithm>
#include <cstring>

#include "core/cuda/runtime.h"
#include "core/rng.h"
#include "core/tensor.h"
#include "tests/catch.h"
#include "tests/cuda/boxes/box_facts.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

const Device kDevice{0};

bool has_boxes() {
  if (cuda::device_count() > 0 && cuda::chip_of(current_stream(kDevice)).architecture == 90) return true;
  WARN("skipped: not a device of compute capability 9.0");
  return false;
}
Cuda on() { return current_stream(kDevice); }

// {n, d, h, w, channels} of 16 bits, each element another number.
struct Volume16 {
  Shape shape;
  std::vector<int16_t> values;
  Tensor tensor;
  explicit Volume16(const Shape& s) : shape(s), values(size_t(s.count())) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = int16_t(i + 1);
    tensor = Tensor::from(values, s, kDevice);
  }
  // Of this box, in elements of 16 bits.
  BoxedTensor boxes(const int (&box)[5], const int (&step)[5] = {1, 1, 1, 1, 1}) const {
    BoxedTensor t{.address = tensor.view().data, .dtype = DType::i16};
    int64_t stride = 2;
    for (int a = 0; a < 5; ++a) {
      t.extent[a] = shape[size_t(4 - a)], t.stride[a] = stride, t.box[a] = box[a], t.step[a] = step[a];
      stride *= t.extent[a];
    }
    return t;
  }
  // What a box from `at` on holds, one row of channels behind the other.
  std::vector<int16_t> box_at(const BoxedTensor& t, const BoxPlace& at) const {
    std::vector<int16_t> all;
    int i[5];
    for (i[4] = 0; i[4] < t.box[4]; ++i[4])
      for (i[3] = 0; i[3] < t.box[3]; ++i[3])
        for (i[2] = 0; i[2] < t.box[2]; ++i[2])
          for (i[1] = 0; i[1] < t.box[1]; ++i[1])
            for (i[0] = 0; i[0] < t.box[0]; ++i[0]) {
              bool inside = true;
              int64_t index = 0;
              for (int a = 4; a >= 0; --a) {
                const int64_t place = at.at[a] + i[a] * t.step[a];
                inside = inside && place >= 0 && place < t.extent[a];
                index = index * t.extent[a] + place;
              }
              all.push_back(inside ? values[size_t(index)] : int16_t(0));
            }
    return all;
  }
};

std::vector<int16_t> read_16(const BoxedTensor& t, const BoxPlace& at) {
  const Tensor y = Tensor::full({t.bytes() / 2}, 77, DType::i16, kDevice);
  read_box(on(), tensor_map(t), at, int(t.bytes()), y.view().data);
  const std::vector<double> got = y.values();
  return {got.begin(), got.end()};
}

// The channels, then w, h, d, n of the first element, before, within and behind the volume.
const BoxPlace kPlaces[] = {{{0, 0, 0, 0, 0}}, {{8, -1, -2, -1, 1}}, {{16, 5, 4, 3, 1}}, {{0, -7, 0, 0, 0}}, {{32, 2, -9, 1, 0}},
                            {{40, 0, 0, 0, 0}}, {{8, 1, 1, 1, 2}}};

}  // namespace

TEST_CASE("sm_90: a box of 16-byte pieces lands as planes, with zeros on all sides of the tensor") {
  if (!has_boxes()) return;
  const Volume16 x({2, 5, 6, 7, 40});
  for (const BoxPlace& at : kPlaces) {
    const BoxedTensor t = x.boxes({8, 6, 5, 4, 1});
    CAPTURE(at.at[0], at.at[1], at.at[2], at.at[3], at.at[4]);
    CHECK(read_16(t, at) == x.box_at(t, at));
  }
}

TEST_CASE("sm_90: a box takes every second or third element along its axes") {
  if (!has_boxes()) return;
  const Volume16 x({2, 5, 6, 9, 40});
  for (const BoxPlace& at : kPlaces) {
    const BoxedTensor t = x.boxes({32, 4, 3, 2, 1}, {1, 2, 2, 3, 1});
    CAPTURE(at.at[0], at.at[1], at.at[2], at.at[3], at.at[4]);
    CHECK(read_16(t, at) == x.box_at(t, at));
  }
}

TEST_CASE("sm_90: rows of a box are swizzled by their addresses, zeros beyond the last channel included") {
  if (!has_boxes()) return;
  const Volume16 x({1, 4, 5, 9, 40});
  for (const Swizzle s : {Swizzle::bytes32, Swizzle::bytes64, Swizzle::bytes128}) {
    const int width = swizzle_width(s);
    for (const int first : {0, 8}) {
      BoxedTensor t = x.boxes({width / 2, 7, 3, 2, 1});
      t.swizzle = s;
      const BoxPlace at{{first, -1, 2, 1, 0}};
      const std::vector<int16_t> rows = x.box_at(t, at);
      std::vector<int16_t> wanted(rows.size());
      for (size_t i = 0; i < rows.size(); ++i) {
        const int place = int(2 * i), moved = place ^ ((place / 128 % (width / 16)) * 16);
        wanted[size_t(moved / 2)] = rows[i];
      }
      CAPTURE(width, first);
      CHECK(read_16(t, at) == wanted);
    }
  }
}

TEST_CASE("sm_90: a box of f32 is rounded to tf32 where its map says so") {
  if (!has_boxes()) return;
  // 1 and 1.5, a little more, nearly half of the last bit more, and a little beyond that half, with both signs.
  std::vector<double> v, wanted;
  constexpr double kLast = 1. / 1024;  // of tf32's ten bits
  for (const double base : {1., 1.5, -1., -2.75})
    for (const double part : {0.02, 0.48, 0.52, 0.98}) {
      const double unit = std::abs(base) >= 2 ? 2 * kLast : kLast, sign = base < 0 ? -1 : 1;
      v.push_back(base + sign * part * unit);
      wanted.push_back(base + sign * (part > 0.5 ? unit : 0));
    }
  const Tensor x = Tensor::from(v, {16}, DType::f32, kDevice), y = Tensor::zeros({16}, DType::f32, kDevice);
  BoxedTensor t{.address = x.view().data, .dtype = DType::f32, .tf32 = true, .extent = {16, 1, 1, 1, 1}, .stride = {4, 64, 64, 64, 64},
                .box = {16, 1, 1, 1, 1}};
  read_box(on(), tensor_map(t), {}, int(t.bytes()), y.view().data);
  CHECK(y.values() == wanted);
  t.tf32 = false;
  read_box(on(), tensor_map(t), {}, int(t.bytes()), y.view().data);
  CHECK(y.values() == x.values());
}

TEST_CASE("sm_90: a box reaches all blocks of a cluster, and completes on the barriers of each") {
  if (!has_boxes()) return;
  const Volume16 x({1, 6, 5, 6, 32});
  const BoxedTensor t = x.boxes({32, 4, 5, 3, 1});
  const BoxPlace first{{0, -1, 0, -1, 0}}, second{{0, 3, 2, 2, 0}};
  std::vector<int16_t> both = x.box_at(t, first), wanted = x.box_at(t, second);
  both.insert(both.end(), wanted.begin(), wanted.end());
  const Tensor y = Tensor::zeros({2, int64_t(both.size())}, DType::i16, kDevice);
  read_boxes_of_cluster(on(), tensor_map(t), first, second, int(t.bytes()), y.view().data);
  const std::vector<double> got = y.values();
  for (int rank = 0; rank < 2; ++rank)
    CHECK(std::equal(both.begin(), both.end(), got.begin() + rank * std::ptrdiff_t(both.size())));
}

TEST_CASE("sm_90: products read swizzled rows of a box from any row on, as taps of a halo") {
  if (!has_boxes()) return;
  // Lines of 10 voxels: eight neighbours along W, the next eight a line further. Small whole numbers, of which all sums are exact.
  constexpr int kLine = 10, kLines = 11;
  Rng rng(5);
  for (const DType t : {DType::bf16, DType::f16, DType::f32}) {
    const int channels = 64 / int(size_of(t));
    std::vector<double> x(size_t(kLines * kLine * channels)), w(size_t(32 * channels));
    for (double& v : x) v = double(int(rng.uniform(-4, 4)));
    for (double& v : w) v = double(int(rng.uniform(-4, 4)));
    const Tensor of_x = Tensor::from(x, {1, 1, kLines, kLine, channels}, t, kDevice), of_w = Tensor::from(w, {32, channels}, t, kDevice);
    const BoxedTensor boxes{.address = of_x.view().data, .dtype = t, .extent = {channels, kLine, kLines, 1, 1},
                            .stride = {0, 64, kLine * 64, kLines * kLine * 64, kLines * kLine * 64}, .box = {channels, kLine, kLines, 1, 1},
                            .swizzle = Swizzle::bytes64};
    const TensorMap map = tensor_map(boxes);
    for (const int first : {0, 1, 2, 11, 22, 32}) {
      const Tensor d = Tensor::full({64, 32}, 7, DType::f32, kDevice);
      multiply_box(on(), t, map, {}, int(boxes.bytes()), first, kLine, of_w.view().data, d.view().as<float>());
      const std::vector<double> got = d.values();
      int wrong = 0;
      for (int i = 0; i < 64; ++i)
        for (int j = 0; j < 32; ++j) {
          double sum = 0;
          for (int k = 0; k < channels; ++k)
            sum += x[size_t((first + i / 8 * kLine + i % 8) * channels + k)] * w[size_t(j * channels + k)];
          wrong += !(got[size_t(i * 32 + j)] == sum);
        }
      CAPTURE(name_of(t), first);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("sm_90: maps that the hardware has no boxes for are refused") {
  if (!has_boxes()) return;
  const Volume16 x({2, 5, 6, 7, 40});
  const auto refused = [&](auto change, const char* words) {
    BoxedTensor t = x.boxes({32, 4, 4, 4, 1});
    change(t);
    CHECK_THROWS_WITH(tensor_map(t), Contains("tensor map: ") && Contains(words));
  };
  CHECK_NOTHROW(tensor_map(x.boxes({32, 4, 4, 4, 1})));
  refused([](BoxedTensor& t) { t.address = static_cast<const char*>(t.address) + 8; }, "not a multiple of 16");
  refused([](BoxedTensor& t) { t.stride[1] = 72; }, "72 bytes from one element to the next along axis 1");
  refused([](BoxedTensor& t) { t.stride[3] = int64_t(1) << 40; }, "below 2^40");
  refused([](BoxedTensor& t) { t.extent[2] = 0; }, "0 elements along axis 2");
  refused([](BoxedTensor& t) { t.box[1] = 257; }, "257 times 1 elements along axis 1, up to 256");
  refused([](BoxedTensor& t) { t.box[2] = 129, t.step[2] = 2; }, "129 times 2 elements along axis 2, up to 256");
  refused([](BoxedTensor& t) { t.box[0] = 12; }, "rows of a box have 24 bytes, multiples of 16");
  refused([](BoxedTensor& t) { t.step[2] = 9; }, "every 9th element along axis 2");
  refused([](BoxedTensor& t) { t.step[0] = 2; }, "1 along axis 0");
  refused([](BoxedTensor& t) { t.swizzle = Swizzle::bytes128; }, "64 bytes with a swizzle of 128");
  refused([](BoxedTensor& t) { t.tf32 = true; }, "as tf32");
}
