#include <algorithm>

#include "kernels/conv3d/winograd_plane/winograd_plane_plan.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Conv3dProblem problem(int64_t n, Int3 in, int64_t c, int64_t k, Int3 kernel, Int3 stride, Int3 padding, Int3 dilation = {1, 1, 1}) {
  Conv3dProblem p{.n = n, .c = c, .k = k, .in = in, .kernel = kernel, .stride = stride, .padding = padding, .dilation = dilation};
  for (int a = 0; a < 3; ++a) p.out[a] = (in[a] + 2 * padding[a] - (kernel[a] - 1) * dilation[a] - 1) / stride[a] + 1;
  return p;
}

// All passes of a problem are computed in the plane by AVX2 and AVX-512: in tiles of m positions or, where m is 0, of any.
void wants(const Conv3dProblem& p, WinogradPlaneForm forward, WinogradPlaneForm gradient, int m) {
  const auto check = [&](const ConvGather& g, ConvPass pass, WinogradPlaneForm form) {
    for (int64_t lanes : {16, 8}) {
      CAPTURE(lanes, p.in, p.c, p.k, int(pass));
      const auto tile = winograd_plane_tile(g, lanes, pass);
      REQUIRE(tile);
      CHECK(tile->form == form);
      if (m > 0) CHECK(tile->m == m);
    }
  };
  check(forward_gather(p), ConvPass::gather, forward);
  check(gradient_gather(p), ConvPass::gather, gradient);
  check(forward_gather(p), ConvPass::weight_gradient, forward);
}

}  // namespace

TEST_CASE("the op cases of Winograd's algorithm in the plane are computed by it") {
  const auto strided = WinogradPlaneForm::strided, transposed = WinogradPlaneForm::transposed, plain = WinogradPlaneForm::plain;
  const Int3 all{3, 3, 3}, slice{1, 3, 3}, half{2, 2, 2}, half_plane{1, 2, 2}, one{1, 1, 1}, plane{0, 1, 1};
  wants(problem(1, {5, 31, 38}, 36, 40, all, half, one), strided, transposed, 4);
  wants(problem(2, {8, 20, 16}, 32, 48, all, half, one), strided, transposed, 2);
  wants(problem(1, {6, 24, 20}, 80, 96, all, half, one), strided, transposed, 2);
  wants(problem(1, {6, 25, 28}, 36, 48, all, half_plane, one), strided, transposed, 2);
  wants(problem(1, {11, 31, 34}, 36, 48, all, half, {0, 0, 0}), strided, transposed, 4);
  wants(problem(2, {5, 29, 32}, 48, 64, slice, half_plane, {0, 2, 2}), strided, transposed, 4);
  wants(problem(2, {1, 19, 22}, 20, 24, slice, one, plane), plain, plain, 4);
  wants(problem(2, {3, 6, 6}, 80, 96, slice, one, plane), plain, plain, 2);
  wants(problem(1, {3, 12, 18}, 16, 33, slice, one, {0, 0, 0}), plain, plain, 4);
  wants(problem(1, {9, 16, 17}, 20, 20, all, one, {2, 1, 1}, {2, 1, 1}), plain, plain, 0);
}

TEST_CASE("Winograd's algorithm in the plane is for 3x3 kernels there with strides of 1 or of 2") {
  const Conv3dProblem p = problem(1, {16, 32, 32}, 32, 32, {3, 3, 3}, {2, 2, 2}, {1, 1, 1});
  CHECK(winograd_plane_tile(forward_gather(p), 16));
  const auto none = [](Conv3dProblem q) {
    CHECK_FALSE(winograd_plane_tile(forward_gather(q), 16));
    CHECK_FALSE(winograd_plane_tile(gradient_gather(q), 16));
    CHECK_FALSE(winograd_plane_tile(forward_gather(q), 16, ConvPass::weight_gradient));
  };
  none(problem(1, {16, 32, 32}, 3, 32, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}));
  none(problem(1, {16, 32, 32}, 32, 32, {3, 3, 3}, {1, 1, 2}, {1, 1, 1}));
  none(problem(1, {16, 32, 32}, 32, 32, {3, 3, 3}, {3, 3, 3}, {1, 1, 1}));
  none(problem(1, {16, 32, 32}, 32, 32, {3, 5, 5}, {1, 1, 1}, {1, 2, 2}));
  none(problem(1, {16, 32, 32}, 32, 32, {3, 3, 3}, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}));
  none(problem(1, {16, 32, 32}, 32, 32, {5, 3, 3}, {1, 1, 1}, {8, 1, 1}, {4, 1, 1}));  // 17 planes at a time
  Conv3dProblem grouped = p;
  grouped.groups = 2;
  none(grouped);
  // Few tiles do not pay for the transforms of large weights.
  none(problem(1, {4, 4, 4}, 512, 512, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}));
}

TEST_CASE("Winograd's algorithm in the plane transforms weights where it multiplies them that are large and meet few tiles") {
  const auto streams = [](const Conv3dProblem& p) {
    for (int64_t lanes : {16, 8})
      for (const ConvGather& g : {forward_gather(p), gradient_gather(p)}) {
        CAPTURE(lanes, g.n, g.in, g.inputs);
        const auto tile = winograd_plane_tile(g, lanes);
        REQUIRE(tile);
        if (!winograd_plane_streams(g, *tile, lanes)) return false;
      }
    return true;
  };
  const Int3 all{3, 3, 3}, slice{1, 3, 3}, one{1, 1, 1}, plane{0, 1, 1};
  CHECK(streams(problem(2, {1, 9, 7}, 516, 520, slice, one, plane)));
  CHECK(streams(problem(1, {3, 12, 15}, 300, 310, all, {2, 2, 2}, one)));
  CHECK(streams(problem(4, {1, 7, 7}, 512, 512, slice, one, plane)));
  CHECK_FALSE(streams(problem(4, {1, 14, 14}, 256, 256, slice, one, plane)));    // 9.4 MB, which are kept
  CHECK_FALSE(streams(problem(16, {1, 14, 14}, 512, 512, slice, one, plane)));  // 256 tiles
}

TEST_CASE("the layout of the frequencies of a plane has a place for each, in groups that share a weight") {
  for (const WinogradPlaneForm form : {WinogradPlaneForm::plain, WinogradPlaneForm::strided, WinogradPlaneForm::transposed})
    for (const int m : {2, 4}) {
      const WinogradPlaneTile tile{form, m};
      constexpr int64_t kTiles = 3, kChannels = 32;
      const WinogradPlaneLayout layout(tile, kTiles, kChannels, 16);
      REQUIRE(int(layout.place.size()) == tile.frequencies());
      REQUIRE(int(layout.groups.size()) == tile.weights());
      std::vector<int64_t> places = layout.place, rows;
      std::sort(places.begin(), places.end());
      for (const auto& group : layout.groups)
        for (int64_t r = 0; r < group.rows; ++r) rows.push_back(group.at + r * kTiles * kChannels);
      CHECK(places == rows);
      CHECK(rows.back() + kTiles * kChannels <= layout.size);
    }
}
