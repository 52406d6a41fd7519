#include "infer/tiles.h"

#include <cmath>

#include "infer/sliding_window.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
using Starts = std::vector<int64_t>;
}

TEST_CASE("tiles are those of nnU-Net") {
  // compute_steps_for_sliding_window(image, tile, 0.5) of nnU-Net 2.
  CHECK(tile_starts(30, 64, 0.5) == Starts{0});
  CHECK(tile_starts(64, 64, 0.5) == Starts{0});
  CHECK(tile_starts(65, 64, 0.5) == Starts{0, 1});
  CHECK(tile_starts(110, 64, 0.5) == Starts{0, 23, 46});
  CHECK(tile_starts(123, 54, 0.5) == Starts{0, 23, 46, 69});
  CHECK(tile_starts(512, 96, 0.5) == Starts{0, 46, 92, 139, 185, 231, 277, 324, 370, 416});
  CHECK(tile_starts(100, 40, 0) == Starts{0, 30, 60});
}

TEST_CASE("stepped tiles are those of MONAI") {
  // dense_patch_slices of MONAI 1.6 with the scan interval of sliding_window_inference.
  const auto starts = [](int64_t extent, int64_t patch, double overlap) {
    return tile_starts(extent, patch, overlap, TilePlaces::stepped);
  };
  CHECK(starts(30, 32, 0.25) == Starts{0});
  CHECK(starts(32, 32, 0.25) == Starts{0});
  CHECK(starts(33, 32, 0.25) == Starts{0, 1});
  CHECK(starts(56, 32, 0.25) == Starts{0, 24});
  CHECK(starts(57, 32, 0.25) == Starts{0, 24, 25});
  CHECK(starts(100, 40, 0) == Starts{0, 40, 60});
  CHECK(starts(20, 7, 0.6) == Starts{0, 2, 4, 6, 8, 10, 12, 13});
  CHECK(starts(7, 4, 0.9) == Starts{0, 1, 2, 3});
}

TEST_CASE("importance is a gaussian with its maximum of 10 at the middle") {
  const auto g = tile_importance(16);
  CHECK(g[8] == 10);
  CHECK(g[10] == Approx(10 * std::exp(-0.5)));
  CHECK(g[0] == Approx(10 * std::exp(-8.0)));
  CHECK(g[6] == g[10]);
}

TEST_CASE("floored importance lies between the two voxels in the middle and is a thousandth at the corners") {
  const auto g = tile_importance(16, TileWeights::floored);
  CHECK(g[7] == g[8]);
  CHECK(g[0] == g[15]);
  // compute_importance_map((16,), mode="gaussian") of MONAI 1.6
  CHECK(g[8] == Approx(0.9692332).epsilon(1e-6));
  CHECK(g[3] == Approx(0.0795595).epsilon(1e-6));

  // Where a tile says 1 and the others 0, the mean is its share of the importance.
  const Int3 patch = {4, 4, 8};
  int calls = 0;
  const Net first_alone = [&](const Tensor& x) { return Tensor::full(x.shape(), calls++ == 0 ? 1 : 0); };
  const Tensor y = sliding_window(first_alone, Tensor::arange(6 * 4 * 12).reshape({6, 4, 12, 1}),
                                  {.patch = patch, .places = TilePlaces::stepped, .weights = TileWeights::floored});
  const auto along = [&](int64_t n, int64_t i) { return tile_importance(n, TileWeights::floored)[size_t(i)]; };
  int floored = 0;
  for (int64_t d = 0; d < 6; ++d)
    for (int64_t h = 0; h < 4; ++h)
      for (int64_t w = 0; w < 12; ++w) {
        double all = 0, of_first = 0;
        for (int64_t sd : {0, 2})
          for (int64_t sw : {0, 4}) {
            if (d < sd || d >= sd + 4 || w < sw || w >= sw + 8) continue;
            const double product = along(4, d - sd) * along(4, h) * along(8, w - sw);
            floored += product < kLeastImportance;
            all += std::max(product, kLeastImportance);
            if (sd == 0 && sw == 0) of_first = std::max(product, kLeastImportance);
          }
        CHECK(y.values()[size_t((d * 4 + h) * 12 + w)] == Approx(of_first / all).margin(1e-6));
      }
  CHECK(floored > 100);
}
