#include "tests/op_case.h"

#include <cmath>

#include "core/device/parallel.h"
#include "core/rng.h"

namespace voxgrad {

std::vector<OpCase>& op_cases() {
  static std::vector<OpCase> all;
  return all;
}
std::vector<OpReject>& op_rejects() {
  static std::vector<OpReject> all;
  return all;
}

std::vector<HugeCase>& huge_cases() {
  static std::vector<HugeCase> all;
  return all;
}

double pattern_at(DType t, int64_t i) {
  uint64_t h = uint64_t(i) * 0x9E3779B97F4A7C15u;
  h ^= h >> 32, h *= 0xD6E8FEB86659FD93u, h ^= h >> 32;
  return t == DType::u8 ? double(h % 256) : (double(h % 17) - 8) / 8;
}

Tensor pattern(const Shape& shape, DType t, Device device) {
  const Tensor x = Tensor::empty(shape, t);
  const auto fill = [&]<class T>() {
    const std::span<T> v = x.mutable_data<T>();
    parallel_ranges(x.count(), 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) v[size_t(i)] = T(pattern_at(t, i));
    });
  };
  t == DType::u8 ? fill.operator()<uint8_t>() : t == DType::bf16 ? fill.operator()<bf16>() : fill.operator()<float>();
  return x.to(device);
}

std::vector<int64_t> sampled_positions(int64_t count) {
  std::vector<int64_t> at;
  for (int64_t edge = 0; edge < count; edge += int64_t(1) << 31)
    for (int64_t i = std::max<int64_t>(0, edge - 40); i < std::min(count, edge + 40); ++i) at.push_back(i);
  for (int64_t i = std::max<int64_t>(0, count - 40); i < count; ++i) at.push_back(i);
  Rng rng(17);
  for (int k = 0; k < 2000; ++k) at.push_back(rng.below(count));
  return at;
}

std::string sampled_fault(const Tensor& on_device, const std::function<double(int64_t)>& wanted, double limit) {
  const Tensor y = on_device.to(Device{});
  for (int64_t i : sampled_positions(y.count())) {
    const double is = on_any_dtype(y.dtype(), [&]<class T>() { return double(y.data<T>()[size_t(i)]); }), should = wanted(i);
    if (!(std::abs(is - should) <= limit * (1 + std::abs(should))))
      return "element " + std::to_string(i) + " of " + std::to_string(y.count()) + " is " + std::to_string(is) + ", not " +
             std::to_string(should);
  }
  return "";
}

Tensors make_inputs(const OpCase& c, DType t, uint64_t seed) {
  Tensors out;
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    const OpInput& in = c.inputs[k];
    Rng rng = Rng(seed).at(k);
    std::vector<double> v(size_t(in.shape.count()));
    const bool label = in.role == Role::label;
    for (auto& x : v) x = label ? in.low + double(rng.below(int64_t(in.high - in.low) + 1)) : rng.uniform(in.low, in.high);
    out.push_back(Tensor::from(v, in.shape, label ? DType::u8 : in.role == Role::parameter ? accum_of(t) : t));
  }
  return out;
}

}  // namespace voxgrad
