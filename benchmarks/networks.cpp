// Whole networks: nnU-Net's plain U-Net in training and at inference.
#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "benchmarks/bench.h"
#include "core/autograd.h"
#include "core/fields.h"
#include "kernels/pointwise/pointwise.h"
#include "layers/losses.h"
#include "models/unet/unet.h"
#include "optim/sgd.h"

namespace voxgrad::bench {
namespace {

constexpr int kClasses = 3;
constexpr double kClip = 12;

struct Network {
  std::string name;
  int stages, base_features;
  int64_t batch;
  Int3 size;

  UNetConfig config() const { return UNetConfig::plain({.classes = kClasses, .stages = stages, .base_features = base_features}); }
  Json work(const char* op) const {
    return {{"op", op},       {"features", config().features},    {"classes", kClasses},
            {"batch", batch}, {"size", {size.d, size.h, size.w}}, {"clip", kClip}};
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

struct TrainingRun {
  UNet net;
  Sgd optimizer;
  std::vector<Parameter> trained;
  TrainingRun(const UNetConfig& config, Device device, Rng rng)
      : net(on(config, device, rng)), optimizer(parameters(net)), trained(parameters(net)) {}

 private:
  static UNet on(const UNetConfig& config, Device device, Rng& rng) {
    UNet made(config, rng);
    move_to(made, device);
    return made;
  }
};

// Forward, Dice + cross-entropy at every resolution, backward, clipping, SGD with Nesterov momentum.
Job step_job(const Network& n, const Setting& s) {
  const auto t = std::make_shared<TrainingRun>(n.config(), s.device, Rng(1));
  const Tensor x = random_tensor({n.batch, n.size.d, n.size.h, n.size.w, 1}, s.dtype, 1, s.device);
  const Tensor label = random_label({n.batch, n.size.d, n.size.h, n.size.w}, kClasses, 2, s.device);
  const auto run = [=] {
    backward(deep_supervision_loss(t->net(x), label));
    clip_grad_norm(t->trained, kClip);
    t->optimizer.step();
  };
  return {.contenders = {{"voxgrad", run}}, .facts = memory_above_now(s.device)};
}

Job inference_job(const Network& n, const Setting& s) {
  Rng rng(1);
  const auto net = std::make_shared<UNet>(n.config(), rng);
  move_to(*net, s.device);
  const Tensor x = random_tensor({n.batch, n.size.d, n.size.h, n.size.w, 1}, s.dtype, 1, s.device);
  const auto run = [=] {
    const Inference scope;
    (*net)(x);
  };
  return {.contenders = {{"voxgrad", run}}, .facts = memory_above_now(s.device)};
}

}  // namespace

void add_network_cases(const Sizes& sizes, std::vector<Case>& cases) {
  const std::vector<DType> dtypes = {DType::f32, DType::bf16};
  const auto add = [&](const char* group, const Network& n, const char* op, auto job) {
    cases.push_back({.group = group, .name = n.name, .work = n.work(op), .dtypes = dtypes, .prepare = [n, job](const Setting& s) {
                       return job(n, s);
                     }});
  };
  const auto base = [&](int features) { return sizes.tiny ? 4 : features; };
  const auto extent = [&](int v) { return sizes.tiny ? 16 : v; };
  const Network plain{"unet 32-64-128-256-320, 2x64^3", 5, base(32), 2, {extent(64), extent(64), extent(64)}};
  const Network small{"unet 16-32-64-128, 2x40x56x40", 4, base(16), 2, {extent(40), extent(56), extent(40)}};
  for (const Network& n : {plain, small}) add("step", n, "unet_step", step_job);
  for (const Network& n : {plain, small}) add("inference", n, "unet_inference", inference_job);
  for (const int e : {32, 48, 64, 96, 128, 160, 192, 256})
    add("sweep", {"unet 16-32-64-128, voxels " + std::to_string(e), 4, base(16), 1, {extent(e), extent(e), extent(e)}},
        "unet_inference", inference_job);
}

}  // namespace voxgrad::bench
