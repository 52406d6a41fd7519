#include "core/device/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace voxgrad::detail {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kWords = 16;  // of 64 parts: 1024, as set_threads allows
constexpr std::chrono::microseconds kBusy{20}, kAwake{200};

thread_local bool working = false;

inline void pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// Until `ready` or for as long as it is worth to stay awake: whether it is ready.
template <class F>
bool awaited(F&& ready) {
  for (int i = 0; i < 64; ++i) {
    if (ready()) return true;
    pause();
  }
  const Clock::time_point start = Clock::now();
  for (Clock::duration since{}; since < kAwake; since = Clock::now() - start) {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return true;
      pause();
    }
    if (since > kBusy) std::this_thread::yield();
  }
  return ready();
}

struct Job {
  const int parts;
  void (*const body)(void*, int);
  void* const data;
  std::atomic<uint64_t> taken[kWords] = {};
  std::atomic<int> left;      // parts that nobody has taken
  std::atomic<int> users{0};  // workers that are doing parts; changed under the pool's mutex

  Job(int n, void (*f)(void*, int), void* d) : parts(n), body(f), data(d), left(n) {}

  bool take(int part) {
    const uint64_t bit = uint64_t(1) << part % 64;
    if ((taken[part / 64].load(std::memory_order_relaxed) & bit) != 0) return false;
    if ((taken[part / 64].fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return false;
    left.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  // Part `first`, then all that others have not begun.
  void work(int first) {
    for (int i = 0; i < parts && left.load(std::memory_order_relaxed) > 0; ++i) {
      const int part = (first + i) % parts;
      if (take(part)) body(data, part);
    }
  }
};

class Pool {
 public:
  void run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      grow(job.parts - 1);
      jobs_.push_back(&job);
      published_.fetch_add(1, std::memory_order_release);
      if (sleeping_ > 0) wake_.notify_all();
    }
    job.work(0);
    std::unique_lock lock(mutex_);
    jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    if (job.users == 0) return;
    lock.unlock();
    awaited([&] { return job.users.load(std::memory_order_acquire) == 0; });
    lock.lock();  // a worker may still hold it
    finished_.wait(lock, [&] { return job.users == 0; });
  }

 private:
  void grow(int workers) {
    while (workers_ < workers) try {
        std::thread([this, own = workers_ + 1] { serve(own); }).detach();
        ++workers_;
      } catch (const std::system_error&) { return; }  // the others do it
  }

  [[noreturn]] void serve(int own) {
    working = true;
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = std::find_if(jobs_.begin(), jobs_.end(), [](const Job* j) { return j->left.load(std::memory_order_relaxed) > 0; });
      if (found != jobs_.end()) {
        Job& job = **found;
        ++job.users;
        lock.unlock();
        job.work(own);
        lock.lock();
        if (--job.users == 0) finished_.notify_all();  // its caller goes on, and the job with it, when the mutex is free
        continue;
      }
      const uint64_t seen = published_.load(std::memory_order_relaxed);
      const auto more = [&] { return published_.load(std::memory_order_acquire) != seen; };
      lock.unlock();
      const bool soon = awaited(more);
      lock.lock();
      if (soon) continue;
      ++sleeping_;
      wake_.wait(lock, more);
      --sleeping_;
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  std::vector<Job*> jobs_;  // that are under way
  std::atomic<uint64_t> published_{0};
  int workers_ = 0, sleeping_ = 0;
};

// Never destroyed: workers outlive main.
std::atomic<Pool*> the_pool = nullptr;

Pool& pool() {
  static const bool made = [] {
    the_pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] { the_pool = new Pool; });
    return true;
  }();
  (void)made;
  return *the_pool.load(std::memory_order_relaxed);
}

}  // namespace

void run_on_workers(int parts, void (*body)(void*, int), void* data) {
  Job job(parts, body, data);
  const bool before = working;
  working = true;
  pool().run(job);
  working = before;
}

bool on_worker() { return working; }

}  // namespace voxgrad::detail
