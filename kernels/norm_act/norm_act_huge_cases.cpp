#include <cmath>

#include "core/device/parallel.h"
#include "kernels/norm_act/norm_act.h"
#include "tests/op_case.h"

using namespace voxgrad;

// Instance norm of the pattern {1, D, H, W, C}, whose channels have the mean m and the deviation s, followed by leaky ReLU; then, for a
// gradient that is the pattern shifted by one element, gx = (g' - mean(g') - z mean(g' z)) / s with z = (x - m) / s, g' = gy act'(z).
HUGE_CASES(norm_act) {
  cases.push_back({"norm_act", "instance norm of bf16, forward and backward", 9, [](Device d, int64_t n) {
                     constexpr int64_t kChannels = 8, kChunk = 1 << 14;
                     constexpr double kSlope = 0.25, kEps = 1e-5;
                     const int64_t side = std::max<int64_t>(2, int64_t(std::cbrt(double(n) / kChannels)));
                     const int64_t depth = n / kChannels / side / side + 1;
                     const Shape shape{1, depth, side, side, kChannels};
                     const int64_t voxels = depth * side * side, count = voxels * kChannels;
                     const auto at = [](int64_t i) { return pattern_at(DType::bf16, i); };
                     const auto channel_means = [&](auto value) {
                       std::vector<double> partial(size_t(chunk_count(voxels, kChunk) * kChannels), 0.0), means(kChannels, 0.0);
                       parallel_chunks(voxels, kChunk, [&](int64_t chunk, int64_t begin, int64_t end) {
                         for (int64_t i = begin * kChannels; i < end * kChannels; ++i)
                           partial[size_t(chunk * kChannels + i % kChannels)] += value(i);
                       });
                       for (size_t i = 0; i < partial.size(); ++i) means[i % kChannels] += partial[i] / double(voxels);
                       return means;
                     };
                     const std::vector<double> m = channel_means(at);
                     const auto centred = [&](int64_t i) { return at(i) - m[size_t(i % kChannels)]; };
                     std::vector<double> s = channel_means([&](int64_t i) { return centred(i) * centred(i); });
                     for (double& v : s) v = std::sqrt(v + kEps);
                     const auto z = [&](int64_t i) { return centred(i) / s[size_t(i % kChannels)]; };

                     Tensor x = pattern(shape, DType::bf16, d).require_grad();
                     const Tensor one = Tensor::full({kChannels}, 1, DType::f32, d), zero = Tensor::zeros({kChannels}, DType::f32, d);
                     const Tensor y = instance_norm_act(x, one, zero, {}, {.slope = kSlope, .eps = kEps});
                     const double limit = 2 * epsilon_of(DType::bf16);
                     const std::string fault = sampled_fault(
                         y.detach(), [&](int64_t i) { return z(i) > 0 ? z(i) : kSlope * z(i); }, limit);
                     if (!fault.empty()) return fault;

                     const Tensor gy = pattern({count + 1}, DType::bf16, Device{}).rows(1, count + 1).clone().reshape(shape).to(d);
                     backward(y, gy);
                     const auto g = [&](int64_t i) { return at(i + 1) * (z(i) > 0 ? 1 : kSlope); };
                     const std::vector<double> mean_g = channel_means(g), mean_gz = channel_means([&](int64_t i) { return g(i) * z(i); });
                     const auto gx = [&](int64_t i) {
                       const size_t c = size_t(i % kChannels);
                       return (g(i) - mean_g[c] - z(i) * mean_gz[c]) / s[c];
                     };
                     return sampled_fault(x.grad(), gx, limit);
                   }});
}
