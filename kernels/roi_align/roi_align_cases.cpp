#include "kernels/roi_align/roi_align.h"

#include <algorithm>
#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// Trilinear, place by place.
double value_at(const HostArray& x, int64_t n, const double (&at)[3], int64_t c) {
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    int64_t v[3];
    for (int a = 0; a < 3; ++a) {
      const int64_t size = x.dim(a + 1);
      if (at[a] < -1 || at[a] > double(size)) return 0;
      const double inside = std::clamp(at[a], 0.0, double(size - 1));
      const double low = std::floor(inside);
      const bool upper = corner >> a & 1;
      v[a] = std::min<int64_t>(int64_t(low) + upper, size - 1);
      weight *= upper ? inside - low : 1 - (inside - low);
    }
    sum += weight * x.at(n, v[0], v[1], v[2], c);
  }
  return sum;
}

}  // namespace

OP_CASES(roi_align) {
  // Boxes of a corner and sizes, in tens of voxels.
  const auto add_case = [&](const char* name, const Shape& s, int64_t rois, const Int3& size, int samples, double low) {
    cases.push_back({.op = "roi_align", .name = name,
                     .inputs = {{.shape = s}, {.shape = {rois, 6}, .role = Role::label, .low = 0, .high = 80},
                                {.shape = {rois}, .role = Role::label, .low = 0, .high = double(s[0] - 1)}},
                     .run =
                         [=](const Tensors& in) {
                           const Tensor u = affine(in[1].to(accum_of(in[0].dtype())), 0.1, low);
                           return roi_align(in[0], u, in[2], {.size = size, .samples = samples});
                         },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array({rois, size.d, size.h, size.w, s[4]}, [&](const Index& i) {
                             double sum = 0;
                             for (int k = 0; k < samples * samples * samples; ++k) {
                               const int step[3] = {k / samples / samples, k / samples % samples, k % samples};
                               double at[3];
                               for (int a = 0; a < 3; ++a) {
                                 const double begin = in[1].at(i[0], a) * 0.1 + low, end = in[1].at(i[0], a + 3) * 0.1 + low;
                                 at[a] = begin + (end - begin) * (double(i[size_t(a) + 1]) + (step[a] + 0.5) / samples) / size[a];
                               }
                               sum += value_at(in[0], int64_t(in[2].at(i[0])), at, i[4]);
                             }
                             return sum / (samples * samples * samples);
                           })};
                         },
                     .terms = 64 * rois});
  };
  add_case("boxes in two volumes", {2, 7, 8, 9, 3}, 5, {3, 2, 4}, 2, 0);
  add_case("boxes that reach outside", {1, 5, 5, 4, 2}, 6, {2, 2, 2}, 2, -2.5);
  add_case("slices, one sample", {2, 1, 9, 8, 4}, 3, {1, 3, 3}, 1, -0.5);
  const auto reject = [&](const char* name, std::function<void()> run, std::vector<std::string> words) {
    rejects.push_back({"roi_align", name, std::move(run), std::move(words)});
  };
  reject("an image that does not exist",
         [] { roi_align(Tensor::zeros({2, 3, 3, 3, 1}), Tensor::zeros({1, 6}), Tensor::full({1}, 2, DType::i64)); },
         {"roi_align", "the image 2", "there are 2"});
  reject("boxes of four numbers", [] { roi_align(Tensor::zeros({1, 3, 3, 3, 1}), Tensor::zeros({1, 4}), Tensor::zeros({1}, DType::u8)); },
         {"roi_align", "{1, 4}"});
}
