#include "core/cuda/scratch.h"
#include "core/error.h"
#include "kernels/dice_cross_entropy/loss_kernels.h"

namespace voxgrad {

// Waits for the stream: a label beyond the classes is an error of the call, not of something later.
void loss_forward(Cuda on, const SegmentationLoss& p, View logits, View label, View weights, View loss, View slopes) {
  int64_t bad = kNoBadLabel;
  const Scratch first_bad(on, &bad, sizeof bad);
  loss_forward_unchecked(on, p, logits, label, weights, loss, slopes, first_bad.as<void>());
  first_bad.read(&bad, sizeof bad);
  check(bad == kNoBadLabel, p.op, ": a label is ", bad, ", the logits have ", p.channels, " classes");
}

}  // namespace voxgrad
