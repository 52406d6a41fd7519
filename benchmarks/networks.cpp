// Whole networks in training and at inference: nnU-Net's plain U-Net; a residual, a dense and a ConvNeXt network for values per image.
#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "benchmarks/bench.h"
#include "core/autograd.h"
#include "core/device/recorded_step.h"
#include "core/fields.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "layers/losses.h"
#include "models/convnext/convnext.h"
#include "models/densenet/densenet.h"
#include "models/resnet/resnet.h"
#include "models/unet/unet.h"
#include "optim/sgd.h"

namespace voxgrad::bench {
namespace {

constexpr int kClasses = 3;
constexpr double kClip = 12;

// A kind of network: its configuration, and the loss that a training step takes of what it gives.
struct UNetWork {
  using Net = UNet;
  std::string name;
  int stages, base_features;
  int64_t batch;
  Int3 size;

  UNetConfig config() const { return UNetConfig::plain({.classes = kClasses, .stages = stages, .base_features = base_features}); }
  Json work(const char* op) const {
    return {{"op", std::string("unet_") + op}, {"features", config().features},    {"classes", kClasses},
            {"batch", batch},                  {"size", {size.d, size.h, size.w}}, {"clip", kClip}};
  }
  Tensor label(Device device) const { return random_label({batch, size.d, size.h, size.w}, kClasses, 2, device); }
  // Dice + cross-entropy at every resolution.
  static Tensor loss(const std::vector<Tensor>& outputs, const Tensor& label) { return deep_supervision_loss(outputs, label); }
};

// One that gives values for an image.
struct ClassifierWork {
  std::string name;
  int64_t batch;
  Int3 size;

  // With what is of one kind.
  Json work(const char* kind, const char* op, const Json& more) const {
    Json out = {
        {"op", std::string(kind) + "_" + op}, {"classes", kClasses}, {"batch", batch}, {"size", {size.d, size.h, size.w}}, {"clip", kClip}};
    out.update(more);
    return out;
  }
  Tensor label(Device device) const { return random_label({batch}, kClasses, 2, device); }
  static Tensor loss(const Tensor& logits, const Tensor& label) { return cross_entropy(logits, label); }
};

struct ResNetWork : ClassifierWork {
  using Net = ResNet;
  int depth, base_features;
  std::string norms = {};  // in training, "running": by running statistics, "frozen": their scales and shifts are not trained either

  ResNetConfig config() const { return {.classes = kClasses, .depth = depth, .base_features = base_features}; }
  Json work(const char* op) const {
    Json more = {{"depth", depth}, {"features", base_features}};
    if (!norms.empty()) more["norms"] = norms;
    return ClassifierWork::work("resnet", op, more);
  }
  void set_norms(ResNet& net) const {
    if (norms.empty()) return;
    eval(net);
    walk(net, [&](const std::string& name, Tensor& t) {  // no other part has vectors
      if (norms == "frozen" && t.shape().rank == 1 && !name.starts_with("fc.")) t.require_grad(false);
    });
  }
};

struct DenseNetWork : ClassifierWork {
  using Net = DenseNet;
  int growth;

  DenseNetConfig config() const { return {.classes = kClasses, .growth = growth}; }
  Json work(const char* op) const { return ClassifierWork::work("densenet", op, {{"depth", config().depth}, {"growth", growth}}); }
};

struct ConvNeXtWork : ClassifierWork {
  using Net = ConvNeXt;
  int features;

  ConvNeXtConfig config() const { return {.classes = kClasses, .base_features = features, .drop_path = 0}; }
  Json work(const char* op) const {
    const ConvNeXtConfig c = config();
    return ClassifierWork::work("convnext", op, {{"features", features}, {"blocks", c.blocks}, {"kernel", c.kernel}});
  }
};

// Resident memory of the process in bytes, by the key of /proc/self/status: "VmRSS" now, "VmHWM" at most since reset_peak.
double process_memory(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) * 1024;
  fail("memory: /proc/self/status has no ", key);
}
void reset_peak() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << "5" << std::flush;
  check(bool(clear), "memory: the peak of /proc/self/status cannot be reset");
}

// The peak while the job runs above what the process, or tensors on the GPU, hold when this is made, the network and its input included.
std::function<Json()> memory_above_now(Device device) {
  trim_memory(device);
  if (!device.is_cpu()) {
    reset_peak_memory(device);
    return [device, held = memory_stats(device).in_use] { return Json{{"memory", memory_stats(device).peak - held}}; };
  }
  malloc_trim(0);
  const double before = process_memory("VmRSS");
  reset_peak();
  return [before] { return Json{{"memory", std::max(0.0, process_memory("VmHWM") - before)}}; };
}

template <class Net>
struct TrainingRun {
  Net net;
  Sgd optimizer;
  std::vector<Parameter> trained;
  RecordedStep step;  // on CUDA from the second on
  int64_t steps = 0;
  template <class Work>
  TrainingRun(const Work& work, Device device, Rng rng)
      : net(on(work, device, rng)), optimizer(parameters(net)), trained(parameters(net)), step(device, true) {}

