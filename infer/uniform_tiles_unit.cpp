#include "infer/uniform_tiles.h"

#include <cmath>

#include "core/rng.h"
#include "infer/sliding_window.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

// 8 x 8 x 24 voxels of -1 but for 2 in the first 8 along W, with noise of so much.
Tensor image_with(float noise) {
  const Tensor out = Tensor::empty({8, 8, 24, 1});
  Rng rng(5);
  float* x = out.view().as<float>();
  for (int64_t i = 0; i < out.count(); ++i) x[i] = (i % 24 < 8 && i / 24 % 8 > 1 ? 2.f : -1.f) + noise * float(rng.uniform(-1, 1));
  return out;
}

struct Counted {
  int tiles = 0;
  Net net = [this](const Tensor& x) {
    tiles += int(x.dim(0));
    return square(x);
  };
};

}  // namespace

TEST_CASE("tiles that are one value are computed once, with the bits that each would have") {
  const Tensor image = image_with(0);
  for (bool mirror : {false, true}) {
    SlidingWindowOptions o{.patch = {8, 8, 8}, .mirror = {false, false, mirror}};
    Counted once, each;
    const Tensor y = sliding_window(once.net, image, o);  // tiles at 0, 4, 8, 12, 16 along W, of which three are empty
    CHECK(once.tiles == (mirror ? 5 : 3));
    o.batch = 2;  // of batches none is left out
    CHECK(sliding_window(each.net, image, o).values() == y.values());
    CHECK(each.tiles == (mirror ? 10 : 5));
  }
}

TEST_CASE("tiles near the background get what one of background gives where that is asked for") {
  const Tensor image = image_with(0.01f);  // the range is 3.02
  SlidingWindowOptions o{.patch = {8, 8, 8}, .overlap = 0};
  Counted all, some;
  const Tensor y = sliding_window(all.net, image, o);
  CHECK(all.tiles == 3);
  o.skip_empty = true;
  const Tensor z = sliding_window(some.net, image, o);
  CHECK(some.tiles == 2);
  const auto a = y.data<float>(), b = z.data<float>(), x = image.data<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % 24 < 8) CHECK(a[i] == b[i]);
    else CHECK(b[i] == b[8]);
  }
  CHECK(std::abs(b[8] - 1) < 0.03);
  // Noise of more than 1 % is no background.
  Counted noisy;
  sliding_window(noisy.net, image_with(0.1f), o);
  CHECK(noisy.tiles == 3);
}

TEST_CASE("a tile of one value in the middle of an object is not background") {
  Tensor image = Tensor::full({8, 8, 24, 1}, -1);
  float* x = image.mutable_data<float>().data();
  for (int64_t i = 0; i < image.count(); ++i)
    if (i % 24 >= 8 && i % 24 < 16) x[i] = 3;
  Counted net;
  sliding_window(net.net, image, {.patch = {8, 8, 8}, .overlap = 0, .skip_empty = true});
  CHECK(net.tiles == 2);  // the object and one of two of background
}

TEST_CASE("tiles of one value are told apart") {
  Tensor image = Tensor::full({8, 8, 32, 1}, 2);
  float* x = image.mutable_data<float>().data();
  for (int64_t i = 0; i < image.count(); ++i)
    if (i % 32 >= 16) x[i] = 3;
  Counted net;
  const auto y = sliding_window(net.net, image, {.patch = {8, 8, 8}, .overlap = 0}).values();
  CHECK(net.tiles == 2);
  for (size_t i = 0; i < y.size(); ++i) CHECK(std::abs(y[i] - (i % 32 < 16 ? 4 : 9)) < 1e-5);
}
