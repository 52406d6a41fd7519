// Steps of training that are recorded on a CUDA device: the bits of steps that are given kernel by kernel, no waiting within, and the same
// errors.
#include "core/device/recorded_step.h"

#include <cmath>
#include <limits>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "core/training.h"
#include "kernels/binary/binary.h"
#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"
#include "layers/conv.h"
#include "layers/dropout.h"
#include "layers/norm.h"
#include "optim/adamw.h"
#include "optim/average.h"
#include "optim/lion/lion.h"
#include "optim/sgd.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

const Device kCard{0};
constexpr int64_t kSteps = 7, kParts = 2;  // a step has the gradients of two batches

struct DroppingNet {
  Conv3d first, second;
  BatchNorm norm;
  Dropout drop{.p = 0.3}, channels{.p = 0.4, .per_channel = true};
  DropPath path{.p = 0.5};
  FIELDS(first, second, norm, drop, channels, path)
  explicit DroppingNet(Rng rng)
      : first({.in = 1, .out = 6}, rng), second({.in = 6, .out = 3, .kernel = {1, 1, 1}}, rng), norm({.channels = 6}) {}
  Tensor operator()(const Tensor& x) const {
    return second(channels(path(drop(checkpoint([&](const Tensor& t) { return drop(norm(first(t))); }, x)))));
  }
};

using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<Parameter>&)>;

// Training of a small network on batches that differ from step to step.
struct Run {
  DroppingNet net, average;
  std::unique_ptr<Optimizer> optimizer;
  RecordedStep step;
  std::vector<double> losses, norms;
  double clip = 0.05;
  int64_t bad_label_at = -1, bad_image_at = -1, bad_gradient_at = -1;
  int calls = 0;
  bool waits_within = false;
  std::vector<std::vector<Tensor>> kept;  // checks of memory wait where it is released

  Run(bool recorded, const Make& make)
      : net(on_card(DroppingNet(Rng(3)))),
        average(clone(net)),
        optimizer(make(parameters(net))),
        step(kCard, recorded, [](const RecordedStep::Outcome& o) { check(std::isfinite(o.loss), "the loss is ", o.loss); }) {
    freeze(average);
  }
  static DroppingNet on_card(DroppingNet n) {
    move_to(n, kCard);
    return n;
  }
  static Rng scope(int64_t s, int64_t part) { return Rng(11).at(uint64_t(s), uint64_t(part)); }

  std::vector<Tensor> batch(int64_t s) const {
    std::vector<Tensor> out;
    for (int64_t part = 0; part < kParts; ++part) {
      Rng rng = Rng(5).at(uint64_t(s), uint64_t(part));
      Tensor x = Tensor::empty({2, 4, 4, 4, 1}), y = Tensor::empty({2, 4, 4, 4}, DType::u8);
      for (float& v : x.mutable_data<float>()) v = float(rng.uniform(-1, 1));
      for (uint8_t& v : y.mutable_data<uint8_t>()) v = uint8_t(rng.below(3));
      if (s == bad_label_at && part == 1) y.mutable_data<uint8_t>()[77] = 9;
      if (s == bad_image_at && part == 1) x.mutable_data<float>()[5] = std::numeric_limits<float>::infinity();
      out.push_back(x.to(kCard));
      out.push_back(y.to(kCard));
    }
    out.push_back(Tensor::full({3}, s == bad_gradient_at ? 0 : 1, DType::f32, kCard));
    return out;
  }

  void gradients(const std::vector<Tensor>& in, int64_t s) {
    ++calls;
    double sum = 0;
    for (int64_t part = 0; part < kParts; ++part) {
      const Training training(scope(s, part));
      // The root of 0 is finite, its slope is not.
      const Tensor root = mean(sqrt(mul(exp(net.second.bias), in.back())));
      const Tensor loss = add(dice_cross_entropy(net(in[size_t(2 * part)]), in[size_t(2 * part + 1)]), affine(root, 0.01, 0));
      if (step_phase() == StepPhase::recorded) note_loss(loss);
      else sum += loss.item();
      if (waits_within) loss.item();
      backward(loss);
    }
    const double norm = clip > 0 ? clip_grad_norm(parameters(net), clip) : gradient_norm(parameters(net));
    if (step_phase() == StepPhase::given) losses.push_back(sum), norms.push_back(norm);
  }

  void learn(int64_t s) {
    kept.push_back(batch(s));
    optimizer->set_learning_rate(0.02 / double(s + 1));
    step(s, {.inputs = kept.back(),
             .scopes = {scope(s, 0), scope(s, 1)},
             .gradients = [&, s](const std::vector<Tensor>& in) { gradients(in, s); },
             .update = [&, s] {
               optimizer->step();
               move_average(state_of(average), state_of(net), 0.9, s + 1);
             },
             .trained = trained(),
             .host_state = host_state()});
    know(step.outcomes());
  }
  void know(const std::vector<RecordedStep::Outcome>& known) {
    for (auto& o : known) losses.push_back(o.loss), norms.push_back(o.gradient_norm);
  }
  std::vector<Tensor> trained() {
    std::vector<Tensor> out;
    for (auto& p : parameters(net)) out.push_back(p.tensor);
    return out;
  }
  std::vector<Tensor> host_state() const {
    std::vector<Tensor> out;
    for (auto& p : optimizer->state())
      if (p.tensor.device().is_cpu()) out.push_back(p.tensor);
    return out;
  }
  std::vector<std::vector<double>> values() {
    know(step.outcomes(true));
    std::vector<std::vector<double>> out{losses, norms};
    for (auto& all : {state_of(net), state_of(average), optimizer->state()})
      for (auto& p : all) out.push_back(p.tensor.values());
    return out;
  }
};

