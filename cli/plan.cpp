#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tasks/task.h"
#include "train/plan.h"
#include "train/planning/plans_json.h"
#include "train/setup.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct PlanCommand {
  std::string data, fingerprint, out, network = "unet";
  double memory_gb = 8;
  int classes = 0;
  std::vector<std::string> assignments;
};

TrainConfig config_of(const PlanCommand& c) {
  try {
    TrainConfig config;
    apply_assignments(config, {"network.kind=" + c.network});
    apply_assignments(config, c.assignments);
    config.plan.memory_gb = c.memory_gb;
    return config;
  } catch (const Error& e) { throw CLI::ValidationError(e.what()); }
}

struct Planned {
  Dataset dataset;
  Fingerprint print;
  int outputs = 0;
};

Planned from_data(const PlanCommand& c, const TrainConfig& config) {
  Planned out{.dataset = training_dataset(c.data, config.data)};
  const auto task = task_registry().find(config.task.name).make(task_options(adapted(config, out.dataset)));
  const std::vector<std::string> outputs = task->outputs(out.dataset);
  out.print = fingerprint(out.dataset, ids_of(out.dataset), config.data, *task, outputs);
  out.outputs = int(outputs.size());
  return out;
}

// Names of channels and labels are those of the dataset.json beside the fingerprint, as in nnU-Net's folder of preprocessed cases.
Planned from_fingerprint(const PlanCommand& c) {
  Planned out{.print = fingerprint_from_json(read_json(c.fingerprint), c.fingerprint)};
  const fs::path beside = fs::absolute(c.fingerprint).parent_path();
  out.dataset.name = beside.filename().string();
  size_t channels = out.print.foreground.size();
  if (fs::exists(beside / "dataset.json")) {
    const Json j = read_json(beside / "dataset.json");
    const char* key = j.contains("channel_names") ? "channel_names" : "modality";
    if (j.contains(key) && j[key].is_object())
      for (auto& [index, name] : j[key].items()) out.dataset.channel_names.push_back(name.is_string() ? name.get<std::string>() : index);
    if (j.contains("labels")) out.outputs = int(labels_of(j, (beside / "dataset.json").string()).names.size());
  }
  if (c.classes > 0) out.outputs = c.classes;
  check(out.outputs > 0, c.fingerprint, ": there is no dataset.json with labels beside it; give their number, the background among them, "
        "as --labels");
  for (size_t i = out.dataset.channel_names.size(); i < std::max<size_t>(channels, 1); ++i)
    out.dataset.channel_names.push_back("channel " + std::to_string(i));
  out.print.foreground.resize(out.dataset.channel_names.size());
  out.print.spread.resize(out.dataset.channel_names.size());
  return out;
}

void run(const PlanCommand& c) {
  if (c.data.empty() == c.fingerprint.empty()) throw CLI::ValidationError("either --data or --fingerprint is wanted");
  const TrainConfig config = config_of(c);
  const Planned p = c.data.empty() ? from_fingerprint(c) : from_data(c, config);
  const ExperimentPlan plan = plan_experiment(p.print, experiment_of(p.dataset, config, p.outputs));
  std::printf("%zu cases, %s, %g GB\n%s", p.print.spacings.size(), c.network.c_str(), c.memory_gb, text_of(plan).c_str());
  if (c.out.empty()) return;
  fs::create_directories(c.out);
  write_json(fs::path(c.out) / "dataset_fingerprint.json", to_json(p.print));
  write_json(fs::path(c.out) / "plans.json",
             plans_json(plan, p.print, p.dataset.name, normalizations(p.dataset.channel_names, p.print, config.data)));
  std::printf("written: %s/plans.json and %s/dataset_fingerprint.json\n", c.out.c_str(), c.out.c_str());
}

}  // namespace

void add_plan(CLI::App& program) {
  auto o = std::make_shared<PlanCommand>();
  CLI::App* command = program.add_subcommand("plan", "Plan spacing, patch, batch and network for a data set by nnU-Net's rules");
  command->add_option("--data", o->data, "Data set: a folder with dataset.json (MSD or nnU-Net)")
      ->check(CLI::ExistingPath)
      ->type_name("DATA");
  command
      ->add_option("--fingerprint", o->fingerprint, "Instead of a data set: what is known of its cases, nnU-Net's dataset_fingerprint.json")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--labels", o->classes, "With --fingerprint: number of labels with the background (dataset.json beside it)")
      ->check(whole_number_within(1, 256))
      ->type_name("N");
  command->add_option("--memory", o->memory_gb, "Memory of the GPU that is to train, in gigabytes")
      ->check(number_within(0.1, 1e4))
      ->type_name("GB")
      ->capture_default_str();
  command
      ->add_option("--network", o->network,
                   "unet, as nnU-Net's default planner; resenc_unet, as its planners ResEnc M (from 8 GB), L (24) and XL (40)")
      ->check(CLI::IsMember({"unet", "resenc_unet"}))
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--out", o->out, "Folder for plans.json and dataset_fingerprint.json, in the form of nnU-Net's")->type_name("DIR");
  command->add_option("--set", o->assignments, "Set keys of the configuration of voxgrad train, such as data.spacing=[3,1,1]")
      ->type_name("KEY=VALUE ...");
  add_threads(*command);
  command->footer("2d trains on slices, 3d_fullres on volumes, 3d_lowres on volumes at a lower resolution, where a patch of the former "
                  "sees less than a quarter of a case. voxgrad train --configuration NAME trains one of them.");
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
