#include "tests/emulator/counts.h"

#include "core/error.h"

namespace voxgrad::emulator {

void KernelCounts::operator+=(const KernelCounts& c) {
  blocks += c.blocks, barriers += c.barriers, products += c.products, matrices += c.matrices;
  conflicts += c.conflicts, waits += c.waits, copied += c.copied, watched += c.watched;
  loaded += c.loaded, stored += c.stored, read += c.read, written += c.written;
  accesses += c.accesses, load_conflicts += c.load_conflicts, store_conflicts += c.store_conflicts;
}

Counting::Counting(const void* watched, int64_t bytes) : begin_(static_cast<const char*>(watched)), end_(begin_ + bytes) {
  Counting* none = nullptr;
  check(the_one_.compare_exchange_strong(none, this), "emulator: something is counted already");
}
Counting::~Counting() { the_one_ = nullptr; }

void Counting::add(const std::string& kernel, const KernelCounts& c) {
  const std::lock_guard lock(mutex_);
  counts_[kernel] += c;
}

KernelCounts Counting::of(const std::string& part) const {
  const std::lock_guard lock(mutex_);
  KernelCounts sum;
  for (auto& [name, c] : counts_)
    if (name.find(part) != name.npos) sum += c;
  return sum;
}

}  // namespace voxgrad::emulator
