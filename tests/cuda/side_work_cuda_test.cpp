// Work beside that of a CUDA device: what it makes arrives whole, and is not written over while it is in use.
#include <algorithm>
#include <thread>

#include "core/cuda/runtime.h"
#include "core/cuda/scratch.h"
#include "core/cuda/staging.h"
#include "core/device/side_work.h"
#include "core/tensor.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

const Device kCard{0};
constexpr int64_t kFloats = 5000;

// A tensor of a device that work beside it assigns.
struct Lane {
  Tensor tensor = Tensor::empty({kFloats}, DType::f32, kCard);
  SideWork work{kCard};
  // All elements.
  void assign(float value) {
    work.give([&](Cuda on) {
      const cuda::Staging staging(on, tensor.bytes());
      std::fill_n(staging.as<float>(), kFloats, value);
      cuda::copy(on, tensor.view().data, staging.as<void>(), tensor.bytes());
    });
  }
};

// Assigns 0, 1, .. from another thread, to two lanes in turn as a training loop has its batches made, while sums of each are computed; true
// if every sum is right. The marks that order the streams can be left out.
bool in_order(bool arrived, bool done) {
  constexpr int kCount = 12;
  Lane lanes[2];
  std::vector<Tensor> results;
  std::thread maker([&] { lanes[0].assign(0); });
  for (int i = 0; i < kCount; ++i) {
    maker.join();
    if (done && i > 0) lanes[(i + 1) % 2].work.done();
    maker = std::thread([&, i] { lanes[(i + 1) % 2].assign(float(i + 1)); });
    if (arrived) lanes[i % 2].work.arrived();
    results.push_back(affine(lanes[i % 2].tensor, 2, 1));
  }
  maker.join();
  bool right = true;
  for (int i = 0; i < kCount; ++i)
    for (double v : results[size_t(i)].values()) right &= v == 2 * i + 1;
  return right;
}

}  // namespace

TEST_CASE("side work: what is made arrives for the work that follows, and stays until that is done") {
  for (int repeat = 0; repeat < 20; ++repeat) REQUIRE(in_order(true, true));
}

#ifdef VOXGRAD_EMULATED
TEST_CASE("side work: a mark that is missing shows on the emulator") {
  int early = 0, over = 0;
  for (int repeat = 0; repeat < 20; ++repeat) early += !in_order(false, true), over += !in_order(true, false);
  CHECK(early > 0);
  CHECK(over > 0);
}
#endif

TEST_CASE("side work: memory is given back, and nothing is marked as made where making fails") {
  const size_t before = memory_stats(kCard).in_use;
  {
    Lane lane;
    lane.assign(3);
    CHECK_THROWS_WITH(lane.work.give([](Cuda on) {
      const Scratch some(on, 100);
      fail("no luck");
    }),
                      Catch::Matchers::Contains("no luck"));
    lane.work.arrived();
    CHECK(lane.tensor.values() == std::vector<double>(kFloats, 3.0));
    lane.work.done();
    lane.assign(4);
    lane.work.wait();
    CHECK(lane.tensor.values() == std::vector<double>(kFloats, 4.0));
  }
  CHECK(memory_stats(kCard).in_use == before);
}
