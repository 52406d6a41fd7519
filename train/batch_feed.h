#pragma once
#include <array>
#include <future>
#include <limits>
#include <optional>

#include "core/device/side_work.h"
#include "train/loader.h"

namespace voxgrad {

// The batches of a loader on a device. On CUDA they are made there: a thread draws the batch of the next step and has it made on a stream
// of its own while the device works on this one. Which batch a step gets does not depend on it.
class BatchFeed {
 public:
  // No batch of the step `end` or a later one is made ahead.
  BatchFeed(const Loader&, Device, int64_t end = std::numeric_limits<int64_t>::max());
  ~BatchFeed();
  BatchFeed(const BatchFeed&) = delete;
  // Work on the batch of the call before must have been given to the device by now; its memory is filled again.
  Batch next(int64_t step);
  // Returns when the work on the next batch has been given to its stream.
  void settle() const {
    if (coming_.valid()) coming_.wait();
  }
  // From now on a batch is made when it is asked for, so that nothing takes memory beside the work on another one. Returns when what was
  // begun has come to its end, and whether there was anything to stop. Throws if the device failed at it; what else went wrong with a batch
  // that was made ahead is said when it is asked for.
  bool stop_ahead();

 private:
  struct Slot {
    Batch batch;
    SideWork making;
    Slot(Batch b, Device d) : batch(std::move(b)), making(d) {}
  };
  Slot& slot_of(int64_t step);
  void make(Slot&, int64_t step) const;
  bool made_ahead(int64_t step);

  const Loader& loader_;
  Device device_;
  int64_t end_;
  bool ahead_;
  std::array<std::optional<Slot>, 2> slots_;  // of even and odd steps
  std::future<void> coming_;                  // the batch of coming_step_, given to the device
  int64_t coming_step_ = -1;
  Slot* used_ = nullptr;  // by work since the last call
};

}  // namespace voxgrad
