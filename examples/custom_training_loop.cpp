// A training loop of your own: batches in parts whose gradients add up, warm-up and cosine, clipping, averaged weights, and a checkpoint
// from which training goes on bitwise as if it had not stopped.
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;

constexpr int kSteps = 12, kParts = 2;

// A module of two networks, whose weights are so saved together, and beside them what trains the first.
struct Run {
  UNet net, average;
  FIELDS(net, average)
  AdamW optimizer;
  int64_t step = 0;

  explicit Run(Rng rng)
      : net(UNetConfig::plain({.classes = 4, .stages = 2, .base_features = 8}), rng),
        average(clone(net)),
        optimizer(parameters(net)) {}
};

// Steps up to `end`. What is random in a step follows from its number alone.
double train(Run& run, int64_t end) {
  double loss_of_step = 0;
  for (; run.step < end; ++run.step) {
    const Training scope(Rng(7).at(uint64_t(run.step)));  // from which dropout would draw
    loss_of_step = 0;
    for (int part = 0; part < kParts; ++part) {
      const Phantom p = make_phantom(PhantomKind::shapes, {.size = {16, 16, 16}, .seed = uint64_t(run.step * kParts + part)});
      const auto outputs = run.net(p.image.reshape({1, 16, 16, 16, 1}) / 100);
      const Tensor loss = deep_supervision_loss(outputs, p.label.reshape({1, 16, 16, 16})) / kParts;
      backward(loss);
      loss_of_step += loss.item();
    }
    clip_grad_norm(parameters(run.net), 1);
    run.optimizer.set_learning_rate(warm_up(double(run.step), 3) * cosine_lr({.base = 1e-2, .total = kSteps}, double(run.step)));
    run.optimizer.step();
    move_average(state_of(run.average), state_of(run.net), 0.99, run.step + 1);
    std::printf("step %2d: loss %.4f, learning rate %.4f\n", int(run.step), loss_of_step, run.optimizer.learning_rate());
  }
  return loss_of_step;
}

void save(Run& run) {
  save_checkpoint("loop_weights.safetensors", {.tensors = state_of(run), .metadata = {{"step", std::to_string(run.step)}}});
  save_checkpoint("loop_optimizer.safetensors", {.tensors = run.optimizer.state()});
}

void load(Run& run) {
  const Checkpoint weights = load_checkpoint("loop_weights.safetensors");
  load_into(run, weights);
  run.optimizer.load_state(load_checkpoint("loop_optimizer.safetensors").tensors);
  run.step = std::stoll(weights.metadata.at("step"));
}

int main() {
  Run whole(Rng(1));
  const double first = train(whole, 1), last = train(whole, kSteps);

  Run stopped(Rng(1));
  train(stopped, kSteps / 2);
  save(stopped);
  Run resumed(Rng(2));
  load(resumed);
  train(resumed, kSteps);

  bool same = true;
  const auto expected = state_of(whole.average), got = state_of(resumed.average);
  for (size_t i = 0; i < expected.size(); ++i) same = same && expected[i].tensor.values() == got[i].tensor.values();
  std::printf("the loss went from %.3f to %.3f; after the resume %s\n", first, last, same ? "every bit is the same" : "weights differ");
  return same && last < first ? 0 : 1;
}
