#pragma once
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "augment/augment.h"
#include "augment/blur/blur.h"
#include "augment/brightness/brightness.h"
#include "augment/contrast/contrast.h"
#include "augment/gamma/gamma.h"
#include "augment/low_resolution/low_resolution.h"
#include "augment/mirror/mirror.h"
#include "augment/noise/noise.h"
#include "augment/spatial/spatial.h"
#include "core/config/json_values.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

// What the tests of samples and phantoms share.
namespace voxgrad {

inline Sample random_sample(Int3 size, int channels, uint64_t seed, int labels = 3) {
  const Sample s = sample_of(Tensor::zeros({size.d, size.h, size.w, channels}), Tensor::empty({size.d, size.h, size.w}, DType::u8));
  add_gaussian_noise(s.image(), 1, Rng(seed));
  Rng rng(seed + 1);
  for (auto& l : s.at("label").mutable_data<uint8_t>()) l = uint8_t(rng.below(labels));
  return s;
}
inline Sample copy_of(Sample s) {
  for (Field& f : s.fields) f.data = f.data.clone();
  return s;
}

// These transforms alone, each with probability 1 of its key of the same name.
inline Augmentation only(const std::vector<std::string>& names) {
  Augmentation a;
  a.order = names;
  for (const std::string& name : names) a.set({{name, 1}});
  return a;
}

inline bool same(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && a.values() == b.values(); }

struct Threads {
  int before = threads();
  explicit Threads(int n) { set_threads(n); }
  ~Threads() { set_threads(before); }
};
struct IsaScope {
  Isa before = isa();
  explicit IsaScope(Isa i) { set_isa(i); }
  ~IsaScope() { set_isa(before); }
};
inline std::vector<Isa> isas() {
  std::vector<Isa> all;
  for (Isa i : {Isa::baseline, Isa::avx2, Isa::avx512})
    if (i <= best_isa()) all.push_back(i);
  return all;
}

// Whether f throws Error with all the words in its message.
inline bool refuses(const std::function<void()>& f, const std::vector<std::string>& words) {
  try {
    f();
  } catch (const Error& e) {
    const std::string message = e.what();
    for (const auto& w : words)
      if (message.find(w) == message.npos) return false;
    return true;
  }
  return false;
}

}  // namespace voxgrad
