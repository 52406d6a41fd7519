// voxgrad_bench: the speed of voxgrad's kernels and networks, and the errors of its convolutions.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <regex>

#include "benchmarks/measure.h"
#include "benchmarks/profile/profile.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "io/atomic_file.h"

namespace voxgrad::bench {
namespace {

struct Options {
  std::string filter, json, device = "cpu";
  std::vector<int> threads = {voxgrad::threads()};
  std::vector<std::string> dtypes = {"f32", "bf16"};
  double seconds = 0.3, within = 0;
  bool list = false, tiny = false, serve = false, profile = false;
};

// "  32-32 at 64/forward  f32 2 threads  voxgrad  72.03 ms  201.3 GFLOP/s  1.9 GB/s".
void print(const Json& r) {
  const double seconds = r.at("seconds"), flops = r.at("flops"), bytes = r.at("bytes");
  std::printf("%-62s %-4s %2d %-8s", r.at("case").get<std::string>().c_str(), r.at("dtype").get<std::string>().c_str(),
              r.at("threads").get<int>(), r.at("who").get<std::string>().c_str());
  if (r.contains("relative_error")) std::printf(" relative error %.2e", r.at("relative_error").get<double>());
  else std::printf(" %10.3f ms", seconds * 1e3);
  if (flops > 0) std::printf(" %8.1f GFLOP/s", flops / seconds * 1e-9);
  if (bytes > 0) std::printf(" %7.1f GB/s", bytes / seconds * 1e-9);
  if (r.contains("memory")) std::printf(" %8.0f MB", r.at("memory").get<double>() * 1e-6);
  std::printf("\n");
  std::fflush(stdout);
}

// The file of the results, one record per line. It is written now and then, so that a run that is stopped leaves what it measured.
class ResultFile {
 public:
  ResultFile(const std::string& path, Device device) : path_(path), machine_(path.empty() ? "" : machine_description(device).dump()) {}

  void write(const std::vector<Json>& records) {
    if (path_.empty()) return;
    std::string text = "{\"machine\": " + machine_ + ",\n\"results\": [";
    for (size_t i = 0; i < records.size(); ++i) text += (i ? ",\n" : "\n") + records[i].dump();
    write_text_file(path_, text + "\n]}\n");
    written_ = Clock::now();
  }
  void write_at_times(const std::vector<Json>& records) {
    if (Clock::now() - written_ >= std::chrono::seconds(1)) write(records);
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::string path_, machine_;
  Clock::time_point written_;
};

bool wanted(const Options& o, const Case& c, DType t) {
  const auto has = [&](const auto& all) { return std::find(all.begin(), all.end(), t) != all.end(); };
  return has(c.dtypes) && std::find(o.dtypes.begin(), o.dtypes.end(), name_of(t)) != o.dtypes.end();
}

void run(const Options& o) {
  if (o.profile) {
    const Device device = parse_device(o.device);
    ResultFile file(o.json, device);
    const ProfileOptions options{.filter = o.filter, .dtypes = o.dtypes, .device = device, .seconds = o.seconds, .within = o.within,
                                 .store = [&](const std::vector<Json>& records) { file.write_at_times(records); }};
    return file.write(profile({.tiny = o.tiny}, options));
  }
  const std::regex filter(o.filter, std::regex::ECMAScript);
  std::vector<Case> cases = all_cases({.tiny = o.tiny});
  const Device device = parse_device(o.device);
  std::erase_if(cases, [&](const Case& c) { return !std::regex_search(c.searched(), filter) || (device.is_cpu() ? c.of_gpu : c.of_cpu); });
  if (o.serve) return serve(cases, device);
  if (o.list)
    for (const Case& c : cases) std::printf("%s\n", c.searched().c_str());
  if (o.list) return;
  std::vector<Json> records;
  ResultFile file(o.json, device);
  for (const Case& c : cases)
    for (DType t : {DType::f32, DType::bf16})
      for (int threads : device.is_cpu() ? o.threads : std::vector{voxgrad::threads()}) {
        if (!wanted(o, c, t)) continue;
        for (Json& r : measure(c, {.dtype = t, .threads = threads, .device = device}, o.seconds))
          print(r), records.push_back(std::move(r));
        file.write_at_times(records);
      }
  check(!records.empty(), "no case matches the filter \"", o.filter, "\" (--list prints all)");
  file.write(records);
}

}  // namespace
}  // namespace voxgrad::bench

int main(int argc, char** argv) {
  using namespace voxgrad;
  bench::Options o;
  CLI::App program(
      "Measures voxgrad's convolutions, other ops, training steps and inference. Each figure is the median of several runs; "
      "peers in the process take turns with voxgrad.",
      "voxgrad_bench");
  program.add_option("--filter", o.filter, "Cases whose name and tags match this regular expression, such as '^layers/.*table'");
  program.add_option("--threads", o.threads, "Numbers of threads, such as 1,2")->delimiter(',')->check(CLI::Range(1, 1024));
  program.add_option("--device", o.device, "cpu, or cuda:N for a GPU, where runs are timed between two waits for it");
  program.add_option("--dtype", o.dtypes, "f32, bf16 or both")->delimiter(',')->check(CLI::IsMember({"f32", "bf16"}));
  program.add_option("--seconds", o.seconds, "Time that each contender gets per case")->check(CLI::NonNegativeNumber);
  program.add_option("--json", o.json, "File for the results, one record per line");
  program.add_flag("--list", o.list, "Print the cases instead of measuring them");
  program.add_flag("--tiny", o.tiny, "Tiny sizes, to see that every case runs");
  program.add_flag("--profile", o.profile,
                   "Of a GPU: a line for each layer and pass with its share of what the GPU can do, its blocks and its traffic");
  program.add_option("--within", o.within, "Seconds for a profile: lines that are left then are named and not measured")
      ->check(CLI::NonNegativeNumber);
  program.add_flag("--serve", o.serve, "Take requests as JSON lines, for benchmarks/compare");
  try {
    program.parse(argc, argv);
    bench::run(o);
  } catch (const CLI::ParseError& e) { return program.exit(e); } catch (const std::exception& e) {
    std::fprintf(stderr, "voxgrad_bench: %s\n", e.what());
    return 1;
  }
  return 0;
}
