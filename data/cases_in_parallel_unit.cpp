#include "data/cases_in_parallel.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "core/device/parallel.h"
#include "core/error.h"
#include "tests/sample_helpers.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using namespace std::chrono_literals;

namespace {
std::vector<std::string> names(size_t n) {
  std::vector<std::string> out;
  for (size_t i = 0; i < n; ++i) out.push_back("case_" + std::to_string(i));
  return out;
}
}  // namespace

TEST_CASE("cases are worked on several at a time, each once, and the first that fails is named") {
  const Threads scope(3);
  std::mutex mutex;
  std::multiset<size_t> seen;
  std::set<std::thread::id> workers;
  std::atomic<int> inner = 0;
  std::condition_variable all_there;
  bool waits = true;
  for_cases(names(20), {.what = "testing"}, [&](size_t i) {
    inner = std::max(inner.load(), threads());
    std::unique_lock lock(mutex);
    seen.insert(i);
    workers.insert(std::this_thread::get_id());
    all_there.notify_all();
    // However late a worker of a busy machine comes, there are cases left for it.
    if (waits) waits = all_there.wait_for(lock, 20s, [&] { return workers.size() == 3; });
  });
  CHECK(seen.size() == 20);
  CHECK(std::set<size_t>(seen.begin(), seen.end()).size() == 20);
  CHECK(workers.size() == 3);
  CHECK(inner == 1);  // three workers share three threads
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::atomic<size_t> begun = 0;
    const std::string message = error_of([&] {
      for_cases(names(50), {.what = "testing"}, [&](size_t i) {
        ++begun;
        if (i == 4) std::this_thread::sleep_for(1ms);
        if (i >= 4) fail("case ", i, " cannot be used");
      });
    });
    CHECK(message == "case 4 cannot be used");
    CHECK(begun < 50);
  }
}

TEST_CASE("what is worked on at one time stays within the limit, but for a case that takes more by itself") {
  const Threads scope(4);
  std::mutex mutex;
  size_t held = 0, most = 0, most_beside_a_large_one = 0;
  const std::vector<size_t> bytes = {40, 40, 40, 40, 500, 40, 40, 40, 60, 60, 30};
  for_cases(names(bytes.size()), {.what = "testing", .bytes = bytes, .limit = 100}, [&](size_t i) {
    {
      const std::lock_guard lock(mutex);
      held += bytes[i];
      (held >= 500 ? most_beside_a_large_one : most) = std::max(held >= 500 ? most_beside_a_large_one : most, held);
    }
    std::this_thread::sleep_for(2ms);
    const std::lock_guard lock(mutex);
    held -= bytes[i];
  });
  CHECK(most <= 100);
  CHECK(most > 60);
  CHECK(most_beside_a_large_one == 500);
}
