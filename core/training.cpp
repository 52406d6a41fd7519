#include "core/training.h"

#include <utility>

#include "core/error.h"
#ifdef VOXGRAD_CUDA
#include "core/cuda/step_slots.h"
#endif

namespace voxgrad {
namespace {
thread_local Training::Stream current{.rng = Rng(), .active = false};
}  // namespace

Training::Training(const Rng& rng, Statistics statistics)
    : Training(Stream{.rng = rng, .again = current.again, .statistics = statistics}) {}
Training::Training(const Stream& stream) : before_(std::exchange(current, stream)) {}
Training::~Training() { current = before_; }

Rng Training::draw(const char* who) {
  check(current.active, who, ": there are no random numbers to draw from. In training, open a scope around the forward pass: ",
        "const Training scope(rng.at(step)); at inference, open an Inference scope or call eval(network)");
  const uint64_t n = current.calls++;
  const Rng drawn = current.rng.at(n);
#ifdef VOXGRAD_CUDA
  cuda::note_draw(drawn, n);
#endif
  return drawn;
}

Training::Stream Training::stream() { return current; }
bool Training::repeating() { return current.again; }
bool Training::uses_running_statistics() { return current.statistics == Statistics::running; }

}  // namespace voxgrad
