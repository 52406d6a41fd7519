#pragma once
#include "benchmarks/bench.h"

namespace voxgrad::bench {

// Seconds of each of `repeat` runs. A GPU gets them one behind the other, as in a network; each then counts as the mean of all.
std::vector<double> time_runs(const std::function<void()>& run, int repeat, Device = {});

// Middle, best and worst of the runs of one contender.
struct Statistics {
  double median = 0, best = 0, worst = 0;
  int64_t runs = 0;
  explicit Statistics(std::vector<double> seconds);
};

// Runs the contenders of a job in turn, one warm-up each, then rounds until each has spent `seconds` (at least three runs each; one run
// for jobs that run once). One record per contender: {"case", "tags", "dtype", "threads", "device" ("cpu", "cuda:0"), "who", "seconds"
// (median), "best", "worst", "runs", "flops", "bytes", and the facts}.
std::vector<Json> measure(const Case&, const Setting&, double seconds);

// What stays the same for all records: {"program", "version", "cpu", "cores", "isa", "onednn", ...}, and of a CUDA device {"device",
// "compute_capability", "device_memory", "cudnn"}.
Json machine_description(Device = {});

// Reads one JSON request per line from standard input and answers each with one line, so that a driver can let several programs take
// turns at the same work:
//   {"do": "list"}                                          {"machine": {..}, "cases": [{"case", "tags", "dtypes", "once", "work"}, ..]}
//   {"do": "prepare", "case", "dtype", "threads"}           {"contenders": [who, ..], "flops", "bytes", "once"}
//   {"do": "run", "who", "repeat"}                          {"seconds": [..]}, of the prepared work
//   {"do": "facts"}                                         {..}
//   {"do": "drop"}                                          {}; the prepared work is forgotten
// A request that cannot be met is answered {"error": text}. Ends with the input.
void serve(const std::vector<Case>&, Device);

}  // namespace voxgrad::bench
