#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/config/json_values.h"
#include "core/tensor.h"

namespace voxgrad::bench {

using Json = nlohmann::ordered_json;

// Under what a case is measured.
struct Setting {
  DType dtype = DType::f32;
  int threads = 1;
  Device device = {};
};

// One way to do the work of a case.
struct Contender {
  std::string who;  // "voxgrad", "onednn", "cudnn"
  std::function<void()> run;
};

// The work of a case under one setting, its inputs made.
struct Job {
  std::vector<Contender> contenders;  // voxgrad first
  double flops = 0;                   // multiplications and additions of one run of the direct algorithm; 0: not counted
  double bytes = 0;                   // the least traffic of one run: what is read once, what is written once
  std::function<Json()> facts = {};   // what else is known after the runs, such as {"memory": bytes}
  bool once = false;                  // run once: its facts are wanted, not its time
};

// One piece of work with a name. `work` describes it so that a peer in another language can do the same.
struct Case {
  std::string group, name;
  std::vector<std::string> tags;  // the networks it occurs in
  Json work;
  std::vector<DType> dtypes;
  std::function<Job(const Setting&)> prepare;
  bool of_cpu = false;  // says something of the CPU alone
  bool of_gpu = false;  // is too much for one

  std::string title() const { return group + "/" + name; }
  // What a filter is matched with: "layers/32-32 at 64/forward [unet64 table]".
  std::string searched() const;
};

// Real sizes are the published ones; tiny ones keep every case and its name, for a test that all of them run.
struct Sizes {
  bool tiny = false;
  int extent(int n) const { return tiny ? std::min(n, 8) : n; }
  int channels(int n) const { return tiny ? std::min(n, 24) : n; }
};

void add_machine_cases(const Sizes&, std::vector<Case>&);    // what the machine can do: multiply-adds, memory
void add_layer_cases(const Sizes&, std::vector<Case>&);      // convolutions of networks, three passes each
void add_precision_cases(const Sizes&, std::vector<Case>&);  // their errors against f64
void add_sweep_cases(const Sizes&, std::vector<Case>&);      // time against voxels and channels
void add_algorithm_cases(const Sizes&, std::vector<Case>&);  // convolutions by each algorithm, beside the cost that chooses it
void add_op_cases(const Sizes&, std::vector<Case>&);         // all other ops
void add_resampling_cases(const Sizes&, std::vector<Case>&);  // of volumes, as in preprocessing
void add_network_cases(const Sizes&, std::vector<Case>&);    // training steps, inference
std::vector<Case> all_cases(const Sizes&);

// Uniform in [-1, 1), the same for the same seed, rounded to the dtype.
Tensor random_tensor(const Shape&, DType, uint64_t seed, Device = {});
// Labels uniform in [0, classes), u8.
Tensor random_label(const Shape&, int classes, uint64_t seed, Device = {});

}  // namespace voxgrad::bench
