#pragma once
#include <array>
#include <future>
#include <optional>

#include "core/upload.h"
#include "train/loader.h"

namespace voxgrad {

// The batches of a loader on a device. On CUDA the batch of the next step is made by a thread of its own and copied while the device works
// on this one; which batch a step gets does not depend on it.
class BatchFeed {
 public:
  BatchFeed(const Loader&, Device);
  ~BatchFeed();
  BatchFeed(const BatchFeed&) = delete;
  // Work on the batch of the call before must have been given to the device by now; its memory is filled again.
  Batch next(int64_t step);

 private:
  struct Slot {
    Upload image, label;
    explicit Slot(const Batch& like, Device d)
        : image(like.image.shape(), like.image.dtype(), d), label(like.label.shape(), like.label.dtype(), d) {}
    void send(const Batch&);
  };

  const Loader& loader_;
  Device device_;
  std::array<std::optional<Slot>, 2> slots_;  // of even and odd steps
  std::future<void> coming_;                  // the batch of coming_step_, sent
  int64_t coming_step_ = -1;
  Slot* used_ = nullptr;  // by work since the last call
};

}  // namespace voxgrad
