#include "core/device/parallel.h"

#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

#include "core/device/worker_pool.h"
#include "core/error.h"

namespace voxgrad {
namespace {
int initial_threads() {
  if (const char* text = std::getenv("VOXGRAD_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    check(end != text && *end == 0 && n >= 1 && n <= 1024, "VOXGRAD_THREADS: \"", text, "\" is not a number of threads from 1 to 1024");
    return int(n);
  }
  cpu_set_t cores;  // that this process may use
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : int(std::max(1u, std::thread::hardware_concurrency()));
}
thread_local int count = 0;
}  // namespace

int threads() {
  if (count == 0) {
    static const int initial = initial_threads();
    count = initial;
  }
  return detail::on_worker() ? 1 : count;
}

void set_threads(int n) {
  check(n >= 1 && n <= 1024, "set_threads: ", n, " is not a number of threads from 1 to 1024");
  count = n;
}

void detail::run_team(int workers, void (*body)(void*, int), void* data) {
  std::exception_ptr first;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  auto part = [&](int worker) {
    try {
      body(data, worker);
    } catch (...) {
      if (!failed.test_and_set()) first = std::current_exception();
    }
  };
  run_on_workers(workers, [](void* f, int worker) { (*static_cast<decltype(part)*>(f))(worker); }, &part);
  if (first) std::rethrow_exception(first);
}

}  // namespace voxgrad
