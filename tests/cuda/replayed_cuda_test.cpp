// Recorded work on a CUDA device: the bits of work that is launched one by one, and a clean way back where it cannot be recorded.
#include "core/device/replayed.h"

#include "core/autograd.h"
#include "core/rng.h"
#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "infer/sliding_window.h"

using namespace voxgrad;

namespace {

const Device kCard{0};

Tensor random_values(const Shape& s, uint64_t seed) {
  Tensor t = Tensor::empty(s);
  Rng rng(seed);
  for (float& v : t.mutable_data<float>()) v = float(rng.uniform(-1, 1));
  return t;
}

UNet small_net() {
  UNetConfig::Preset preset;
  preset.classes = 3, preset.stages = 2, preset.base_features = 4;
  Rng rng(7);
  UNet net(UNetConfig::plain(preset), rng);
  move_to(net, kCard);
  return net;
}

}  // namespace

TEST_CASE("replayed: a network gives the bits of its launches, from the second call on as one") {
  const UNet net = small_net();
  const Inference scope;
  int calls = 0;
  const auto f = [&](const Tensor& x) {
    ++calls;
    return net(x)[0];
  };
  Replayed replayed(f, kCard);
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Tensor x = random_values({1, 8, 8, 8, 1}, seed);
    CHECK(replayed(x).values() == net(x.to(kCard))[0].values());
  }
  CHECK(replayed.is_recorded());
  CHECK(calls == 2);
  const Tensor other = random_values({2, 8, 8, 8, 1}, 9);
  CHECK(replayed(other).values() == net(other.to(kCard))[0].values());
  CHECK(calls == 3);
}

TEST_CASE("replayed: memory is given back") {
  const auto f = [](const Tensor& x) { return add(affine(x, 2, 1), affine(x, 3, 0)); };
  const size_t before = memory_stats(kCard).in_use;
  for (int repeat = 0; repeat < 3; ++repeat) {
    Replayed replayed(f, kCard);
    for (uint64_t seed = 0; seed < 3; ++seed) replayed(random_values({100}, seed));
    CHECK(replayed.is_recorded());
  }
  CHECK(memory_stats(kCard).in_use == before);
}

TEST_CASE("replayed: what waits for the device is called every time") {
  int calls = 0;
  Replayed replayed(
      [&](const Tensor& x) {
        ++calls;
        return affine(x, 1, x.values()[0]);
      },
      kCard);
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const Tensor x = random_values({100}, seed);
    CHECK(replayed(x).values()[3] == double(float(x.values()[3] + x.values()[0])));
  }
  CHECK(!replayed.is_recorded());
  CHECK(calls == 5);  // one of them up to where it waits
}

TEST_CASE("replayed: a tile of the sliding window does not see the one before") {
  const UNet net = small_net();
  const Tensor image = random_values({20, 14, 17, 1}, 3);
  int calls = 0;
  const Net counted = [&](const Tensor& x) {
    ++calls;
    return net(x)[0];
  };
  const Net one_by_one = [&](const Tensor& x) {
    const Tensor y = net(x)[0];
    y.values();  // waits, so that nothing is recorded
    return y;
  };
  SlidingWindowOptions options{.patch = {8, 8, 8}, .device = kCard};
  const Tensor a = sliding_window(counted, image, options), b = sliding_window(one_by_one, image, options);
  CHECK(calls == 2);
  CHECK(a.values() == b.values());
  options.batch = 5;  // the last batch is smaller
  CHECK(sliding_window(counted, image, options).values() == b.values());
}
