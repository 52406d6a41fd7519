#include "benchmarks/measure.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "benchmarks/layers.h"
#include "core/device/conv_backend.h"
#include "core/cuda/runtime.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad::bench {
namespace {

constexpr double kShortest = 0.02;  // seconds that a contender's turn takes at least, so that it is not all cold caches
constexpr int64_t kMostPerTurn = 50, kFewestRuns = 3, kMostRuns = 5000;

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

std::string text_of(Device d) {
  std::ostringstream text;
  text << d;
  return text.str();
}

}  // namespace

std::vector<double> time_runs(const std::function<void()>& run, int repeat, Device device) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  if constexpr (kCuda)
    if (!device.is_cpu()) {
      cuda::synchronize(current_stream(device));
      const auto start = Clock::now();
      for (int i = 0; i < repeat; ++i) run();
      cuda::synchronize(current_stream(device));
      return std::vector<double>(size_t(repeat), std::chrono::duration<double>(Clock::now() - start).count() / repeat);
    }
  for (int i = 0; i < repeat; ++i) {
    const auto start = Clock::now();
    run();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  return seconds;
}

Statistics::Statistics(std::vector<double> seconds) {
  check(!seconds.empty(), "statistics: no runs");
  std::sort(seconds.begin(), seconds.end());
  const size_t n = seconds.size();
  median = (seconds[(n - 1) / 2] + seconds[n / 2]) / 2;
  best = seconds.front(), worst = seconds.back(), runs = int64_t(n);
}

std::vector<Json> measure(const Case& c, const Setting& s, double seconds) {
  set_threads(s.threads);
  const Job job = c.prepare(s);
  struct Turn {
    std::vector<double> taken;
    int64_t repeat = 1;
    double spent = 0;
  };
  std::vector<Turn> turns(job.contenders.size());
  for (size_t i = 0; i < turns.size(); ++i) {
    const double warm_up = time_runs(job.contenders[i].run, 1, s.device)[0];
    turns[i].repeat = std::clamp(int64_t(std::min(kShortest, seconds) / std::max(warm_up, 1e-9)), int64_t(1), kMostPerTurn);
    if (job.once) turns[i].taken.push_back(warm_up);
  }
  const auto unfinished = [&](const Turn& t) {
    const auto n = int64_t(t.taken.size());
    return !job.once && n < kMostRuns && (n < kFewestRuns || t.spent < seconds);
  };
  while (std::any_of(turns.begin(), turns.end(), unfinished))
    for (size_t i = 0; i < turns.size(); ++i)
      for (double t : time_runs(job.contenders[i].run, int(turns[i].repeat), s.device)) turns[i].taken.push_back(t), turns[i].spent += t;
  const Json facts = job.facts ? job.facts() : Json::object();
  std::vector<Json> records;
  for (size_t i = 0; i < turns.size(); ++i) {
    const Statistics stats(turns[i].taken);
    Json r{{"case", c.title()},
           {"tags", c.tags},
           {"dtype", name_of(s.dtype)},
           {"threads", s.threads},
           {"device", text_of(s.device)},
           {"who", job.contenders[i].who},
           {"seconds", stats.median},
           {"best", stats.best},
           {"worst", stats.worst},
           {"runs", stats.runs},
           {"flops", job.flops},
           {"bytes", job.bytes}};
    if (i == 0) r.update(facts);
    records.push_back(std::move(r));
  }
  return records;
}

Json machine_description(Device device) {
  Json machine{{"program", "voxgrad_bench"}, {"version", VOXGRAD_VERSION},
               {"cpu", cpu_model()},         {"cores", std::thread::hardware_concurrency()},
               {"isa", name_of(isa())},      {"compiler", __VERSION__},
               {"onednn", onednn_version()}};
  if constexpr (kCuda)
    if (!device.is_cpu()) {
      const cuda::DeviceInfo info = cuda::device_info(device.cuda_index);
      machine["device"] = info.name;
      machine["compute_capability"] = std::to_string(info.major) + "." + std::to_string(info.minor);
      machine["device_memory"] = info.memory;
      machine["cudnn"] = cudnn_version();
    }
  return machine;
}

}  // namespace voxgrad::bench
