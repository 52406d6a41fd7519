// grid_sample3d and dropout against their definitions.
#include <cmath>

#include "core/autograd.h"
#include "core/device/isa.h"
#include "core/rng.h"
#include "kernels/dropout/dropout.h"
#include "kernels/grid_sample3d/grid_sample3d.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

using Values = std::vector<double>;

// One row of a volume, sampled along the width at these grid values.
Values sampled(const Values& v, const Values& grid, const GridSample3dOptions& o) {
  const Tensor x = Tensor::from(v, {1, 1, 1, int64_t(v.size()), 1});
  Values points;
  for (double g : grid) points.insert(points.end(), {g, 0, 0});
  return grid_sample3d(x, Tensor::from(points, {1, 1, 1, int64_t(grid.size()), 3}), o).values();
}
bool near(const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) < 1e-5)) return false;
  return true;
}

}  // namespace

TEST_CASE("grid_sample3d at the voxel centres gives the volume, with its axes in the order w, h, d") {
  const Shape s = {2, 3, 4, 5, 2};
  Values v(static_cast<size_t>(s.count())), grid;
  for (size_t i = 0; i < v.size(); ++i) v[i] = double(i);
  const Tensor x = Tensor::from(v, s);
  for (bool aligned : {false, true}) {
    grid.clear();
    const auto place = [&](int i, int n) { return aligned ? 2.0 * i / (n - 1) - 1 : (2.0 * i + 1) / n - 1; };
    for (int n = 0; n < 2; ++n)
      for (int d = 0; d < 3; ++d)
        for (int h = 0; h < 4; ++h)
          for (int w = 0; w < 5; ++w) grid.insert(grid.end(), {place(w, 5), place(h, 4), place(d, 3)});
    const Tensor points = Tensor::from(grid, {2, 3, 4, 5, 3});
    for (GridMode mode : {GridMode::bilinear, GridMode::nearest})
      for (GridPadding padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection}) {
        const Values y = grid_sample3d(x, points, {.mode = mode, .padding = padding, .align_corners = aligned}).values();
        bool same = true;
        for (size_t i = 0; i < v.size(); ++i) same = same && std::abs(y[i] - v[i]) < 1e-3;
        CHECK(same);
      }
  }
}

TEST_CASE("grid_sample3d between and outside of voxels") {
  // Extent 4: voxel centres at -0.75, -0.25, 0.25, 0.75; with align_corners at -1, -1/3, 1/3, 1.
  const Values v = {1, 2, 4, 8}, grid = {-0.5, 0, -1, -1.25, 1, 1.5, 2.25};
  CHECK(near(sampled(v, grid, {}), {1.5, 3, 0.5, 0, 4, 0, 0}));
  CHECK(near(sampled(v, grid, {.padding = GridPadding::border}), {1.5, 3, 1, 1, 8, 8, 8}));
  // Voxel coordinates 0.5, 1.5, -0.5, -1, 3.5, 4.5, 6; mirrored at -0.5 and 3.5 to 0.5, 1.5, -0.5, 0, 3.5, 2.5, 1 and clamped.
  CHECK(near(sampled(v, grid, {.padding = GridPadding::reflection}), {1.5, 3, 1, 1, 8, 6, 2}));
  // 0.75, 1.5, 0, -0.375, 3, 3.75, 4.875; mirrored at 0 and 3 to 0.75, 1.5, 0, 0.375, 3, 2.25, 1.125.
  CHECK(near(sampled(v, grid, {.align_corners = true}), {1.75, 3, 1, 0.625, 8, 2, 0}));
  CHECK(near(sampled(v, grid, {.padding = GridPadding::reflection, .align_corners = true}), {1.75, 3, 1, 1.375, 8, 5, 2.25}));
  CHECK(near(sampled(v, {-0.6, -0.4, 0.9, 1.2}, {.mode = GridMode::nearest}), {1, 2, 8, 0}));
}

TEST_CASE("grid_sample3d survives coordinates that are no numbers") {
  for (GridPadding padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
    for (GridMode mode : {GridMode::bilinear, GridMode::nearest}) {
      const Values y = sampled({1, 2, 4, 8}, {NAN, INFINITY, -INFINITY, 1e30}, {.mode = mode, .padding = padding});
      for (double value : y) CHECK(std::isfinite(value));
      if (padding == GridPadding::zeros) CHECK(y == Values{0, 0, 0, 0});
      if (padding == GridPadding::border) CHECK(y == Values{1, 8, 1, 8});
    }
}

TEST_CASE("dropout keeps the elements that Philox says, on every instruction set") {
  const int64_t n = 20001;
  const double p = 0.3;
  const Rng rng = Rng(9).at(4, 2);
  Tensor x = Tensor::full({n}, 2);
  x.require_grad();
  const Isa before = isa();
  for (Isa i : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (i > best_isa()) continue;
    set_isa(i);
    const Tensor y = dropout(x, p, rng);
    const Values v = y.values();
    int64_t kept = 0;
    bool right = true;
    for (int64_t k = 0; k < n; ++k) {
      const Random128 r = philox(rng.key(), uint64_t(k / 4), rng.counter());
      const bool keep = double(r.word[k % 4]) >= std::llround(p * 0x1p32);
      right = right && v[size_t(k)] == (keep ? double(2 * float(1 / (1 - p))) : 0.0);
      kept += keep;
    }
    CHECK(right);
    // Five standard deviations of a binomial.
    CHECK(std::abs(double(kept) / double(n) - (1 - p)) < 5 * std::sqrt(p * (1 - p) / double(n)));
    x.clear_grad();
    backward(y, Tensor::full({n}, 2));
    CHECK(x.grad().values() == v);
  }
  set_isa(before);
}

TEST_CASE("dropout: other sources differ, whole channels, inference") {
  const Tensor x = Tensor::full({4, 3, 5, 16}, 1);
  Rng rng(1);
  const Tensor first = dropout(x, 0.5, rng.split()), second = dropout(x, 0.5, rng.split());
  CHECK(first.values() != second.values());
  const Values v = dropout(x, 0.5, Rng(3), {.per_channel = true}).values();
  int dropped = 0;
  bool whole = true;
  for (size_t n = 0; n < 4; ++n)
    for (size_t c = 0; c < 16; ++c) {
      dropped += v[n * 240 + c] == 0;
      for (size_t i = 0; i < 15; ++i) whole = whole && v[n * 240 + i * 16 + c] == v[n * 240 + c];
    }
  CHECK(whole);
  CHECK((dropped > 12 && dropped < 52));  // 32 expected, standard deviation 4
  CHECK(dropout(Tensor::from({INFINITY, NAN}, {2}), 1, Rng(0)).values() == Values{0, 0});
  Inference scope;
  CHECK(dropout(x, 0.5, Rng(3)).shares_memory_with(x));
  CHECK_FALSE(dropout(x, 0.5, Rng(3), {.always = true}).shares_memory_with(x));
}
