// Which of the plans that cuDNN offers a profile calls the best: here of offers that are made up.
#include "benchmarks/profile/best_engine.h"
#include "tests/catch.h"

using namespace voxgrad;
using namespace voxgrad::bench;

namespace {
// Offers of these seconds; 0: one that cannot run. `looked_at` counts those that were asked for.
nlohmann::ordered_json best_of(const std::vector<double>& seconds, int most, int& looked_at, const std::function<bool()>& more) {
  looked_at = 0;
  double last = 0;
  const auto offers = [&](const std::function<bool(const CudnnOffer&)>& take) {
    for (size_t i = 0; i < seconds.size(); ++i) {
      const auto run = [&, i] {
        last = seconds[i];
        check(last > 0, "cuDNN: it cannot run");
      };
      ++looked_at;
      if (!take({.engine = int64_t(10 + i), .repeats = i != 2, .workspace = int64_t(i), .run = run})) return;
    }
  };
  const auto time = [&](const std::function<void()>& run) {
    run();
    return last;
  };
  return best_engine(offers, {.most = most, .more = more, .time = time});
}
}  // namespace

TEST_CASE("the best engine of cuDNN is the fastest of those that run") {
  const auto always = [] { return true; };
  int looked_at = 0;
  const auto best = best_of({3, 0, 1, 2}, 8, looked_at, always);
  CHECK(best.at("seconds") == 1);
  CHECK(best.at("engine") == 12);
  CHECK(best.at("repeats") == false);
  CHECK(best.at("workspace") == 2);
  CHECK(best.at("place") == 3);
  CHECK(best.at("tried") == 3);
  CHECK(looked_at == 4);
  CHECK(best_of({0, 0}, 8, looked_at, always).is_null());
  CHECK(best_of({}, 8, looked_at, always).is_null());
}

TEST_CASE("engines of cuDNN are tried up to a number, and while there is time") {
  int looked_at = 0, times = 0;
  CHECK(best_of({3, 2, 1}, 2, looked_at, [] { return true; }).at("seconds") == 2);
  CHECK(looked_at == 2);
  CHECK(best_of({3, 2, 1}, 8, looked_at, [&] { return ++times < 1; }).at("seconds") == 3);
  CHECK(looked_at == 1);
}
