// Losses within a step that is recorded on a CUDA device: what they count stays there, so that the bits are those of a step that is given
// kernel by kernel.
#include "core/autograd.h"
#include "core/device/recorded_step.h"
#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/region_dice_bce/region_dice_bce.h"
#include "core/module.h"
#include "optim/sgd.h"
#include "tasks/classification/class_losses.h"
#include "tasks/classification/classification.h"
#include "tasks/image_loss/image_loss.h"
#include "tasks/instances/instances.h"
#include "tasks/landmarks/landmarks.h"
#include "tasks/pretraining/masked_reconstruction.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

const Device kCard{0};
constexpr int64_t kSteps = 6;

// What a loss is given: its outputs are `scale` times the first input.
struct Learned {
  const char* name;
  std::vector<Tensor> (*inputs)(Rng);
  Tensor (*loss)(const Tensor& y, const std::vector<Tensor>& in);
};

Tensor drawn(const Shape& s, Rng rng, double low, double high) {
  const Tensor t = Tensor::empty(s);
  for (float& v : t.mutable_data<float>()) v = float(rng.uniform(low, high));
  return t;
}
Tensor drawn_below(const Shape& s, Rng rng, int64_t n, DType type = DType::u8) {
  std::vector<double> v(size_t(s.count()));
  for (double& x : v) x = double(rng.below(n));
  return Tensor::from(v, s, type);
}

struct Scaled {
  Tensor scale = Tensor::full({1}, 0.5, DType::f32, kCard).require_grad();
  FIELDS(scale)
};

struct Run {
  Scaled net;
  Sgd optimizer{parameters(net), {.learning_rate = 0.1, .momentum = 0.9}};
  RecordedStep step;
  std::vector<double> numbers;

  explicit Run(bool recorded) : step(kCard, recorded) {}
  void learn(const Learned& l) {
    std::vector<std::vector<Tensor>> kept;
    for (int64_t s = 0; s < kSteps; ++s) {
      kept.emplace_back();
      for (const Tensor& t : l.inputs(Rng(uint64_t(s)))) kept.back().push_back(t.to(kCard));
      step(s, {.inputs = kept.back(),
               .scopes = {},
               .gradients =
                   [&](const std::vector<Tensor>& in) {
                     const Tensor loss = l.loss(mul(in[0], net.scale), in);
                     if (step_phase() == StepPhase::recorded) note_loss(loss);
                     else numbers.push_back(loss.item());
                     backward(loss);
                     const double norm = gradient_norm(parameters(net));
                     if (step_phase() == StepPhase::given) numbers.push_back(norm);
                   },
               .update = [&] { optimizer.step(); },
               .trained = {net.scale},
               .host_state = {}});
      know(false);
    }
    know(true);
  }
  void know(bool all) {
    for (auto& o : step.outcomes(all)) numbers.insert(numbers.end(), {o.loss, o.gradient_norm});
  }
};

const Shape kImage{2, 3, 4, 5, 1}, kVoxels{2, 3, 4, 5};

