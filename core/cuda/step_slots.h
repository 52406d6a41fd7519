#pragma once
#include <functional>
#include <map>
#include <vector>

#include "core/cuda/runtime.h"
#include "core/cuda/step_memory.h"
#include "core/device/recorded_step.h"

namespace voxgrad::cuda {

// The memory that has been set aside for what changes between replays is too small.
struct StepSlotsFull : NotRecordable {
  using NotRecordable::NotRecordable;
};

// Memory of a device beside a recorded step: first what the device reports, then what the host writes before each replay, with a copy of
// all of it on the host.
class StepSlots {
 public:
  StepSlots(Device, size_t bytes, std::vector<Rng> scopes);
  // While alive, the thread records the step or prepares a replay of it, which starts where the recording started.
  class Scope {
   public:
    Scope(StepSlots&, StepPhase);
    ~Scope();
    Scope(const Scope&) = delete;
  };

  void* values(const void* from, size_t bytes, bool varies);
  void* next(size_t bytes);
  void note_draw(const Rng& drawn, uint64_t n);
  const uint64_t* drawn_at(uint64_t key, uint64_t stream);
  long long* new_word();
  FoundWords found() const;
  void read_later() { waiting_ = true; }
  // Whether it keeps `say` for the word that was to be read last.
  bool keep(std::function<void(int64_t)>& say);
  StepVerdict* verdict() const;
  void note_loss(const Tensor& loss);

  // Throws NotRecordable where something that was recorded cannot be told of a replay.
  void check_complete() const;
  // The numbers of the next replay, from `scopes` in place of those that were there when it was recorded.
  void draw_again(const std::vector<Rng>& scopes);
  // What is on the host goes to the device, in the order of the stream.
  void send(Cuda) const;
  static constexpr size_t kReportBytes = 544;  // the verdict and the words
  void fetch(Cuda, void* pinned) const;
  // Says what was found wrong, `said` of the loss meanwhile.
  RecordedStep::Outcome judge(const void* pinned, int64_t step, const std::function<void(const RecordedStep::Outcome&)>& said) const;

  int64_t judged = 0;  // gradients of which it is known whether they are finite

 private:
  struct Draw {
    size_t scope, at;  // offset
    uint64_t n;
    bool used;
  };
  struct Varying {
    size_t at, bytes;
  };
  size_t take(size_t bytes);
  template <class T>
  T* on_device(size_t at) const {
    return reinterpret_cast<T*>(static_cast<char*>(memory_.view().data) + at);
  }

  Tensor memory_;
  std::vector<char> host_;  // as much of it as is used
  std::vector<Rng> scopes_;
  std::map<uint64_t, Draw> draws_;  // by their keys when the step was recorded
  std::vector<Varying> varying_;
  size_t next_ = 0;                                 // of varying_
  std::vector<std::function<void(int64_t)>> says_;  // of each word; absent: nobody reads it
  size_t words_before_loss_ = SIZE_MAX;
  bool waiting_ = false;
};

// The thread's, while it records or prepares a replay; else null.
StepSlots* step_slots();
void note_draw(const Rng& drawn, uint64_t n);

}  // namespace voxgrad::cuda
