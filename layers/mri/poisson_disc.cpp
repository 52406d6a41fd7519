#include "layers/mri/poisson_disc.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace voxgrad {
namespace {

constexpr int kMostTries = 24;
constexpr double kNearEnough = 0.02;  // of the number wanted

struct DiscGrid {
  int64_t rows, columns;
  std::vector<uint8_t> middle;   // 1 where all is measured
  std::vector<int64_t> order;    // that places are visited in
};

// The places taken for a growth of the distances.
std::vector<uint8_t> places_for(const DiscGrid& g, double growth) {
  std::vector<uint8_t> taken(g.middle.size(), 0);
  const auto free_around = [&](int64_t y, int64_t x, double distance) {
    const int64_t reach = int64_t(std::ceil(distance)) - 1;
    for (int64_t v = std::max<int64_t>(0, y - reach); v <= std::min(g.rows - 1, y + reach); ++v)
      for (int64_t u = std::max<int64_t>(0, x - reach); u <= std::min(g.columns - 1, x + reach); ++u)
        if (taken[size_t(v * g.columns + u)] && double((v - y) * (v - y) + (u - x) * (u - x)) < distance * distance) return false;
    return true;
  };
  for (const int64_t i : g.order) {
    const int64_t y = i / g.columns, x = i % g.columns;
    const double down = double(y - g.rows / 2) / (double(g.rows) / 2), across = double(x - g.columns / 2) / (double(g.columns) / 2);
    if (free_around(y, x, std::max(1.0, growth * (0.5 + std::sqrt(down * down + across * across))))) taken[size_t(i)] = 1;
  }
  for (size_t i = 0; i < taken.size(); ++i) taken[i] |= g.middle[i];
  return taken;
}

std::vector<uint8_t> middle_of(int64_t rows, int64_t columns, double fraction) {
  const int64_t high = int64_t(std::nearbyint(double(rows) * fraction)), wide = int64_t(std::nearbyint(double(columns) * fraction));
  const int64_t top = (rows - high + 1) / 2, left = (columns - wide + 1) / 2;
  std::vector<uint8_t> out(size_t(rows * columns), 0);
  for (int64_t y = top; y < top + high; ++y) std::fill_n(out.begin() + y * columns + left, wide, 1);
  return out;
}

}  // namespace

std::vector<uint8_t> poisson_disc_mask(int64_t rows, int64_t columns, const PoissonDiscOptions& o, Rng rng) {
  check(rows >= 1 && columns >= 1 && o.acceleration >= 1 && o.centre_fraction >= 0 && o.centre_fraction <= 1, "poisson_disc_mask: ", rows,
        " x ", columns, " places, accelerated by ", o.acceleration, " with ", o.centre_fraction, " of rows and columns in the middle");
  DiscGrid g{rows, columns, middle_of(rows, columns, o.centre_fraction), std::vector<int64_t>(size_t(rows * columns))};
  std::iota(g.order.begin(), g.order.end(), 0);
  for (size_t i = g.order.size(); i > 1; --i) std::swap(g.order[i - 1], g.order[size_t(rng.below(int64_t(i)))]);
  const double wanted = double(rows * columns) / o.acceleration;
  const auto count_of = [](const std::vector<uint8_t>& m) { return double(std::count(m.begin(), m.end(), 1)); };
  std::vector<uint8_t> best = places_for(g, 0);
  double low = 0, high = 0;  // high 0: not known
  for (int tries = 0; tries < kMostTries && std::abs(count_of(best) - wanted) > kNearEnough * wanted; ++tries) {
    const double growth = high > 0 ? (low + high) / 2 : low > 0 ? 2 * low : 0.5;
    std::vector<uint8_t> mask = places_for(g, growth);
    (count_of(mask) > wanted ? low : high) = growth;
    if (std::abs(count_of(mask) - wanted) < std::abs(count_of(best) - wanted)) best = std::move(mask);
    if (growth > double(std::max(rows, columns))) break;  // nothing but the middle is left
  }
  return best;
}

}  // namespace voxgrad