const Learned kLearned[] = {
    {"regions with a label that is ignored",
     [](Rng rng) {
       return std::vector{drawn({2, 3, 4, 5, 3}, rng.at(0), -1, 1), drawn_below(kVoxels, rng.at(1), 5), drawn({256, 3}, rng.at(2), 0, 1)};
     },
     [](const Tensor& y, const std::vector<Tensor>& in) { return region_dice_bce(y, in[1], in[2], {.ignore_label = 4}); }},
    {"images with a mask",
     [](Rng rng) {
       return std::vector{drawn(kImage, rng.at(0), -1, 1), drawn(kImage, rng.at(1), -1, 1), drawn_below(kImage, rng.at(2), 2, DType::f32)};
     },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return image_loss({{.kind = "l1"}, {.kind = "l2", .weight = 0.5}, {.kind = "charbonnier"}},
                         {.image = y, .reference = in[1], .mask = in[2]});
     }},
    {"images of which blocks are masked",
     [](Rng rng) {
       return std::vector{drawn(kImage, rng.at(0), -1, 1), drawn_below(kImage, rng.at(2), 2, DType::f32)};
     },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return MaskedReconstruction({}).loss({y}, {in[0], {{"whole", DataKind::image, in[0]}, {"mask", DataKind::image, in[1]}}});
     }},
    {"instances",
     [](Rng rng) {
       return std::vector{drawn({2, 3, 4, 5, 7}, rng.at(0), -1, 1), drawn_below(kVoxels, rng.at(1), 3),
                          drawn({2, 3, 4, 5, 3}, rng.at(2), -4, 4), drawn(kImage, rng.at(3), 0, 1), drawn({6}, rng.at(4), 1, 2)};
     },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return Instances({}).loss({y}, {in[0],
                                       {{"class", DataKind::labels, in[1]},
                                        {"offsets", DataKind::vectors, in[2]},
                                        {"heat", DataKind::image, in[3]},
                                        {"sigma", DataKind::values, in[4]}}});
     }},
    {"landmarks",
     [](Rng rng) {
       const Tensor points = Tensor::from({1, 2, 3, 1, 0, 1, 1, 0, 2, 2, 2, 1, 1, 1, double(rng.at(1).below(4)), 1}, {4, 4});
       const Batch b = Landmarks({}).prepare({drawn(kImage, rng.at(0), -1, 1),
                                              {{"points", DataKind::points, points, {0, 2, 4}},
                                               {"sigma", DataKind::values, Tensor::full({2, 3}, 1.5)}}},
                                             Rng(0));
       return std::vector{drawn({2, 3, 4, 5, 2}, rng.at(2), -1, 1), b.targets.at(0).data, b.targets.at(1).data, b.targets.at(2).data};
     },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return Landmarks({}).loss({y}, {in[0],
                                       {{"maps", DataKind::image, in[1]},
                                        {"known", DataKind::values, in[2]},
                                        {"empty", DataKind::values, in[3]}}});
     }},
    {"ordered classes with weights",
     [](Rng rng) { return std::vector{drawn({4, 3}, rng.at(0), -1, 1), drawn_below({4, 1}, rng.at(1), 3, DType::i32)}; },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return classification_loss(y, in[1], {.target = ClassTarget::ordinal, .class_weights = {1, 2, 0.5}});
     }},
    {"ordered classes",
     [](Rng rng) { return std::vector{drawn({4, 3}, rng.at(0), -1, 1), drawn_below({4, 1}, rng.at(1), 3, DType::i32)}; },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return classification_loss(y, in[1], {.target = ClassTarget::ordinal, .label_smoothing = 0.1});
     }},
    {"classes of images that are mixed",
     [](Rng rng) {
       return std::vector{drawn({4, 3}, rng.at(0), -1, 1), drawn_below({4}, rng.at(1), 3, DType::i32),
                          drawn_below({4}, rng.at(2), 3, DType::i32), drawn({1}, rng.at(3), 0, 1)};
     },
     [](const Tensor& y, const std::vector<Tensor>& in) {
       return Classification({}).loss({y}, {in[0],
                                            {{"class", DataKind::values, in[1]},
                                             {"class_mixed", DataKind::values, in[2]},
                                             {"share", DataKind::values, in[3]}}});
     }},
};

}  // namespace

TEST_CASE("recorded losses: what they count stays on the device, and the bits are those of losses that are given") {
  for (const Learned& l : kLearned) {
    INFO(l.name);
    Run given(false), recorded(true);
    given.learn(l);
    recorded.learn(l);
    INFO(recorded.step.why_not());
    CHECK(recorded.step.is_recorded());
    CHECK(given.numbers.size() == size_t(2 * kSteps));
    CHECK(recorded.numbers == given.numbers);
    CHECK(recorded.net.scale.values() == given.net.scale.values());
  }
}
