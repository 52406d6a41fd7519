#include "infer/tiles.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {
namespace {

std::vector<int64_t> stepped_starts(int64_t extent, int64_t patch, double overlap) {
  const int64_t step = std::max<int64_t>(1, int64_t(double(patch) * (1 - overlap)));
  std::vector<int64_t> starts = {0};
  while (starts.back() + patch < extent) starts.push_back(std::min(starts.back() + step, extent - patch));
  return starts;
}

}  // namespace

std::vector<int64_t> tile_starts(int64_t extent, int64_t patch, double overlap, TilePlaces places) {
  if (extent <= patch) return {0};
  if (places == TilePlaces::stepped) return stepped_starts(extent, patch, overlap);
  const int64_t last = extent - patch;
  const int64_t steps = int64_t(std::ceil(double(last) / std::max(1.0, double(patch) * (1 - overlap))));
  std::vector<int64_t> starts;
  for (int64_t i = 0; i <= steps; ++i) starts.push_back(int64_t(std::nearbyint(double(last) / double(steps) * double(i))));
  return starts;
}

std::vector<double> tile_importance(int64_t patch, TileWeights weights) {
  if (weights == TileWeights::constant) return std::vector<double>(size_t(patch), 1.0);
  const bool floored = weights == TileWeights::floored;
  const double sigma = double(patch) / 8, middle = floored ? double(patch - 1) / 2 : double(patch / 2);
  std::vector<double> g;
  for (int64_t i = 0; i < patch; ++i) {
    const double x = (double(i) - middle) / sigma;
    g.push_back((floored ? 1 : 10) * std::exp(-0.5 * x * x));
  }
  return g;
}

}  // namespace voxgrad
