#include "train/batch_feed.h"

#include "core/parallel.h"

namespace voxgrad {

void BatchFeed::Slot::send(const Batch& b) {
  image.send(b.image);
  label.send(b.label);
}

BatchFeed::BatchFeed(const Loader& loader, Device device) : loader_(loader), device_(device) {}
BatchFeed::~BatchFeed() {
  if (coming_.valid()) coming_.wait();
}

Batch BatchFeed::next(int64_t step) {
  if (device_.is_cpu()) return loader_.batch(step);
  if (used_) used_->image.done(), used_->label.done();
  used_ = nullptr;
  if (coming_.valid()) coming_step_ == step ? coming_.get() : coming_.wait();
  if (coming_step_ != step) {
    const Batch first = loader_.batch(step);
    for (auto& slot : slots_)
      if (!slot) slot.emplace(first, device_);
    slots_[size_t(step % 2)]->send(first);
  }
  used_ = &*slots_[size_t(step % 2)];
  Slot& other = *slots_[size_t((step + 1) % 2)];
  coming_step_ = step + 1;
  coming_ = std::async(std::launch::async, [this, &other, n = threads(), step] {
    set_threads(n);
    other.send(loader_.batch(step + 1));
  });
  return {used_->image.arrived(), used_->label.arrived()};
}

}  // namespace voxgrad
