// Batches that are made on a device ahead are those of the loader, in any order of steps.
#include "train/batch_feed.h"

#include <cmath>

#include "core/device/parallel.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"
#include "tests/cuda/feed_helpers.h"
#ifdef VOXGRAD_EMULATED
#include "tests/emulator/device.h"
#endif

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

const Device kCard{0};

struct Seen {
  Tensor image, label;  // computed from the batch, and looked at when other batches have come
};
std::vector<Seen> all_of(BatchFeed& feed, const std::vector<int64_t>& steps) {
  std::vector<Seen> out;
  for (int64_t step : steps) {
    const Batch b = feed.next(step);
    out.push_back({affine(b.image, 2, 1), b.at("label").clone()});
  }
  return out;
}
bool same(const Seen& a, const Seen& b) { return a.image.values() == b.image.values() && a.label.values() == b.label.values(); }

}  // namespace

TEST_CASE("batch feed: a step's batch is the loader's, whatever came before") {
  const SmallLoader small(3);
  const std::vector<int64_t> steps = {0, 1, 2, 3, 7, 8, 2, 2};
  for (const Device device : {kCard, Device{}}) {
    BatchFeed feed(small.loader, device);
    const std::vector<Seen> seen = all_of(feed, steps);
    for (size_t i = 0; i < steps.size(); ++i) {
      const Batch wanted = small.loader.batch(steps[i]);
      const std::vector<double> x = seen[i].image.values(), y = affine(wanted.image, 2, 1).values();
      const std::vector<double> k = seen[i].label.values(), l = wanted.at("label").values();
      REQUIRE((x.size() == y.size() && k.size() == l.size()));
      double most = 0;
      int64_t labels = 0;
      for (size_t v = 0; v < x.size(); ++v)
        if (const double e = std::abs(x[v] - y[v]); !(e <= most)) most = e;
      for (size_t v = 0; v < k.size(); ++v) labels += k[v] != l[v];
      // As in augment_cuda_test for all transforms at once, times the 2 of affine.
      CHECK(most <= (device.is_cpu() ? 0 : 2e-4));
      CHECK(labels <= (device.is_cpu() ? 0 : 2));  // of 1536: ties within rounding
    }
  }
}

TEST_CASE("batch feed: on a device a batch has the same bits in any order, after a restart and on any number of threads") {
  const SmallLoader small(2);
  BatchFeed whole(small.loader, kCard, 6);
  const std::vector<Seen> first = all_of(whole, {0, 1, 2, 3, 4, 5});
  const auto agree = [&](BatchFeed& feed, const std::vector<int64_t>& steps) {
    const std::vector<Seen> again = all_of(feed, steps);
    for (size_t i = 0; i < steps.size(); ++i) CHECK(same(again[i], first[size_t(steps[i])]));
  };
  CHECK(!same(first[0], first[1]));
  BatchFeed resumed(small.loader, kCard, 6), shuffled(small.loader, kCard), late(small.loader, kCard);
  agree(resumed, {3, 4, 5});
  agree(shuffled, {5, 3, 4, 0, 2});
  CHECK(late.stop_ahead());
  CHECK(!late.stop_ahead());
  agree(late, {0, 1, 2, 4});
  const int before = threads();
  set_threads(before == 1 ? 3 : 1);
  BatchFeed other_threads(small.loader, kCard);
  agree(other_threads, {0, 1, 2});
  set_threads(before);
}

TEST_CASE("batch feed: what goes wrong with a batch ahead is said when it is asked for, and what was made is kept") {
  const SmallLoader small(2, 1);  // which keeps one of its two cases at a time
  BatchFeed feed(small.loader, kCard), stopped(small.loader, kCard);
  const Seen one = all_of(feed, {0, 1})[1];
  all_of(stopped, {0});
  CHECK(stopped.stop_ahead());
  for (const DatasetCase& c : small.data.cases) std::filesystem::remove(c.images[0]);
  CHECK(same(all_of(stopped, {1})[0], one));
  const std::vector<int64_t> steps = {2, 3, 4, 5, 6, 7, 8, 9};
  for (BatchFeed* each : {&feed, &stopped}) CHECK_THROWS_WITH(all_of(*each, steps), Contains("case_"));
  feed.stop_ahead();
  feed.stop_ahead();
}

#ifdef VOXGRAD_EMULATED
TEST_CASE("batch feed: a larger batch takes no more launches, and nothing is made behind the last step") {
  const auto launches = [](int batch, int64_t end) {
    const SmallLoader small(batch);
    BatchFeed feed(small.loader, kCard, end);
    const int64_t before = emulator::Device::instance().launches();
    feed.next(0);
    feed.stop_ahead();
    return emulator::Device::instance().launches() - before;
  };
  // Resampling, noise, 3 of blur, brightness, 3 of contrast, 2 of low resolution, 6 of each gamma.
  CHECK(launches(1, 1) == 23);
  CHECK(launches(4, 1) == 23);
  CHECK(launches(4, 2) == 46);
}
#endif
