#include "train/batch_feed.h"

#include <utility>

#include "core/device/parallel.h"

namespace voxgrad {

BatchFeed::BatchFeed(const Loader& loader, Device device, int64_t end)
    : loader_(loader), device_(device), end_(end), ahead_(!device.is_cpu()) {}
BatchFeed::~BatchFeed() {
  settle();
}

BatchFeed::Slot& BatchFeed::slot_of(int64_t step) {
  auto& slot = slots_[size_t(step % 2)];
  if (!slot) slot.emplace(loader_.empty_batch(device_), device_);
  return *slot;
}

void BatchFeed::make(Slot& slot, int64_t step) const {
  slot.making.give([&](Cuda on) { loader_.batch(step, on, slot.batch); });
}

// Where there was no room for the batch beside the work on another one, there may be by now.
bool BatchFeed::made_ahead(int64_t step) try {
  if (!coming_.valid()) return false;
  coming_.get();
  return coming_step_ == step;
} catch (const OutOfMemory&) {
  stop_ahead();
  return false;
} catch (const std::exception&) {
  if (coming_step_ == step) throw;
  return false;
}

Batch BatchFeed::next(int64_t step) {
  if (device_.is_cpu()) return loader_.batch(step);
  if (used_) std::exchange(used_, nullptr)->making.done();
  const bool made = made_ahead(step);
  Slot& slot = slot_of(step);
  if (!made) make(slot, step);
  slot.making.arrived();
  used_ = &slot;
  if (ahead_ && step + 1 < end_) {
    Slot& other = slot_of(step + 1);
    coming_step_ = step + 1;
    coming_ = std::async(std::launch::async, [this, &other, n = threads(), step] {
      set_threads(n);
      make(other, step + 1);
    });
  }
  return slot.batch;
}

bool BatchFeed::stop_ahead() {
  const bool was = std::exchange(ahead_, false);
  settle();
  for (auto& slot : slots_)
    if (slot) slot->making.wait();
  if (was) trim_memory(device_);
  return was;
}

}  // namespace voxgrad
