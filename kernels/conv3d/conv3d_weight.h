#pragma once
#include <cstdint>
#include <limits>
#include <memory>

#include "kernels/conv3d/conv3d_tile.h"

namespace voxgrad {

struct ConvWeight {
  View w, bias = {};                      // bias: or null
  std::shared_ptr<void>* kept = nullptr;  // as for conv3d_forward
};

// What an algorithm makes of weights, packed or transformed; it may outlive a call.
template <class A>
struct DerivedWeight {
  static constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  int64_t algorithm;  // that it is for
  ConvScratch<A> data;

  // That which is kept for this algorithm or, where there is none, new memory for it (made: true), kept from now on if it has no more
  // than `most` bytes.
  static std::shared_ptr<DerivedWeight> find(std::shared_ptr<void>* kept, int64_t algorithm, int64_t count, int64_t most, bool& made) {
    const bool keep = kept && count * int64_t(sizeof(A)) <= most;
    auto found = keep ? std::static_pointer_cast<DerivedWeight>(*kept) : nullptr;
    made = !found || found->algorithm != algorithm;
    if (made) found.reset(new DerivedWeight{algorithm, ConvScratch<A>(count)});
    if (keep && made) *kept = found;
    return found;
  }
};

}  // namespace voxgrad
