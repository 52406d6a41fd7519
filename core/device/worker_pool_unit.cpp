#include "core/device/worker_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/device/parallel.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

template <class F>
void run(int parts, F f) {
  detail::run_on_workers(parts, [](void* data, int part) { (*static_cast<F*>(data))(part); }, &f);
}

double seconds_of_process() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

}  // namespace

TEST_CASE("workers: every part is done once, and what it wrote is seen, whoever calls at a time") {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int c = 0; c < 5; ++c)
    callers.emplace_back([&, c] {
      for (int round = 0; round < 300; ++round) {
        const int parts = 1 + (round * 7 + c * 31) % 130;
        std::vector<int> done(size_t(parts), 0);
        run(parts, [&](int part) { done[size_t(part)] += part + 1; });
        for (int i = 0; i < parts; ++i) wrong += done[size_t(i)] != i + 1;
      }
    });
  for (std::thread& t : callers) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("workers: as many threads as there are parts work at a time") {
  std::mutex mutex;
  std::condition_variable all;
  std::set<std::thread::id> there;
  bool met = true;
  run(4, [&](int) {
    std::unique_lock lock(mutex);
    there.insert(std::this_thread::get_id());
    all.notify_all();
    met &= all.wait_for(lock, std::chrono::seconds(30), [&] { return there.size() == 4; });
  });
  CHECK(met);
}

TEST_CASE("workers: a caller does not wait for workers that somebody else keeps") {
  std::atomic<bool> kept{true};
  std::atomic<int> inside{0};
  std::thread other([&] {
    run(3, [&](int) {
      ++inside;
      while (kept) std::this_thread::yield();
    });
  });
  while (inside < 3) std::this_thread::yield();
  int done = 0;  // of this thread alone: the two workers there are, are kept, or were more before and may share
  std::atomic<int> parts{0};
  run(3, [&](int) { ++parts, done = 1; });
  CHECK((parts == 3 && done == 1));
  kept = false;
  other.join();
}

TEST_CASE("workers: within a part everything is done by its thread, and an error reaches the caller") {
  const int before = threads();
  set_threads(3);
  std::atomic<int> others{0};
  parallel_for(3, 1, [&](int64_t) {
    const auto self = std::this_thread::get_id();
    others += threads() != 1;
    parallel_for(64, 1, [&](int64_t) { others += std::this_thread::get_id() != self; });
  });
  CHECK(others == 0);
  CHECK(threads() == 3);
  CHECK_THROWS_WITH(parallel_for(3, 1, [](int64_t i) { if (i == 2) throw std::runtime_error("two"); }), "two");
  CHECK(threads() == 3);
  set_threads(before);
}

TEST_CASE("workers: they sleep when there is nothing to do, and a child of fork has its own") {
  run(4, [](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double before = seconds_of_process();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(seconds_of_process() - before < 0.1);

  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> parts{0};
    run(4, [&](int) { ++parts; });
    _exit(parts == 4 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
