// Where the time of each convolution goes: beside what the device can do at most, measured in the same run.
#include "benchmarks/profile/profile.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <set>

#include "benchmarks/measure.h"
#include "benchmarks/profile/cudnn_engines.h"
#include "benchmarks/profile/lines.h"
#include "core/cuda/blas.h"
#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "core/device/conv_backend.h"
#include "core/memory/memory.h"
#include "kernels/conv3d/conv3d_choice_log.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"

namespace voxgrad::bench {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Of each line, in times of the seconds of one contender: engines of cuDNN are tried, and other ways, until these have passed.
constexpr double kForEngines = 14, kForWays = 22;
constexpr int64_t kCudnnWorkspace = int64_t(4) << 30;

// Median seconds of a run, after a warm-up; of what takes long by itself, of the second run.
double seconds_of(const std::function<void()>& run, Device device, double seconds) {
  constexpr int kMost = 50;
  const double once = time_runs(run, 1, device)[0];
  if (once > 8 * seconds) return time_runs(run, 1, device)[0];
  const int repeat = std::clamp(int(seconds / 3 / std::max(once, 1e-9)), 1, kMost);
  std::vector<double> taken;
  for (double spent = 0; taken.size() < 3 * size_t(repeat) || spent < seconds;)
    for (double s : time_runs(run, repeat, device)) taken.push_back(s), spent += s;
  return Statistics(std::move(taken)).median;
}

std::string number(double v, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

// The launch that convolves: not that of weights which are packed, nor of sums which are added.
const cuda::Launched* main_launch(const std::vector<cuda::Launched>& all) {
  const cuda::Launched* found = nullptr;
  for (const cuda::Launched& l : all) {
    if (l.kernel.find("pack") != l.kernel.npos || l.kernel.find("total") != l.kernel.npos) continue;
    if (!found || l.shared > found->shared) found = &l;
  }
  return found;
}

std::string short_name(std::string kernel) {
  for (size_t at; (at = kernel.find("voxgrad::")) != kernel.npos;) kernel.erase(at, 9);
  return kernel;
}

struct Ceilings {
  double copy = 0;          // bytes a second, read and written
  double matrix[2] = {};    // operations a second in tf32 and bf16
  int multiprocessors = 1;
};

Ceilings ceilings_of(const Sizes& sizes, Device device, double seconds) {
  Ceilings c{.multiprocessors = cuda::device_info(device.cuda_index).multiprocessors};
  const int64_t bytes = sizes.tiny ? 1 << 16 : 1 << 30, n = sizes.tiny ? 16 : 8192;
  const Tensor from = random_tensor({bytes / 4}, DType::f32, 1, device), to = Tensor::zeros({bytes / 4}, DType::f32, device);
  c.copy = 2. * double(bytes) / seconds_of([&] { to.copy_from(from); }, device, seconds);
  for (const DType t : {DType::f32, DType::bf16}) {
    const Tensor a = random_tensor({n, n}, t, 2, device), b = random_tensor({n, n}, t, 3, device);
    const Tensor product = Tensor::zeros({n, n}, t, device);
    const auto multiply = [&] { blas_square(current_stream(device), t, n, a.view().data, b.view().data, product.view().data); };
    c.matrix[t == DType::bf16] = 2. * double(n) * double(n) * double(n) / seconds_of(multiply, device, seconds);
  }
  return c;
}

ConvTraffic traffic_of(const Layer& layer, Pass pass, const LayerTensors& t) {
  const Cuda on = current_stream(t.x.device());
  const DType dtype = t.x.dtype();
  if (pass == Pass::weight_gradient) return conv3d_weight_gradient_traffic(on, layer.p, dtype);
  const bool by_forward = layer.transposed ? pass == Pass::input_gradient : pass == Pass::forward;
  return by_forward ? conv3d_forward_traffic(on, layer.p, dtype) : conv3d_input_gradient_traffic(on, layer.p, dtype);
}

// What the table of ways was asked for a pass, of several gathers by that with the most taps, and what it said; null where it was not.
Json choice_of(const std::vector<ConvChoiceLog::Asked>& asked) {
  const auto most = std::max_element(asked.begin(), asked.end(), [](auto& a, auto& b) { return a.shape.taps < b.shape.taps; });
  if (most == asked.end()) return {};
  const ConvShape& s = most->shape;
  return {{"way", name_of(most->way)}, {"architecture", s.architecture},
          {"element", s.element},      {"exact", s.exact},
          {"outputs", s.outputs},      {"taps", s.taps},
          {"waste", s.waste},          {"boxes", s.boxes},
          {"lines", s.lines},          {"line_boxes", s.line_boxes}};
}

// Seconds by each way of the tensor cores that has a kernel of its own for a layer (VOXGRAD_CONV_CUDA), beside that which it takes,
// `taken`, while `more()`.
Json other_ways(const Layer& layer, Pass pass, const LayerTensors& t, double seconds, const std::string& taken,
                const std::function<bool()>& more) {
  constexpr const char *kForce = "VOXGRAD_CONV_CUDA", *kWays[] = {"mma", "wgmma", "tma", "lines", "lines_tma", "winograd"};
  Json ways = Json::object();
  if (std::getenv(kForce)) return ways;
  std::set<std::string> seen = {taken};
  for (const char* way : kWays) {
    if (!more()) break;
    setenv(kForce, way, 1);
    const auto run = [&] { run_layer(layer, pass, t); };
    std::vector<cuda::Launched> launches;
    {
      cuda::LaunchLog log;
      run();
      launches = log.launches;
    }
    const cuda::Launched* l = main_launch(launches);
    if (l && seen.insert(l->kernel).second) ways[way] = seconds_of(run, t.x.device(), seconds);
  }
  unsetenv(kForce);
  // Where blocks share activations as clusters: each by itself.
  constexpr const char* kClusters = "VOXGRAD_CONV_CLUSTERS";
  if (std::getenv(kClusters) || !more()) return ways;
  const double shared = traffic_of(layer, pass, t).activations;
  setenv(kClusters, "0", 1);
  if (traffic_of(layer, pass, t).activations > shared)
    ways["alone"] = seconds_of([&] { run_layer(layer, pass, t); }, t.x.device(), seconds);
  unsetenv(kClusters);
  return ways;
}

Json profile_of(const Layer& layer, Pass pass, const LayerTensors& t, double seconds, const Ceilings& c) {
  const auto begin = Clock::now();
  const auto within = [begin, seconds](double times) { return seconds == 0 || seconds_since(begin) < times * seconds; };
  const DType dtype = t.x.dtype();
  const Device device = t.x.device();
  const auto run = [&] { run_layer(layer, pass, t); };
  run();
  cuda::synchronize(current_stream(device));
  reset_peak_memory(device);
  const int64_t held = int64_t(memory_stats(device).in_use);
  std::vector<cuda::Launched> launches;
  Json choice;
  {
    cuda::LaunchLog log;
    ConvChoiceLog choices;
    run();
    launches = log.launches;
    choice = choice_of(choices.asked);
  }
  cuda::synchronize(current_stream(device));
  const int64_t workspace = int64_t(memory_stats(device).peak) - held;
  const double time = seconds_of(run, device, seconds), flops = layer.flops(), bytes = double(t.x.bytes() + t.y.bytes() + t.w.bytes());
  const double moved = traffic_of(layer, pass, t).bytes();
  const double matrix = c.matrix[dtype == DType::bf16], floor = std::max(flops / matrix, bytes / c.copy);
  const Int3 out = layer.transposed ? layer.p.in : layer.p.out;
  Json r{{"case", "layers/" + layer.name + "/" + name_of(pass)}, {"tags", layer.tags}, {"dtype", name_of(dtype)},
         {"out", {out.d, out.h, out.w}}, {"seconds", time},
         {"flops", flops}, {"bytes", bytes}, {"moved", moved}, {"of_matrix", flops / time / matrix}, {"of_copy", bytes / time / c.copy},
         {"of_floor", floor / time}, {"workspace", workspace}, {"launches", launches.size()}};
  if (cudnn_version() > 0) {
    Layer by_cudnn = layer;
    by_cudnn.p.cudnn = true;
    r["cudnn"] = seconds_of([&] { run_layer(by_cudnn, pass, t); }, device, seconds);
    const auto offers = [&](const auto& take) { for_cudnn_offers(layer, pass, t, kCudnnWorkspace, take); };
    const Json best = best_engine(offers, {.more = [&] { return within(kForEngines); },
                                           .time = [&](const auto& one) { return seconds_of(one, device, seconds); }});
    if (!best.is_null()) r["cudnn_best"] = best;
  }
  if (!choice.is_null()) r["choice"] = choice;
  if (const cuda::Launched* l = main_launch(launches)) {
    const int at_once = std::max(l->per_multiprocessor, 1) * c.multiprocessors;
    r.update({{"kernel", short_name(l->kernel)}, {"blocks", l->blocks}, {"threads", l->threads}, {"shared", l->shared},
              {"per_multiprocessor", l->per_multiprocessor}, {"waves", double(l->blocks) / at_once}});
    r["ways"] = other_ways(layer, pass, t, seconds, l->kernel, [&] { return within(kForWays); });
  }
  return r;
}

// "layers/32-32 at 64/forward  bf16   0.072 ms  201.3 TFLOP/s   25 % of matrix   31 % of copy   31 % of the floor's rate  ..".
void print(const Json& r) {
  const auto percent = [&](const char* key) { return number(100 * r.at(key).get<double>(), "%3.0f %%"); };
  const auto megabytes = [](double v) { return number(v * 1e-6, "%.1f"); };
  std::string line = r.at("case").get<std::string>();
  line.resize(std::max<size_t>(line.size(), 48), ' ');
  line += " " + r.at("dtype").get<std::string>() + number(r.at("seconds").get<double>() * 1e3, " %9.3f ms");
  line += number(r.at("flops").get<double>() / r.at("seconds").get<double>() * 1e-12, " %7.1f TFLOP/s");
  if (r.contains("cudnn")) {
    const double peer = r.at("cudnn");
    line += number(peer * 1e3, ", cuDNN %9.3f ms") + number(peer / r.at("seconds").get<double>(), " (%.2f times as long)");
  }
  if (r.contains("cudnn_best")) {
    const Json& best = r.at("cudnn_best");
    line += number(best.at("seconds").get<double>() * 1e3, ", its best %.3f ms") + " by engine " +
            std::to_string(best.at("engine").get<int>()) + ", place " + std::to_string(best.at("place").get<int>()) + " of " +
            std::to_string(best.at("tried").get<int>()) + (best.at("repeats").get<bool>() ? "" : ", whose bits differ");
  }
  line += " | " + percent("of_matrix") + " of matrix, " + percent("of_copy") + " of copy, " + percent("of_floor") + " of the floor |";
  if (r.contains("kernel"))
    line += " " + r.at("kernel").get<std::string>() + ": " + std::to_string(r.at("blocks").get<int64_t>()) + " blocks, " +
            std::to_string(r.at("per_multiprocessor").get<int>()) + " a multiprocessor, " +
            number(r.at("waves").get<double>(), "%.2f waves |");
  if (r.contains("ways"))
    for (const auto& [way, taken] : r.at("ways").items()) line += " " + way + number(taken.get<double>() * 1e3, " %.3f ms |");
  const double moved = r.at("moved");
  line += " moves " + (moved > 0 ? megabytes(moved) : "?") + " MB of " + megabytes(r.at("bytes")) + " | workspace " +
          megabytes(r.at("workspace")) + " MB";
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace

std::vector<Json> profile(const Sizes& sizes, const ProfileOptions& o) {
  check(!o.device.is_cpu(), "--profile: of a GPU alone, --device cuda");
  std::vector<Json> records;
  if constexpr (kCuda) {
    const std::regex filter(o.filter, std::regex::ECMAScript);
    const auto begin = Clock::now();
    const Ceilings c = ceilings_of(sizes, o.device, o.seconds);
    std::printf("copy %.0f GB/s, matrix products %.0f TFLOP/s in tf32, %.0f in bf16; %d multiprocessors\n", c.copy * 1e-9,
                c.matrix[0] * 1e-12, c.matrix[1] * 1e-12, c.multiprocessors);
    records.push_back({{"case", "machine/ceilings"}, {"copy", c.copy}, {"tf32", c.matrix[0]}, {"bf16", c.matrix[1]},
                       {"multiprocessors", c.multiprocessors}});
    std::vector<ProfileLine> wanted;
    Json bars = Json::array();  // all lines that a bar asks for, so that what is not here is known to be missing
    for (const ProfileLine& line : profile_lines(sizes)) {
      const Int3 out = line.layer.transposed ? line.layer.p.in : line.layer.p.out;
      for (const std::string& tag : line.layer.tags)
        if (tag == "bar" || tag == "bandwidth") bars.push_back({line.title(), name_of(line.dtype), tag, out.d});
      const std::string asked = line.dtype == DType::f16 ? "bf16" : name_of(line.dtype);  // f16 goes with the other 16 bits
      if (std::find(o.dtypes.begin(), o.dtypes.end(), asked) != o.dtypes.end() &&
          std::regex_search(layer_case("layers", line.layer, line.pass, {}).searched(), filter))
        wanted.push_back(line);
    }
    check(!wanted.empty(), "no layer matches the filter \"", o.filter, "\" (--list prints all)");
    records.push_back({{"case", "plan"}, {"bars", bars}});
    LayerTensors tensors;
    std::string made;  // which of them
    size_t done = 0;
    for (; done < wanted.size() && (o.within <= 0 || seconds_since(begin) < o.within); ++done) {
      const ProfileLine& line = wanted[done];
      if (const std::string name = line.layer.name + " " + name_of(line.dtype); name != made) {
        tensors = {};  // before the next ones are there
        tensors = layer_tensors(line.layer, line.dtype, o.device), made = name;
      }
      records.push_back(profile_of(line.layer, line.pass, tensors, o.seconds, c));
      print(records.back());
      if (o.store) o.store(records);
    }
    for (size_t i = done; i < wanted.size(); ++i)
      std::printf("left out for time: %s %s\n", wanted[i].title().c_str(), name_of(wanted[i].dtype));
    std::printf("%zu of %zu lines measured, %zu left out for time\n", done, wanted.size(), wanted.size() - done);
  }
  return records;
}

}  // namespace voxgrad::bench
