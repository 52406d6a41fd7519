#include "tests/op_case.h"

#include <cmath>

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
