#include "data/cases_in_parallel.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "core/device/parallel.h"
#include "core/error.h"
#include "core/progress.h"
#include "io/formats/numpy/image_stack.h"
#include "io/image.h"

namespace voxgrad {
namespace {

// Which cases may begin, and what became of them.
class Queue {
 public:
  Queue(size_t cases, const CaseWork& work) : cases_(cases), work_(work), errors_(cases) {}

  // The next case, once there is room for it; false: none is left.
  bool take(size_t& i) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failed_ || next_ == cases_ || running_ == 0 || held_ + bytes(next_) <= work_.limit; });
    if (failed_ || next_ == cases_) return false;
    i = next_++;
    ++running_;
    held_ += bytes(i);
    return true;
  }
  void end(size_t i, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    errors_[i] = error;
    failed_ = failed_ || error;
    --running_;
    held_ -= bytes(i);
    ++done_;
    latest_ = i;
    changed_.notify_all();
  }
  // Waits until more than `seen` cases are done, or no more will be. The number, and the case that was the last.
  std::pair<size_t, size_t> wait_for_more(size_t seen) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ > seen || (failed_ && running_ == 0); });
    return {done_, latest_};
  }
  bool over() {
    const std::lock_guard lock(mutex_);
    return done_ == cases_ || (failed_ && running_ == 0);
  }
  void rethrow_first() const {
    for (auto& e : errors_)
      if (e) std::rethrow_exception(e);
  }

 private:
  size_t bytes(size_t i) const { return work_.bytes.empty() ? 0 : work_.bytes[i]; }

  size_t cases_;
  const CaseWork& work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::exception_ptr> errors_;
  size_t next_ = 0, done_ = 0, latest_ = 0, running_ = 0, held_ = 0;
  bool failed_ = false;
};

}  // namespace

size_t bytes_to_prepare(const DatasetCase& c, const std::array<double, 3>& spacing) {
  try {
    if (c.stack) return size_t(13) * size_t(c.stack->image(c.index).data.count());
    double voxels = 0, channels = 0, ratio = 1;
    for (auto& file : c.images) {
      const VolumeHeader h = read_header(file, {.series = c.series, .volume = c.volume});
      const Vec3 own = h.affine.spacing();
      double to_target = 1;
      for (size_t a = 0; a < 3; ++a) to_target *= spacing[a] > 0 ? own[a] / spacing[a] : 1;
      voxels = double(h.shape[0]) * double(h.shape[1]) * double(h.shape[2]);
      channels += double(h.shape[3]);
      ratio = to_target;
    }
    // f32 as read and in canonical orientation; the label; where it is resampled, coefficients, passes and the result.
    const double at_file = voxels * (8 * channels + 5), resampled = ratio == 1 ? 0 : voxels * std::max(1.0, ratio) * (12 * channels + 1);
    return size_t(std::min(at_file + resampled, 1e15));
  } catch (const Error&) { return 0; }
}

void for_cases(const std::vector<std::string>& ids, const CaseWork& work, const std::function<void(size_t)>& f) {
  if (ids.empty()) return;
  Progress progress({.what = work.what, .unit = work.unit, .total = int64_t(ids.size())});
  const int all = threads(), workers = int(std::min<size_t>(size_t(all), ids.size()));
  Queue queue(ids.size(), work);
  const auto run = [&] {
    set_threads(std::max(1, all / workers));
    for (size_t i; queue.take(i);) {
      std::exception_ptr error;
      try {
        f(i);
      } catch (...) { error = std::current_exception(); }
      queue.end(i, error);
    }
  };
  std::vector<std::jthread> team;
  for (int w = 0; w < workers; ++w) team.emplace_back(run);
  for (size_t seen = 0; !queue.over();) {
    const auto [done, latest] = queue.wait_for_more(seen);
    if (done > seen) progress.update(int64_t(done), ids[latest]);
    seen = done;
  }
  for (auto& t : team) t.join();
  queue.rethrow_first();
}

}  // namespace voxgrad
