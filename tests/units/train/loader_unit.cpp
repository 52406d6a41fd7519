#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "tests/catch.h"
#include "tests/units/train/fake_task.h"
#include "train/loader.h"
#include "train/plan.h"

using namespace voxgrad;

namespace {

struct Ramps {
  TemporaryFolder folder;
  Script& script = the_script();
  TrainConfig config;
  Dataset data;
  std::shared_ptr<const Task> task = std::make_shared<FakeTask>(script);
  CaseStore store;
  Loader loader;

  explicit Ramps(const std::vector<std::string>& assignments)
      : config(fake_config(assignments)),
        data(read_dataset(write_ramps(folder, 2))),
        store(data, plan(data, fingerprint(data, {"case_0"}, config.data, *task, {"y"}), config, {"y"}), task,
              {.limit_bytes = size_t(1) << 30}),
        loader(store, *task, {"case_0", "case_1"}, config) {}
};

// Which axes of a patch of the ramp run backwards.
std::array<bool, 3> mirrored(const Tensor& patch) {
  const std::vector<double> v = patch.values();
  const int n = int(patch.dim(1));
  return {v[size_t(n * n)] < v[0], v[size_t(n)] < v[0], v[1] < v[0]};
}

}  // namespace

TEST_CASE("loader: of 1,000 patches the wanted share is forced to the foreground, the last slots of each batch") {
  Ramps r({"train.batch=4", "train.oversample_foreground=0.5"});
  for (int64_t step = 0; step < 250; ++step) r.loader.batch(step);
  REQUIRE(r.script.forced.size() == 1000);
  CHECK(std::count(r.script.forced.begin(), r.script.forced.end(), true) == 500);

  Ramps third({"train.batch=4", "train.oversample_foreground=0.33"});  // nnU-Net: slots from round(4 0.67) = 3 on
  for (int64_t step = 0; step < 250; ++step) third.loader.batch(step);
  CHECK(std::count(third.script.forced.begin(), third.script.forced.end(), true) == 250);

  Ramps one({"train.batch=1", "train.oversample_foreground=0.2"});  // a batch of one draws: 200 +- 4 deviations of 12.6
  for (int64_t step = 0; step < 1000; ++step) one.loader.batch(step);
  const auto forced = std::count(one.script.forced.begin(), one.script.forced.end(), true);
  CHECK(forced > 149);
  CHECK(forced < 251);
}

TEST_CASE("loader: no two patches have the same random numbers, and a step has the same again") {
  Ramps r({"train.batch=4", "augment.noise=1"});
  const std::vector<double> first = r.loader.batch(0).image.values();
  for (int64_t step = 1; step < 250; ++step) r.loader.batch(step);
  CHECK(std::set<uint64_t>(r.script.sources.begin(), r.script.sources.end()).size() == 1000);
  CHECK(r.loader.batch(0).image.values() == first);
  CHECK(r.loader.batch(1).image.values() != first);
}

TEST_CASE("loader: each axis of a patch is mirrored half the time, independently of the others") {
  Ramps r({"train.batch=4", "augment.mirror=0.5"});
  std::array<int, 3> count{};
  std::array<int, 8> together{};
  for (int64_t step = 0; step < 250; ++step) {
    const Tensor batch = r.loader.batch(step).image;
    for (int64_t n = 0; n < 4; ++n) {
      const auto axes = mirrored(batch.rows(n, n + 1));
      for (size_t a = 0; a < 3; ++a) count[a] += axes[a];
      ++together[size_t(axes[0] + 2 * axes[1] + 4 * axes[2])];
    }
  }
  for (int n : count) CHECK(std::abs(n - 500) < 4 * 16);      // deviation sqrt(1000 / 4) = 15.8
  for (int n : together) CHECK(std::abs(n - 125) < 4 * 11);  // deviation sqrt(1000 7 / 64) = 10.5

  Ramps never({"train.batch=4", "augment.mirror=0"});
  for (int64_t step = 0; step < 20; ++step) {
    const Tensor batch = never.loader.batch(step).image;
    for (int64_t n = 0; n < 4; ++n) CHECK(mirrored(batch.rows(n, n + 1)) == std::array<bool, 3>{});
  }
}

TEST_CASE("loader: views are of one place, each augmented by itself") {
  for (const char* sampling : {"random", "epochs"}) {
    Ramps r({"train.batch=4", "augment.mirror=0", std::string("train.sampling=") + sampling});
    Ramps noisy({"train.batch=4", "augment.mirror=0", "augment.noise=1", std::string("train.sampling=") + sampling});
    r.script.views = 2;
    const Tensor x = r.loader.batch(3).image, y = noisy.loader.batch(3).image;
    CAPTURE(sampling);
    for (int64_t n : {0, 2}) {
      CHECK(x.rows(n, n + 1).values() == x.rows(n + 1, n + 2).values());
      CHECK(y.rows(n, n + 1).values() != y.rows(n + 1, n + 2).values());
    }
    CHECK(x.rows(0, 1).values() != x.rows(2, 3).values());
    r.script.views = 3;
    CHECK_THAT(error_of([&] { Loader(r.store, *r.task, {"case_0"}, r.config); }),
               Catch::Matchers::Contains("train.batch: 4 is not a multiple of 3"));
  }
}