const Make kSgd = [](auto& p) { return std::make_unique<Sgd>(p, SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01}); };
const Make kAdamW = [](auto& p) { return std::make_unique<AdamW>(p, AdamWOptions{.learning_rate = 0.1}); };
const Make kLion = [](auto& p) { return std::make_unique<Lion>(p, LionOptions{.learning_rate = 0.1, .weight_decay = 0.1}); };

}  // namespace

TEST_CASE("recorded step: the bits of steps that are given kernel by kernel") {
  for (const auto& [name, make] : {std::pair{"sgd", kSgd}, {"adamw", kAdamW}, {"lion", kLion}})
    for (const double clip : {0.05, 0., 1e6}) {
      INFO(name << ", clipped to " << clip);
      Run given(false, make), recorded(true, make);
      for (Run* run : {&given, &recorded}) {
        run->clip = clip;
        for (int64_t s = 0; s < kSteps; ++s) run->learn(s);
      }
      INFO(recorded.step.why_not());
      CHECK(recorded.step.is_recorded());
      CHECK(recorded.calls == 2);
      CHECK(given.calls == kSteps);
      CHECK(given.values() == recorded.values());
    }
}

TEST_CASE("recorded step: the host waits for the step before the latest, and for nothing else") {
  Run run(true, kAdamW);
  for (int64_t s = 0; s < 4; ++s) run.learn(s);
  const size_t known = run.losses.size();
  CHECK(known == 3);  // that of step 3 is not known yet
  const int64_t before = cuda::waits();
  for (int64_t s = 4; s < 9; ++s) run.learn(s);
  CHECK(cuda::waits() - before == 5);
  CHECK(run.losses.size() == known + 5);
}

TEST_CASE("recorded step: memory is given back") {
  const size_t before = memory_stats(kCard).in_use;
  {
    Run run(true, kAdamW);
    for (int64_t s = 0; s < 4; ++s) run.learn(s);
    const auto held = [&] {
      run.kept.clear();
      return memory_stats(kCard).in_use;
    };
    const size_t recorded = held();
    run.learn(4);
    CHECK(held() == recorded);
    run.step.forget();
    CHECK(memory_stats(kCard).in_use < recorded);
    for (int64_t s = 5; s < 8; ++s) run.learn(s);
    CHECK(run.step.is_recorded());
    CHECK(run.calls == 4);
  }
  CHECK(memory_stats(kCard).in_use == before);
}

TEST_CASE("recorded step: a label that does not exist is said as ever, a step later, and nothing has changed by its step") {
  Run given(false, kSgd), recorded(true, kSgd);
  given.bad_label_at = recorded.bad_label_at = 4;
  for (Run* run : {&given, &recorded})
    for (int64_t s = 0; s < 4; ++s) run->learn(s);
  const auto of_weights = [](Run& r) {
    std::vector<std::vector<double>> out;
    for (auto& all : {parameters(r.net), r.optimizer->state(), parameters(r.average)})
      for (auto& p : all) out.push_back(p.tensor.detach().values());
    return out;
  };
  const auto before = of_weights(recorded);
  CHECK_THROWS_WITH(given.learn(4), "dice_cross_entropy: a label is 9, the logits have 3 classes");
  recorded.learn(4);
  CHECK(of_weights(recorded) == before);
  CHECK_THROWS_WITH(recorded.learn(5), "dice_cross_entropy: a label is 9, the logits have 3 classes");
}

TEST_CASE("recorded step: what is not finite leaves its step out and is said") {
  const auto weights = [](const Run& r) { return r.net.first.weight.detach().values(); };
  {
    Run recorded(true, kAdamW);
    recorded.bad_image_at = 4;
    for (int64_t s = 0; s < 4; ++s) recorded.learn(s);
    const std::vector<double> before = weights(recorded);
    recorded.learn(4);
    CHECK(weights(recorded) == before);
    CHECK_THROWS_WITH(recorded.step.outcomes(true), Contains("the loss is") && Contains("nan"));
  }
  Run given(false, kAdamW), recorded(true, kAdamW);
  given.bad_gradient_at = recorded.bad_gradient_at = 4;
  for (Run* run : {&given, &recorded})
    for (int64_t s = 0; s < 4; ++s) run->learn(s);
  const std::vector<double> before = weights(recorded);
  CHECK_THROWS_WITH(given.learn(4), "optimizer: the gradient of \"second.bias\" {3} is not finite");
  recorded.learn(4);
  CHECK(weights(recorded) == before);
  CHECK_THROWS_WITH(recorded.learn(5), "optimizer: the gradient of \"second.bias\" {3} is not finite");
}

TEST_CASE("recorded step: what cannot be recorded is given as it comes") {
  Run given(false, kAdamW), waiting(true, kAdamW);
  waiting.waits_within = true;
  for (Run* run : {&given, &waiting})
    for (int64_t s = 0; s < kSteps; ++s) run->learn(s);
  CHECK(!waiting.step.is_recorded());
  CHECK_THAT(waiting.step.why_not(), Contains("waited for") || Contains("ordinary memory"));
  CHECK(given.values() == waiting.values());
}
