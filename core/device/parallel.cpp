#include "core/device/parallel.h"

#include <omp.h>

#include <atomic>
#include <cstdlib>
#include <string>

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
  return std::max(1, omp_get_num_procs());
}
thread_local int count = 0;
}  // namespace

int threads() {
  if (count == 0) {
    static const int initial = initial_threads();
    count = initial;
  }
  return omp_in_parallel() ? 1 : count;
}

void set_threads(int n) {
  check(n >= 1 && n <= 1024, "set_threads: ", n, " is not a number of threads from 1 to 1024");
  count = n;
}

void detail::run_team(int workers, void (*body)(void*, int), void* data) {
  std::exception_ptr first;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
#pragma omp parallel num_threads(workers)
  {
    // A runtime that grants fewer threads than asked for still does all parts.
    for (int worker = omp_get_thread_num(); worker < workers; worker += omp_get_num_threads()) {
      try {
        body(data, worker);
      } catch (...) {
        if (!failed.test_and_set()) first = std::current_exception();
      }
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace voxgrad
