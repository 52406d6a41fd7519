#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>

#include "tests/catch.h"

namespace {
Catch::Counts test_cases;

struct Tally : EventListener {
  using EventListener::EventListener;
  void testRunEnded(const Catch::TestRunStats& stats) override { test_cases = stats.totals.testCases; }
};
CATCH_REGISTER_LISTENER(Tally)
}  // namespace

// The last line counts test cases: "N passed, N failed".
int main(int argc, char** argv) {
  setenv("VOXGRAD_CHECK_MEMORY", "1", 0);
  const int result = Catch::Session().run(argc, argv);
  if (test_cases.total() > 0)
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(test_cases.passed + test_cases.failedButOk),
                static_cast<unsigned long long>(test_cases.failed));
  return result;
}
