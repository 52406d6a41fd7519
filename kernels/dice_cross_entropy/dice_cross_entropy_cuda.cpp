#include "core/cuda/step_memory.h"
#include "core/device/recorded_step.h"
#include "core/error.h"
#include "kernels/dice_cross_entropy/loss_kernels.h"

namespace voxgrad {

// Waits for the stream but in a step that is recorded: a label beyond the classes is an error of the call, not of something later.
void loss_forward(Cuda on, const SegmentationLoss& p, View logits, View label, View weights, View loss, View slopes) {
  static_assert(kNoBadLabel == cuda::Found::kNothing);
  const cuda::Found first_bad(on);
  loss_forward_unchecked(on, p, logits, label, weights, loss, slopes, first_bad.word());
  say_found(first_bad.read(), [op = p.op, channels = p.channels](int64_t bad) {
    check(bad == kNoBadLabel, op, ": a label is ", bad, ", the logits have ", channels, " classes");
  });
}

}  // namespace voxgrad
