#pragma once
#include <cstdint>

#include "core/rng.h"

namespace voxgrad {

// While alive, layers with randomness (Dropout, DropPath) on this thread draw from `rng`: the n-th call of such a layer from 0 gets the
// stream rng.at(n). One for each training step, so that a step has the same numbers after any resume:
//   const Training scope(rng.at(step));
// Scopes nest: the innermost one counts, and the one around it goes on where it was.
class Training {
 public:
  enum class Statistics { of_batch, running };  // that norms of batches use
  explicit Training(const Rng&, Statistics = Statistics::of_batch);
  ~Training();
  Training(const Training&) = delete;

  // The next stream of the innermost scope. Without a scope an Error says how to get one, in the name of `who`.
  static Rng draw(const char* who);

  // Where the innermost scope has come to, from which its numbers can be drawn again, as checkpoint(f, x) does before it runs f again.
  struct Stream {
    Rng rng;
    uint64_t calls = 0;
    bool active = true;  // false: there was no scope
    bool again = false;  // the same numbers have been drawn before
    Statistics statistics = Statistics::of_batch;
  };
  static Stream stream();
  explicit Training(const Stream&);
  // Whether a computation is repeated only for its gradients, so that what it leaves behind (running statistics) is there already.
  static bool repeating();
  // Whether norms of batches use their running statistics, which then stay: gradients reach their scale and shift alone.
  static bool uses_running_statistics();

 private:
  Stream before_;
};

}  // namespace voxgrad
