#include "kernels/resample_labels/resample_labels.h"

#include <algorithm>
#include <cmath>

#include "kernels/interpolate3d/interpolate3d.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// The share of each value by the definition of trilinear interpolation with half voxels, kept within the volume.
HostArray by_shares(const HostArray& x, const Int3& to) {
  const Shape& s = x.shape;
  HostArray y = host_zeros({s[0], to.d, to.h, to.w});
  for_each_index(y.shape, [&](Index at) {
    double low[3], part[3];
    Index nearest = at;
    for (int a = 0; a < 3; ++a) {
      const double n = double(s[a + 1]), v = std::min(std::max((double(at[size_t(a) + 1]) + 0.5) * n / to[a] - 0.5, 0.0), n - 1);
      low[a] = std::floor(v), part[a] = v - low[a];
      nearest[size_t(a) + 1] = int64_t(std::floor(v + 0.5));
    }
    double shares[256] = {};
    for (int k = 0; k < 8; ++k) {
      Index tap = at;
      double weight = 1;
      for (int a = 0; a < 3; ++a) {
        const int upper = k >> a & 1;
        tap[size_t(a) + 1] = std::min(int64_t(low[a]) + upper, s[a + 1] - 1);
        weight *= upper ? part[a] : 1 - part[a];
      }
      shares[size_t(x[tap])] += weight;
    }
    const double most = *std::max_element(shares, shares + 256) - 1e-9;
    y[at] = x[nearest];
    for (int v = 255; v >= 0 && shares[size_t(x[nearest])] < most; --v)
      if (shares[v] >= most) y[at] = v;
  });
  return y;
}

}  // namespace

OP_CASES(resample_labels) {
  const auto add = [&](const char* name, const Shape& s, const Int3& to, double most) {
    cases.push_back({.op = "resample_labels", .name = name, .inputs = {{.shape = s, .role = Role::label, .low = 0, .high = most}},
                     .run =
                         [=](const Tensors& in) {
                           return resample_labels(in[0], trilinear_map({int(s[1]), int(s[2]), int(s[3])}, to));
                         },
                     .reference = [=](const HostArrays& in) { return HostArrays{by_shares(in[0], to)}; },
                     .differentiable = false, .dtypes = {DType::f32}});
  };
  add("finer", {2, 5, 4, 6}, {11, 9, 13}, 1);
  add("coarser, halves among the shares", {1, 8, 6, 12}, {4, 3, 6}, 1);
  add("many values", {1, 7, 9, 8}, {9, 7, 11}, 40);
  add("one slice", {2, 1, 9, 7}, {1, 13, 5}, 2);
  add("the same extents", {1, 4, 5, 6}, {4, 5, 6}, 255);
  const auto reject = [&](const char* name, std::function<void()> run, std::vector<std::string> words) {
    rejects.push_back({"resample_labels", name, std::move(run), std::move(words)});
  };
  reject("a float", [] { resample_labels(Tensor::zeros({1, 2, 2, 2}), trilinear_map({2, 2, 2}, {3, 3, 3})); }, {"resample_labels", "u8"});
  reject("a map of another size", [] { resample_labels(Tensor::zeros({1, 2, 2, 2}, DType::u8), trilinear_map({2, 3, 2}, {3, 3, 3})); },
         {"resample_labels", "map of 3 voxels of axis 1"});
  reject("three taps",
         [] {
           SeparableMap m = trilinear_map({3, 3, 3}, {3, 3, 3});
           m.axis[2].rows[1] = {{0, 0.25}, {1, 0.5}, {2, 0.25}};
           resample_labels(Tensor::zeros({1, 3, 3, 3}, DType::u8), m);
         },
         {"resample_labels", "3 taps"});
}
