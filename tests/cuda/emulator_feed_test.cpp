// Batches that are made on a device ahead, where the device has too little memory or fails.
#include "core/device/side_work.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_faults.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/cuda/feed_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("batch feed: a batch that there is no room for ahead is made when it is asked for, or is out of memory") {
  const SmallLoader small(2);
  BatchFeed feed(small.loader, kCard), roomy(small.loader, kCard);
  feed.next(0).image.values();
  roomy.next(1);
  const std::vector<double> two = roomy.next(2).image.values();
  feed.next(1).image.values();  // both slots are there, and the batch of step 2 has been begun
  CHECK(feed.stop_ahead());
  CHECK(feed.next(2).image.values() == two);

  BatchFeed tight(small.loader, kCard);
  tight.next(0).image.values();
  trim_memory(kCard);
  std::vector<Tensor> filling;
  const auto fill_up = [&] {  // but for less than a batch's boxes of volumes take
    for (int64_t count = 1 << 20; count >= 64; count /= 2) {
      try {
        while (true) filling.push_back(card_floats(count));
      } catch (const OutOfMemory&) {}
    }
  };
  fill_up();
  CHECK_THROWS_AS(
      [&] {
        for (int64_t step = 1; step < 4; ++step) tight.next(step).image.values();
      }(),
      OutOfMemory);
  CHECK(!tight.stop_ahead());  // it has stopped by itself
  filling.clear();
  CHECK(tight.next(2).image.values() == two);
}

TEST_CASE("side work: what fails on the device is said to those who wait for it") {
  SideWork work(kCard);
  const Tensor y = card_floats(100);
  const auto fault = [&] { work.give([&](Cuda on) { meet(on, 1); }); };
  fault();
  CHECK_THROWS_WITH(work.wait(), Contains("meet_kernel"));
  fault();
  work.arrived();
  CHECK_THROWS_WITH(y.values(), Contains("meet_kernel"));
}
