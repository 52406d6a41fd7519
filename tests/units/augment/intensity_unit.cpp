#include <algorithm>

#include "tests/sample_helpers.h"

using namespace voxgrad;

namespace {

struct Moments {
  double mean = 0, deviation = 0, low = 1e300, high = -1e300;
};
Moments moments_of(const Tensor& image, int channel) {
  Moments m;
  const auto x = image.values();
  const int64_t channels = image.dim(3), n = image.count() / channels;
  for (int64_t i = 0; i < n; ++i) {
    const double v = x[size_t(i * channels + channel)];
    m.mean += v / double(n);
    m.low = std::min(m.low, v);
    m.high = std::max(m.high, v);
  }
  for (int64_t i = 0; i < n; ++i) m.deviation += std::pow(x[size_t(i * channels + channel)] - m.mean, 2) / double(n - 1);
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// Applies f to one channel of an image and to its values in double by `want`; the other channel must not change. On every
// instruction set, with sizes that do not fill vectors.
template <class F, class Want>
void check_channel(F&& f, Want&& want, double limit) {
  for (Isa i : isas()) {
    const IsaScope scope(i);
    const Sample s = random_sample({5, 7, 11}, 2, 3);
    const Tensor before = s.image().clone();
    f(s.image(), 1);
    const auto x = s.image().values(), old = before.values();
    std::vector<double> channel;
    for (size_t k = 1; k < old.size(); k += 2) channel.push_back(old[k]);
    const std::vector<double> expected = want(channel, moments_of(before, 1));
    double error = 0, other = 0;
    for (size_t k = 0; k < expected.size(); ++k) {
      other += std::abs(x[2 * k] - old[2 * k]);
      error = std::max(error, std::abs(x[2 * k + 1] - expected[k]));
      REQUIRE(std::isfinite(x[2 * k + 1]));
    }
    CHECK(other == 0);
    CHECK(!(error > limit));

    // The same channel alone, as an image of one channel.
    Tensor alone = Tensor::from(channel, {5, 7, 11, 1});
    f(alone, 0);
    double apart = 0;
    for (size_t k = 0; k < expected.size(); ++k) apart += std::abs(alone.values()[k] - x[2 * k + 1]);
    CHECK(!(apart > 0));
  }
}

using Values = std::vector<double>;

}  // namespace

TEST_CASE("noise is normal, independent, and the same on every instruction set") {
  const Tensor x = Tensor::full({40, 50, 60, 1}, 2);
  add_gaussian_noise(x, 0.5, Rng(1));
  const Moments m = moments_of(x, 0);
  const double n = double(x.count());
  CHECK(std::abs(m.mean - 2) < 5 * 0.5 / std::sqrt(n));
  CHECK(std::abs(m.deviation - 0.5) < 5 * 0.5 / std::sqrt(2 * n));
  const auto v = x.values();
  double neighbours = 0, fourth = 0;
  for (size_t i = 1; i < v.size(); ++i) neighbours += (v[i] - 2) * (v[i - 1] - 2) / (0.25 * n), fourth += std::pow((v[i] - 2) / 0.5, 4) / n;
  CHECK(std::abs(neighbours) < 5 / std::sqrt(n));
  CHECK(std::abs(fourth - 3) < 5 * std::sqrt(96 / n));
  for (Isa i : isas()) {
    const IsaScope scope(i);
    const Tensor y = Tensor::full({40, 50, 60, 1}, 2);
    add_gaussian_noise(y, 0.5, Rng(1));
    CHECK(same(x, y));
  }
}

TEST_CASE("brightness and contrast follow their formulas") {
  check_channel([](const Tensor& x, int c) { multiply_brightness(x, c, 1.25); },
                [](Values v, Moments) {
                  for (auto& x : v) x *= 1.25;
                  return v;
                },
                1e-6);
  check_channel([](const Tensor& x, int c) { adjust_contrast(x, c, 1.5, false); },
                [](Values v, Moments m) {
                  for (auto& x : v) x = m.mean + 1.5 * (x - m.mean);
                  return v;
                },
                2e-6);
  check_channel([](const Tensor& x, int c) { adjust_contrast(x, c, 1.5); },
                [](Values v, Moments m) {
                  for (auto& x : v) x = std::clamp(m.mean + 1.5 * (x - m.mean), m.low, m.high);
                  return v;
                },
                2e-6);
}

TEST_CASE("gamma follows its formula, inverted or not, and retains mean and deviation") {
  for (double gamma : {0.7, 1.0, 1.5, 3.0})
    for (bool invert : {false, true}) {
      const auto want = [&](Values v, Moments m) {
        const double sign = invert ? -1 : 1, low = invert ? -m.high : m.low, range = m.high - m.low;
        for (auto& x : v) x = sign * (std::pow((sign * x - low) / range, gamma) * range + low);
        return v;
      };
      check_channel([&](const Tensor& x, int c) { adjust_gamma(x, c, {.gamma = gamma, .invert = invert, .retain_stats = false}); }, want,
                    8e-6);
      check_channel([&](const Tensor& x, int c) { adjust_gamma(x, c, {.gamma = gamma, .invert = invert}); },
                    [&](Values v, Moments before) {
                      v = want(v, before);
                      double mean = 0, squares = 0;
                      for (double x : v) mean += x / double(v.size());
                      for (double x : v) squares += (x - mean) * (x - mean) / double(v.size() - 1);
                      for (auto& x : v) x = before.mean + (x - mean) * before.deviation / std::sqrt(squares);
                      return v;
                    },
                    8e-6);
    }
  const Tensor flat = Tensor::full({3, 3, 3, 1}, 4);
  adjust_gamma(flat, 0, {.gamma = 0.8});
  CHECK(!(difference(flat, Tensor::full({3, 3, 3, 1}, 4)) > 1e-6));
}

TEST_CASE("blur is a normalised separable Gaussian on the reflected volume") {
  const Double3 sigma = {0.5, 1.0, 0.75};
  // Kernels of 3 (3.5 rounds down to odd), 7 and 5 taps.
  const int half[3] = {1, 3, 2};
  check_channel([&](const Tensor& x, int c) { gaussian_blur(x, c, sigma); },
                [&](Values v, Moments) {
                  const int size[3] = {5, 7, 11};
                  const int64_t stride[3] = {77, 11, 1};
                  for (int a = 0; a < 3; ++a) {
                    Values out(v.size(), 0.0);
                    double total = 0;
                    for (int k = -half[a]; k <= half[a]; ++k) total += std::exp(-0.5 * k * k / (sigma[size_t(a)] * sigma[size_t(a)]));
                    for (int64_t i = 0; i < int64_t(v.size()); ++i) {
                      const int at = int(i / stride[a] % size[a]);
                      for (int k = -half[a]; k <= half[a]; ++k) {
                        int from = std::abs(at + k);
                        if (from >= size[a]) from = 2 * (size[a] - 1) - from;
                        out[size_t(i)] +=
                            std::exp(-0.5 * k * k / (sigma[size_t(a)] * sigma[size_t(a)])) / total * v[size_t(i + (from - at) * stride[a])];
                      }
                    }
                    v = out;
                  }
                  return v;
                },
                2e-6);
  const Tensor x = random_sample({4, 5, 6}, 1, 1).image(), before = x.clone();
  gaussian_blur(x, 0, {0, 0, 0});
  CHECK(same(x, before));
  const Tensor tiny = Tensor::full({1, 2, 3, 1}, 5);  // kernels far larger than the volume
  gaussian_blur(tiny, 0, {4, 4, 4});
  CHECK(!(difference(tiny, Tensor::full({1, 2, 3, 1}, 5)) > 1e-5));
}

TEST_CASE("low resolution: nearest down, trilinear up") {
  // 5 x 7 x 11 at 0.5: round half to even gives 2 x 4 x 6.
  check_channel(
      [](const Tensor& x, int c) {
        simulate_low_resolution(x, c, {0.5, 0.5, 0.5});
      },
      [](const Values& v, Moments) {
        const int size[3] = {5, 7, 11}, low[3] = {2, 4, 6};
        const int64_t stride[3] = {77, 11, 1};
        Values out(v.size(), 0.0);
        for (int64_t i = 0; i < int64_t(v.size()); ++i)
          for (int tap = 0; tap < 8; ++tap) {
            double weight = 1;
            int64_t source = 0;
            for (int a = 0; a < 3; ++a) {
              const double ratio = double(size[a]) / low[a], at = std::max(0.0, (double(i / stride[a] % size[a]) + 0.5) / ratio - 0.5);
              const int lower = int(at), coarse = std::min(low[a] - 1, lower + (tap >> a & 1));
              weight *= tap >> a & 1 ? at - lower : 1 - (at - lower);
              source += int64_t((coarse + 0.5) * ratio) * stride[a];
            }
            out[size_t(i)] += weight * v[size_t(source)];
          }
        return out;
      },
      2e-6);
  const Tensor x = random_sample({4, 5, 6}, 1, 1).image(), before = x.clone();
  simulate_low_resolution(x, 0, {1, 1, 1});
  CHECK(!(difference(x, before) > 1e-6));
}

TEST_CASE("each transform of augment fires as often as its probability says") {
  const Sample s = random_sample({6, 6, 6}, 1, 2);
  const std::pair<std::string, double> cases[] = {{"noise", 0.1},
                                                  {"blur", 0.2 * 0.5},
                                                  {"brightness", 0.15},
                                                  {"contrast", 0.15},
                                                  {"low_resolution", 0.25 * 0.5},
                                                  {"inverted_gamma", 0.1},
                                                  {"gamma", 0.3}};
  for (const auto& [name, expected] : cases) {
    Augmentation o;
    o.order = {name};
    int changed = 0;
    constexpr int kTimes = 1000;
    for (uint64_t k = 0; k < kTimes; ++k) changed += !same(augment(s, o, Rng(k)).image(), s.image());
    INFO(name << ": " << changed << " of " << kTimes);
    // At scale 0.95 and above 6 voxels stay 6: low resolution then changes nothing, a tenth of the time or less.
    const double slack = 5 * std::sqrt(kTimes * expected * (1 - expected)) + (name == "low_resolution" ? 25 : 0);
    CHECK(std::abs(changed - kTimes * expected) < slack);
  }
}
