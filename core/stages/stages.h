#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/device/parallel.h"
#include "core/stages/interrupt.h"

namespace voxgrad {

// Items 0 .. count - 1 taken through three stages side by side: while one is computed, the next one is read and the one before is
// written. Each stage sees the items in their order. read and write run on threads of their own, with as many threads() as the caller
// has; compute and done on the caller's.
template <class Read, class Computed>
struct Stages {
  std::function<Read(int64_t)> read;
  std::function<Computed(int64_t, Read)> compute;
  std::function<void(int64_t, Computed)> write;
  // In order, once for each item: when it is written, or with what a stage threw, after which the others left the item out.
  std::function<void(int64_t, std::exception_ptr)> done;
};

namespace detail {

// Room for one value between two threads.
template <class T>
class Slot {
 public:
  // Until there is room; false: closed.
  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !value_; });
    return !closed_;
  }
  void put(T value) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closed_ || !value_; });
      if (!closed_) value_ = std::move(value);
    }
    changed_.notify_all();
  }
  // Empty where nothing came within the time, or never will.
  std::optional<T> take(std::chrono::milliseconds most) {
    std::optional<T> out;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, most, [&] { return closed_ || value_; });
      out = std::move(value_);
      value_.reset();
    }
    changed_.notify_all();
    return out;
  }
  // Nothing comes any more; what is there can be taken.
  void close() {
    {
      std::unique_lock lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }
  bool closed() {
    std::unique_lock lock(mutex_);
    return closed_ && !value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
  bool closed_ = false;
};

}  // namespace detail

// Of what `read` gives one waits at the most while another is computed, and reading begins when that place is free; of what is computed one
// waits while another is written. Interrupted, thrown by compute or because the user interrupts, ends all: what is computed is written,
// nothing else is begun, and it is thrown to the caller.
template <class Read, class Computed>
void run_stages(int64_t count, const Stages<Read, Computed>& stages) {
  struct ReadItem {
    std::optional<Read> value;
    std::exception_ptr error;
  };
  struct ComputedItem {
    int64_t index;
    std::optional<Computed> value;
    std::exception_ptr error;
  };
  constexpr std::chrono::milliseconds kPatience(100);
  detail::Slot<ReadItem> in;
  detail::Slot<ComputedItem> out;
  std::mutex finished_mutex;
  std::vector<std::pair<int64_t, std::exception_ptr>> finished;
  const int team = threads();

  std::thread reader([&] {
    set_threads(team);
    for (int64_t i = 0; i < count && in.wait_for_room(); ++i) {
      ReadItem item;
      try {
        item.value = stages.read(i);
      } catch (...) { item.error = std::current_exception(); }
      in.put(std::move(item));
    }
  });
  std::thread writer([&] {
    set_threads(team);
    while (!out.closed()) {
      std::optional<ComputedItem> item = out.take(kPatience);
      if (!item) continue;
      if (!item->error) try {
          stages.write(item->index, std::move(*item->value));
        } catch (...) { item->error = std::current_exception(); }
      const std::scoped_lock lock(finished_mutex);
      finished.emplace_back(item->index, item->error);
    }
  });
  const auto report = [&] {
    std::vector<std::pair<int64_t, std::exception_ptr>> now;
    {
      const std::scoped_lock lock(finished_mutex);
      now.swap(finished);
    }
    for (auto& [index, error] : now) stages.done(index, error);
  };
  std::exception_ptr ended;
  try {
    for (int64_t i = 0; i < count; ++i) {
      std::optional<ReadItem> item;
      while (!item) {
        fail_if_interrupted();
        item = in.take(kPatience);
      }
      ComputedItem done{.index = i, .value = {}, .error = item->error};
      if (!done.error) try {
          done.value = stages.compute(i, std::move(*item->value));
        } catch (const Interrupted&) { throw; } catch (...) { done.error = std::current_exception(); }
      item.reset();
      out.put(std::move(done));
      report();
    }
  } catch (...) { ended = std::current_exception(); }
  in.close();
  out.close();
  reader.join();
  writer.join();
  report();
  if (ended) std::rethrow_exception(ended);
}

}  // namespace voxgrad
