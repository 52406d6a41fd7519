#include "core/training.h"

#include <utility>

#include "core/error.h"

namespace voxgrad {
namespace {
thread_local Training::Stream innermost{.rng = Rng(), .active = false};
}  // namespace

Training::Training(const Rng& rng) : Training(Stream{.rng = rng, .again = innermost.again}) {}
Training::Training(const Stream& stream) : before_(std::exchange(innermost, stream)) {}
Training::~Training() { innermost = before_; }

Rng Training::draw(const char* who) {
  check(innermost.active, who, ": there are no random numbers to draw from. In training, open a scope around the forward pass: ",
        "const Training scope(rng.at(step)); at inference, open an Inference scope or call eval(network)");
  return innermost.rng.at(innermost.calls++);
}

Training::Stream Training::stream() { return innermost; }
bool Training::repeating() { return innermost.again; }

}  // namespace voxgrad
