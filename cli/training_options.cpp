#include "cli/training_options.h"

#include <filesystem>

#include "core/config/json_values.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

TrainConfig read_config(const TrainingOptions& c) {
  TrainConfig config;
  if (!c.config.empty()) apply_json(config, read_json(c.config), c.config);
  // Before --set, which may say otherwise.
  std::vector<std::string> planned;
  if (!c.configuration.empty()) planned.push_back("plan.configuration=" + c.configuration);
  if (!c.plans.empty()) planned.push_back("plan.file=" + Json(c.plans).dump());
  if (c.memory_gb > 0) planned.push_back("plan.memory_gb=" + std::to_string(c.memory_gb));
  apply_assignments(config, planned);
  apply_assignments(config, c.assignments);
  if (!c.init.empty()) config.train.init = c.init;
  if (!c.from.empty()) config.transfer.from = c.from;
  if (!c.rules.empty()) (config.transfer.from.empty() ? config.train.init_rules : config.transfer.rules) = c.rules;
  if (config.train.init.empty() && !config.train.init_rules.empty())
    fail("--rules are those of a model to start from: --init or --from");
  TransferConfig& t = config.transfer;
  for (auto& [given, key] : {std::pair{&c.skip, &t.skip}, {&c.freeze, &t.freeze}, {&c.lr_scale, &t.lr_scale}})
    key->insert(key->end(), given->begin(), given->end());
  if (c.resample) config.data.other_grid = "resample";
  if (!c.series.empty()) config.data.series = c.series;
  if (!c.previous.empty()) config.data.previous_stage = std::filesystem::absolute(c.previous).lexically_normal().string();
  if (!c.cache.empty()) config.data.cache = std::filesystem::absolute(c.cache).lexically_normal().string();
  return config;
}

}  // namespace

bool TrainingOptions::any() const {
  return !config.empty() || !assignments.empty() || resample || !configuration.empty() || memory_gb > 0 || !init.empty() ||
         !from.empty() || !skip.empty() || !freeze.empty() || !lr_scale.empty() ||
         !rules.empty() || !cache.empty() || !series.empty() || !previous.empty();
}

TrainConfig config_of(const TrainingOptions& c) {
  if (c.configuration.empty() && (c.memory_gb > 0 || !c.plans.empty()))
    throw CLI::ValidationError("--memory and --plans want a --configuration: 2d, 3d_fullres, 3d_lowres or 3d_cascade_fullres");
  if (!c.configuration.empty() && !c.init.empty())
    throw CLI::ValidationError("--init brings its own network and preprocessing; --configuration would plan others");
  try {
    return read_config(c);
  } catch (const Error& e) { throw CLI::ValidationError(e.what()); }
}

void add_training_options(CLI::App& command, TrainingOptions& o) {
  command
      .add_option("--data", o.data,
                  "Data set: a folder with dataset.json (MSD or nnU-Net), folders named by classes, a table (.csv) or an archive of "
                  "MedMNIST")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("DATA");
  command.add_option("--config", o.config, "Configuration: a JSON file with any of the keys below")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command.add_option("--set", o.assignments, "Set keys, after --config; may be repeated")->type_name("KEY=VALUE ...");
  command
      .add_option(
          "--init", o.init,
          "Start from this model, as predict takes one (a run, a checkpoint, a folder of nnU-Net, ..): its network, preprocessing and "
          "weights; outputs of another number start anew; train.init=PATH")
      ->check(CLI::ExistingPath)
      ->type_name("MODEL");
  command
      .add_option("--from", o.from,
                  "Start from weights of another network, as --init takes one or any file of PyTorch or safetensors: the network that is "
                  "planned takes what has its names and shapes, 2D kernels in 3D and first layers of other channels too; "
                  "transfer.from=PATH")
      ->check(CLI::ExistingPath)
      ->type_name("WEIGHTS");
  command.add_option("--skip", o.skip, "Of --from: parts that keep their own values; * stands for letters without a point, ** for any")
      ->type_name("PATTERN ...");
  command
      .add_option("--freeze", o.freeze,
                  "Parts that are not trained, such as encoder or '**.norm*'; '!fc': all but that; encoder@0.3: for that part of "
                  "the schedule")
      ->type_name("PATTERN ...");
  command.add_option("--lr-scale", o.lr_scale, "Factors of the learning rate of parts, such as encoder=0.1; the first that fits counts")
      ->type_name("PATTERN=X ...");
  command.add_option("--rules", o.rules, "What the weights in --init or --from are where they do not say it: see convert --help")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      .add_option("--configuration", o.configuration,
                  "Train what voxgrad plan plans for slices, volumes, volumes at a lower resolution or the stage behind these (nnU-Net's "
                  "rules)")
      ->check(CLI::IsMember({"2d", "3d_fullres", "3d_lowres", "3d_cascade_fullres"}))
      ->type_name("NAME");
  command.add_option("--memory", o.memory_gb, "Memory of the GPU to plan for, in gigabytes (8)")
      ->check(number_within(0.1, 1e4))
      ->type_name("GB");
  command.add_option("--plans", o.plans, "Take the configuration from this plans.json, of voxgrad plan or nnU-Net")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      .add_option("--previous-stage", o.previous,
                  "Of a second stage: masks of all cases by its first one, as predict --validation gives them of each fold; "
                  "data.previous_stage=DIR")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command.add_flag("--resample", o.resample, "Resample channels and labels on another grid than their image; data.other_grid=resample");
  add_series(command, o.series);
}

}  // namespace voxgrad