 private:
  template <class Work>
  static Net on(const Work& work, Device device, Rng& rng) {
    Net made(work.config(), rng);
    if constexpr (requires { work.set_norms(made); }) work.set_norms(made);
    move_to(made, device);
    return made;
  }
};

template <class Work>
Tensor image_of(const Work& n, const Setting& s) {
  return random_tensor({n.batch, n.size.d, n.size.h, n.size.w, 1}, s.dtype, 1, s.device);
}

// Forward, loss, backward, clipping, SGD with Nesterov momentum.
template <class Work>
Job step_job(const Work& n, const Setting& s) {
  const auto t = std::make_shared<TrainingRun<typename Work::Net>>(n, s.device, Rng(1));
  const Tensor x = image_of(n, s), label = n.label(s.device);
  const auto gradients = [t](const std::vector<Tensor>& in) {
    const Tensor loss = Work::loss(t->net(in[0]), in[1]);
    if (step_phase() == StepPhase::recorded) note_loss(loss);
    backward(loss);
    clip_grad_norm(t->trained, kClip);
  };
  const auto run = [=] {
    t->step(t->steps++, {.inputs = {x, label}, .gradients = gradients, .update = [t] { t->optimizer.step(); }});
    t->step.outcomes();
  };
  return {.contenders = {{"voxgrad", run}}, .facts = memory_above_now(s.device)};
}

template <class Work>
Job inference_job(const Work& n, const Setting& s) {
  Rng rng(1);
  const auto net = std::make_shared<typename Work::Net>(n.config(), rng);
  move_to(*net, s.device);
  const Tensor x = image_of(n, s);
  // One scope for all calls, as prediction has one for all tiles: what kernels make of the weights stays.
  const auto scope = std::make_shared<Inference>();
  const auto run = [net, x, scope] { (*net)(x); };
  return {.contenders = {{"voxgrad", run}}, .facts = memory_above_now(s.device)};
}

}  // namespace

void add_network_cases(const Sizes& sizes, std::vector<Case>& cases) {
  const std::vector<DType> dtypes = {DType::f32, DType::bf16};
  const auto add = [&](const char* group, const auto& n, const char* op) -> Case& {
    const bool step = std::string_view(op) == "step";
    return cases.emplace_back(
        Case{.group = group, .name = n.name, .work = n.work(op), .dtypes = dtypes, .prepare = [n, step](const Setting& s) {
               return step ? step_job(n, s) : inference_job(n, s);
             }});
  };
  const auto base = [&](int features) { return sizes.tiny ? 4 : features; };
  const auto extent = [&](int v) { return sizes.tiny ? 16 : v; };
  const UNetWork plain{"unet 32-64-128-256-320, 2x64^3", 5, base(32), 2, {extent(64), extent(64), extent(64)}};
  const UNetWork small{"unet 16-32-64-128, 2x40x56x40", 4, base(16), 2, {extent(40), extent(56), extent(40)}};
  const UNetWork large{"unet 32-64-128-256-320-320, 2x128^3", 6, base(32), 2, {extent(128), extent(128), extent(128)}};
  const UNetWork one_large{"unet 32-64-128-256-320-320, 1x128^3", 6, base(32), 1, large.size};
  const ResNetWork resnet{{"resnet50, 2x64^3", 2, {extent(64), extent(64), extent(64)}}, 50, base(64)};
  const DenseNetWork dense{{"densenet121, 2x64^3", 2, resnet.size}, base(32)};
  const ConvNeXtWork convnext{{"convnext 40, 2x64^3", 2, resnet.size}, base(40)};
  for (const char* op : {"step", "inference"}) {
    for (const UNetWork& n : {plain, small}) add(op, n, op);
    add(op, resnet, op);
    add(op, dense, op).of_cpu = true;
    add(op, convnext, op).of_cpu = true;
    add(op, large, op).of_gpu = true;
    if (op == std::string_view("inference")) add(op, one_large, op).of_gpu = true;
    for (const auto& [batch, e] : {std::pair{16, 32}, {1, 96}, {1, 128}}) {
      const std::string size = std::to_string(batch) + "x" + std::to_string(e) + "^3";
      const ResNetWork n{{"resnet50, " + size + "/" + op, batch, {extent(e), extent(e), extent(e)}}, 50, base(64)};
      add("sizes", n, op).of_cpu = true;
    }
  }
  for (const auto& [norms, name] :
       {std::pair{"running", "resnet50 by running statistics, 2x96^3"}, {"frozen", "resnet50, frozen norms, 2x96^3"}}) {
    ResNetWork other = resnet;
    other.name = name;
    other.norms = norms;
    other.size = {extent(96), extent(96), extent(96)};
    add("step", other, "step").of_cpu = true;
  }
  for (const int e : {32, 48, 64, 96, 128, 160, 192, 256}) {
    const Int3 size = {extent(e), extent(e), extent(e)};
    add("sweep", UNetWork{"unet 16-32-64-128, voxels " + std::to_string(e), 4, base(16), 1, size}, "inference");
  }
}

}  // namespace voxgrad::bench
