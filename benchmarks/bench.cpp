#include "benchmarks/bench.h"

#include "core/device/parallel.h"
#include "core/rng.h"

namespace voxgrad::bench {

std::string Case::searched() const {
  std::string text = title();
  for (size_t i = 0; i < tags.size(); ++i) text += (i ? " " : " [") + tags[i];
  return tags.empty() ? text : text + "]";
}

std::vector<Case> all_cases(const Sizes& sizes) {
  std::vector<Case> all;
  for (auto add : {add_machine_cases, add_layer_cases, add_op_cases, add_resampling_cases, add_network_cases, add_sweep_cases,
                   add_precision_cases, add_algorithm_cases})
    add(sizes, all);
  return all;
}

Tensor random_tensor(const Shape& s, DType t, uint64_t seed, Device device) {
  Tensor x = Tensor::empty(s);
  const std::span<float> v = x.mutable_data<float>();
  parallel_chunks(int64_t(v.size()), 1 << 16, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Random128 r = philox(seed, uint64_t(i) / 4);
      v[size_t(i)] = 2 * uniform_of(r.word[i % 4]) - 1;
    }
  });
  return x.to(t).to(device);
}

Tensor random_label(const Shape& s, int classes, uint64_t seed, Device device) {
  Tensor label = Tensor::empty(s, DType::u8);
  Rng rng(seed);
  for (uint8_t& v : label.mutable_data<uint8_t>()) v = uint8_t(rng.below(classes));
  return label.to(device);
}

}  // namespace voxgrad::bench
