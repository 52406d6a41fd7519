#include "data/resample/resample_centres.h"

#include "data/normalize.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("resampling by centres keeps the first one, is linear between, and ends with the last") {
  const Tensor x = Tensor::from({0, 10, 20, 30}, {4, 1, 1, 1});
  const auto along_d = [&](int size, double from, double to) {
    return resample_centres(x, {size, 1, 1}, {from, 1, 1}, {to, 1, 1}).values();
  };
  CHECK(along_d(7, 2, 1) == std::vector<double>{0, 5, 10, 15, 20, 25, 30});
  CHECK(along_d(3, 1, 1.5) == std::vector<double>{0, 15, 30});
  CHECK(along_d(4, 1, 1.5) == std::vector<double>{0, 15, 30, 30});
  // The other axes, with channels side by side.
  const Tensor y = resample_centres(Tensor::from({0, 1, 4, 5, 8, 9, 12, 13}, {1, 2, 2, 2}), {1, 3, 3}, {1, 1, 1}, {1, 0.5, 0.5});
  CHECK(y.values() == std::vector<double>{0, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13});
}

TEST_CASE("zscore_nonzero standardises each channel by its own voxels that are not 0, and leaves the others") {
  const Tensor x = Tensor::from({0, 1, 2, 0, 4, 3}, {3, 1, 1, 2});
  normalize(x, {{.kind = "zscore_nonzero"}, {.kind = "zscore_nonzero"}});
  const std::vector<double> v = x.values(), wanted = {0, -1, -1, 0, 1, 1};
  for (size_t i = 0; i < v.size(); ++i) CHECK(std::abs(v[i] - wanted[i]) < 1e-6);
}
