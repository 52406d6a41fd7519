#include "infer/resampled_rows.h"

#include "data/resample/resample_nnunet.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/random/random.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// What comes out of the sink, its rows being given `at_once` by `at_once`.
std::vector<double> streamed(const SeparableMap& map, const Tensor& x, int64_t at_once, int64_t slab) {
  std::vector<double> out;
  int64_t wanted = 0;
  ResampledRows sink(
      map,
      [&](int64_t first, int64_t rows, const float* values, int64_t channels) {
        CHECK(first == wanted);
        wanted += rows;
        const int64_t count = rows * int64_t(map.axis[1].rows.size()) * int64_t(map.axis[2].rows.size()) * channels;
        CHECK((rows == 1 || count * 4 <= slab));
        out.insert(out.end(), values, values + count);
      },
      slab);
  const int64_t plane = x.shape().count(1, 4);
  for (int64_t first = 0; first < x.dim(0); first += at_once)
    sink(first, std::min(at_once, x.dim(0) - first), x.data<float>().data() + first * plane, x.dim(3));
  return out;
}

}  // namespace

TEST_CASE("rows are resampled slab by slab to the bits of the whole volume") {
  const Int3 in = {7, 5, 6};
  const Tensor x = randn({in.d, in.h, in.w, 3}, Rng(4));
  const Tensor batch = x.reshape({1, in.d, in.h, in.w, 3});
  for (const Int3& size : {Int3{13, 9, 6}, Int3{7, 5, 6}, Int3{3, 2, 11}, Int3{1, 5, 6}, Int3{40, 3, 3}})
    for (const SeparableMap& map : {trilinear_map(in, size), nnunet_map(in, size, {}), nnunet_map(in, size, {.from = {5, 1, 1}})}) {
      const std::vector<double> whole = apply(map, batch).values();
      for (const int64_t at_once : {1, 3, 7})
        for (const int64_t slab : {1, 700, 1 << 20}) CHECK(streamed(map, x, at_once, slab) == whole);
    }
}

TEST_CASE("rows that are resampled come in their order") {
  const Tensor x = Tensor::zeros({4, 2, 2, 3});
  const float* values = x.data<float>().data();
  ResampledRows sink(trilinear_map({4, 2, 2}, {8, 2, 2}), [](int64_t, int64_t, const float*, int64_t) {});
  sink(0, 1, values, 3);
  CHECK_THROWS_WITH(sink(0, 1, values, 3), Contains("rows 0 to 1") && Contains("after row 1 of 4"));
  CHECK_THROWS_WITH(sink(1, 4, values, 3), Contains("rows 1 to 5"));
  CHECK_THROWS_WITH(sink(1, 1, values, 2), Contains("2 channels come after 3"));
}
