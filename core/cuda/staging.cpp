#include "core/cuda/staging.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "core/cuda/runtime.h"
#include "core/error.h"

namespace voxgrad::cuda {

struct Staging::Block {
  explicit Block(int device) : sent(device) {}
  ~Block() { release_pinned(data); }
  void* data = nullptr;
  size_t bytes = 0;
  bool in_use = true;
  Event sent;
};

namespace {
struct Kept {
  std::mutex mutex;
  std::vector<Staging::Block*> blocks;
};
// Never destroyed, as the devices' memory.
Kept& kept() {
  static Kept* all = new Kept;
  return *all;
}
constexpr size_t kSmallest = 1 << 16;
}  // namespace

// The smallest block that is large enough, and free by now; a new one where there is none.
Staging::Staging(Cuda on, size_t bytes) : on_(on), block_(nullptr) {
  std::lock_guard lock(kept().mutex);
  for (Block* b : kept().blocks)
    if (!b->in_use && b->bytes >= bytes && (!block_ || b->bytes < block_->bytes) && b->sent.reached()) block_ = b;
  if (!block_) {
    auto fresh = std::make_unique<Block>(device_of(on));
    fresh->bytes = std::max(kSmallest, (bytes + kSmallest - 1) / kSmallest * kSmallest);
    fresh->data = allocate_pinned(fresh->bytes);
    check(fresh->data, "staging: there is no room for ", fresh->bytes, " bytes of pinned memory");
    kept().blocks.push_back(fresh.get());
    block_ = fresh.release();
  }
  block_->in_use = true;
  data_ = block_->data;
}

Staging::~Staging() {
  std::lock_guard lock(kept().mutex);
  try {
    block_->sent.record(on_);
    block_->in_use = false;
  } catch (const std::exception&) {  // of a device in an error state: the block is not used again
  }
}

}  // namespace voxgrad::cuda
