#include "kernels/random/random.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {
uint32_t word(const Rng& rng, int64_t i, int k) { return philox(rng.key(), uint64_t(i), rng.counter()).word[k]; }
}  // namespace

OP_CASES(random) {
  const Rng rng = Rng(5).at(3);
  // The input says which dtype and device are under test. reference(i): of element i of `to`.
  using Run = std::function<Tensor(DType, Device)>;
  const auto add = [&](const char* name, const Shape& to, Run run, std::function<double(int64_t)> reference, bool floating = true) {
    cases.push_back({.op = "random", .name = name, .inputs = {{.shape = {1}, .role = Role::constant}},
                     .run =
                         [=](const Tensors& in) {
                           const Tensor y = run(in[0].dtype(), in[0].device());
                           return is_floating(y.dtype()) ? y : y.to(DType::f32);
                         },
                     .reference =
                         [=](const HostArrays&) {
                           HostArray y = host_zeros(to);
                           for (size_t i = 0; i < y.values.size(); ++i) y.values[i] = reference(int64_t(i));
                           return HostArrays{y};
                         },
                     .differentiable = false,
                     .dtypes = floating ? std::vector<DType>{DType::f32, DType::bf16, DType::f16} : std::vector<DType>{DType::f32}});
  };
  add("rand", {3, 5, 7}, [=](DType t, Device d) { return rand({3, 5, 7}, rng, {.dtype = t, .device = d}); },
      [=](int64_t i) { return std::ldexp(double(word(rng, i, 0) >> 5), -27) + std::ldexp(double(word(rng, i, 1) >> 6), -53); });
  add("rand from -3 to 2", {9001}, [=](DType t, Device d) { return rand({9001}, rng, {.low = -3, .high = 2, .dtype = t, .device = d}); },
      [=](int64_t i) { return -3 + 5 * (std::ldexp(double(word(rng, i, 0) >> 5), -27) + std::ldexp(double(word(rng, i, 1) >> 6), -53)); });
  // In f32 where f64 is asked for: the normal has 24 bits in every dtype.
  add("randn", {2001},
      [=](DType t, Device d) {
        return randn({2001}, rng, {.mean = 0.5, .deviation = 2, .dtype = t == DType::f64 ? DType::f32 : t, .device = d});
      },
      [=](int64_t i) {
        const double u = ((word(rng, i, 0) >> 8) + 1) * 0x1p-24, v = (word(rng, i, 1) >> 8) * 0x1p-24;
        return 0.5 + 2 * std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v);
      });
  add("randint", {4, 77}, [=](DType, Device d) { return randint({4, 77}, -5, 12, rng, {.device = d}); },
      [=](int64_t i) { return -5 + std::floor(17 * (double(word(rng, i, 0)) + double(word(rng, i, 1)) * 0x1p-32) * 0x1p-32); }, false);
  add("randint u8", {300}, [=](DType, Device d) { return randint({300}, 0, 256, rng, {.dtype = DType::u8, .device = d}); },
      [=](int64_t i) { return double(word(rng, i, 0) >> 24); }, false);
  add("bernoulli", {700}, [=](DType t, Device d) { return bernoulli({700}, 0.3, rng, {.dtype = t, .device = d}); },
      [=](int64_t i) { return word(rng, i, 0) < 0.3 * 0x1p32 ? 1 : 0; });
  add("bernoulli, one probability each", {800},
      [=](DType t, Device d) {
        std::vector<double> p(800);
        for (size_t i = 0; i < p.size(); ++i) p[i] = double(i % 9) / 8;
        return bernoulli(Tensor::from(p, {800}, t, d), rng);
      },
      [=](int64_t i) { return word(rng, i, 0) < double(i % 9) * 0x1p29 ? 1 : 0; });
  add("a source that has moved on", {50},
      [=](DType t, Device d) {
        Rng moved = rng;
        moved.next();
        return bernoulli({50}, 0.5, moved, {.dtype = t, .device = d});
      },
      [=](int64_t i) { return philox(rng.key(), uint64_t(i), 1).word[0] < 0x80000000u ? 1 : 0; });
  add("randperm", {777}, [=](DType, Device d) { return randperm(777, rng, d); },
      [=](int64_t i) {
        std::vector<std::pair<int64_t, int64_t>> keys;
        for (int64_t k = 0; k < 777; ++k) keys.push_back({int64_t(uint64_t(word(rng, k, 0)) << 32 | word(rng, k, 1)), k});
        std::nth_element(keys.begin(), keys.begin() + i, keys.end());
        return double(keys[size_t(i)].second);
      },
      false);
  const auto same = [](const Tensor& a, const Tensor& b) {
    const Tensor host = a.to(Device{});
    return std::memcmp(host.view().data, b.view().data, b.bytes()) == 0;
  };
  add("the same bits as on the CPU", {1},
      [=](DType t, Device d) {
        const DType used = t == DType::f64 ? DType::f32 : t;
        const bool equal = same(rand({5000}, rng, {.low = -0.3, .high = 7.7, .dtype = used, .device = d}),
                                rand({5000}, rng, {.low = -0.3, .high = 7.7, .dtype = used})) &&
                           same(randn({5000}, rng, {.mean = 0.1, .deviation = 3.3, .dtype = used, .device = d}),
                                randn({5000}, rng, {.mean = 0.1, .deviation = 3.3, .dtype = used})) &&
                           same(randperm(999, rng, d), randperm(999, rng));
        return Tensor::full({1}, equal, DType::u8, d);
      },
      [](int64_t) { return 1; });
  rejects.push_back({"random", "rand of integers", [=] { rand({2}, rng, {.dtype = DType::u8}); }, {"rand", "floating", "u8"}});
  rejects.push_back({"random", "an empty range", [=] { randint({2}, 3, 3, rng); }, {"randint", "[3, 3)"}});
  rejects.push_back({"random", "beyond the dtype", [=] { randint({2}, 0, 257, rng, {.dtype = DType::u8}); }, {"randint", "257", "u8"}});
  rejects.push_back({"random", "a probability above 1", [=] { bernoulli(Shape{2}, 1.5, rng); }, {"bernoulli", "1.5"}});
  const auto reject_one = [&](const char* name, double p, std::vector<std::string> words) {
    rejects.push_back({"random", name, [=] { bernoulli(Tensor::from({0, 0.5, p, 1}, {4}), rng); }, words});
  };
  reject_one("one probability above 1", 1.5, {"bernoulli", "from 0 to 1.5"});
  reject_one("one probability below 0", -0.25, {"bernoulli", "from -0.25 to 1"});
  reject_one("a probability of NaN", NAN, {"bernoulli", "nan"});
  rejects.push_back({"random", "a negative deviation", [=] { randn({2}, rng, {.deviation = -1}); }, {"randn", "-1"}});
  rejects.push_back({"random", "low above high", [=] { rand({2}, rng, {.low = 1, .high = 0}); }, {"rand", "[1, 0)"}});
}
