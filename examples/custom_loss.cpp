// A loss of your own, written with the library's ops: its gradient follows from theirs. It teaches a U-Net to find the brain in a head.
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;

// Focal Tversky loss of the foreground (Abraham and Khan 2018): (1 - T)^(3/4), T = tp / (tp + 0.7 fn + 0.3 fp) with soft counts.
// logits {N, D, H, W, 2}, foreground f32 {N, D, H, W}.
Tensor focal_tversky_loss(const Tensor& logits, const Tensor& foreground) {
  const Tensor p = slice(softmax(logits), -1, 1, 2).reshape(foreground.shape());
  const Tensor tp = sum(p * foreground), fn = sum((1 - p) * foreground), fp = sum(p * (1 - foreground));
  return power(1 - tp / (tp + 0.7 * fn + 0.3 * fp + 1e-6), 0.75);
}

// A synthetic head: the image, of mean 0 and deviation 1, and where its brain is.
struct Head {
  Tensor image, brain;  // f32 {1, 24, 24, 24, 1} and {1, 24, 24, 24}
};
Head make_head(uint64_t seed) {
  const Phantom phantom = make_phantom(PhantomKind::head, {.size = {24, 24, 24}, .seed = seed});
  const Tensor x = phantom.image.reshape({1, 24, 24, 24, 1}), centred = x - mean(x);
  return {centred / sqrt(mean(square(centred))), clamp(phantom.label.to(DType::f32), 0, 1).reshape({1, 24, 24, 24})};
}

int main() {
  Rng rng(0);
  UNet net(UNetConfig::plain({.classes = 2, .stages = 3, .base_features = 8}), rng);
  AdamW optimizer(parameters(net), {.learning_rate = 3e-3});
  for (uint64_t step = 0; step < 60; ++step) {
    const Head head = make_head(step);
    const Tensor loss = focal_tversky_loss(net(head.image)[0], head.brain);  // the first output is the one at full resolution
    backward(loss);
    optimizer.step();
    if (step % 10 == 0) std::printf("step %2d: loss %.3f\n", int(step), loss.item());
  }

  const Inference scope;
  const Head head = make_head(1000);
  const Tensor found = argmax_channels(net(head.image)[0]).to(DType::f32);
  const double dice = 2 * sum(found * head.brain).item() / (sum(found) + sum(head.brain)).item();
  std::printf("Dice of a brain not seen before: %.3f\n", dice);
  return dice > 0.8 ? 0 : 1;
}
