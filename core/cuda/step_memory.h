#pragma once
#include <cstdint>

#include "core/cuda/scratch.h"

// What kernels and their launches see of a step that is recorded (core/device/recorded_step.h): memory of the device whose contents change
// from one replay to the next, and what the device decides and reports by itself.
namespace voxgrad::cuda {

struct StepVerdict {
  long long left_out;  // not 0: something is wrong, and nothing may change by the step
  double loss;         // the sum of what is noted
  double squares;      // of the gradients
};

// Adds a loss to the verdict's; one that is not finite leaves the step out.
void add_loss(Cuda, const float* loss, StepVerdict*);

// The following are null where no step is recorded by this thread.
StepVerdict* step_verdict();
// Memory that holds `bytes` of `from`. varies: its contents may be changed before each replay, by next_values. Throws where there is no
// room.
void* step_values(const void* from, int64_t bytes, bool varies);
// Of the random source (key, stream), where it was drawn from the step's: where the key and the stream of each replay lie.
const uint64_t* drawn_at(uint64_t key, uint64_t stream);
// Words by which kernels say what is wrong (Found), so far.
struct FoundWords {
  const long long* words = nullptr;
  int64_t count = 0;
};
FoundWords found_so_far();

// Whether a replay of a step is prepared by this thread. Then: the host's copy of the next memory that varies, of so many bytes.
bool step_is_replayed();
void* next_values(int64_t bytes);

// A word of the device that kernels lower to say what is wrong, such as the smallest label that does not exist.
class Found {
 public:
  static constexpr int64_t kNothing = INT64_MAX;
  explicit Found(Cuda, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  ~Found();
  Found(const Found&) = delete;
  long long* word() const { return static_cast<long long*>(data_); }
  // Waits for the stream. Of a step that is recorded: kNothing, and what is found will be said to the one who asks say_found() next.
  int64_t read() const;

 private:
  Cuda on_;
  void* data_;
  bool kept_;  // with the step
};

}  // namespace voxgrad::cuda
