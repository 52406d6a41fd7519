#include <cmath>
#include <cstdio>

#include "cli/commands.h"
#include "core/config/json_values.h"
#include "io/json_file.h"
#include "train/config.h"
#include "train/trainer.h"

namespace voxgrad {
namespace {

struct TrainCommand {
  std::string data, out, config, init, rules, device = "auto", conv = "own", configuration, plans;
  double memory_gb = 0;
  std::vector<std::string> assignments;
  bool resume = false, resample = false;
};

// A configuration that cannot be used is wrong usage, not a failure.
TrainConfig config_of(const TrainCommand& c) {
  try {
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
    if (!c.rules.empty()) config.train.init_rules = c.rules;
    if (config.train.init.empty() && !config.train.init_rules.empty()) fail("--rules are those of a model to start from: --init");
    if (c.resample) config.data.other_grid = "resample";
    return config;
  } catch (const Error& e) { throw CLI::ValidationError(e.what()); }
}

void run(const TrainCommand& c) {
  if (c.resume && (!c.config.empty() || !c.assignments.empty() || c.resample || !c.configuration.empty() || c.memory_gb > 0 ||
                   !c.init.empty() || !c.rules.empty()))
    throw CLI::ValidationError("--resume goes on with the configuration in " + c.out +
                               "; it cannot be changed by --config, --set, --resample, --init, --configuration or --memory");
  if (c.configuration.empty() && (c.memory_gb > 0 || !c.plans.empty()))
    throw CLI::ValidationError("--memory and --plans want a --configuration: 2d, 3d_fullres or 3d_lowres");
  if (!c.configuration.empty() && !c.init.empty())
    throw CLI::ValidationError("--init brings its own network and preprocessing; --configuration would plan others");
  const TrainConfig config = c.resume ? TrainConfig{} : config_of(c);
  const Device device = chosen_device(c.device);
  const ConvBackendScope scope = conv_scope(c.conv, device);
  const TrainResult r = c.resume ? resume(c.data, c.out, device) : train(c.data, c.out, config, device);
  std::printf("%lld steps; the model is %s/best.safetensors\n", static_cast<long long>(r.steps), c.out.c_str());
  if (!std::isnan(r.final_score)) std::printf("mean %s over the validation fold %.4f\n", r.score.c_str(), r.final_score);
}

}  // namespace

void add_train(CLI::App& program) {
  auto o = std::make_shared<TrainCommand>();
  CLI::App* command = program.add_subcommand("train", "Train a network on a data set");
  command->add_option("--data", o->data, "Data set: a folder with dataset.json (MSD or nnU-Net)")
      ->required()
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_option("--out", o->out, "Folder of the run: checkpoints, metrics, curves")->required()->type_name("RUN");
  command->add_option("--config", o->config, "Configuration: a JSON file with any of the keys below")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--set", o->assignments, "Set keys, after --config; may be repeated")->type_name("KEY=VALUE ...");
  command
      ->add_option(
          "--init", o->init,
          "Start from this model, as predict takes one (a run, a checkpoint, a folder of nnU-Net, ..): its network, preprocessing and "
          "weights; outputs of another number start anew; train.init=PATH")
      ->check(CLI::ExistingPath)
      ->type_name("MODEL");
  command->add_option("--rules", o->rules, "What the weights in --init are where they do not say it: see convert --help")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command
      ->add_option("--configuration", o->configuration,
                   "Train what voxgrad plan plans for slices, volumes or volumes at a lower resolution (nnU-Net's rules)")
      ->check(CLI::IsMember({"2d", "3d_fullres", "3d_lowres"}))
      ->type_name("NAME");
  command->add_option("--memory", o->memory_gb, "Memory of the GPU to plan for, in gigabytes (8)")
      ->check(number_within(0.1, 1e4))
      ->type_name("GB");
  command->add_option("--plans", o->plans, "Take the configuration from this plans.json, of voxgrad plan or nnU-Net")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_flag("--resample", o->resample, "Resample channels and labels on another grid than their image; data.other_grid=resample");
  command->add_flag("--resume", o->resume, "Go on with the run in --out where it was stopped or killed");
  add_device(*command, o->device);
  add_conv(*command, o->conv);
  add_threads(*command);
  command->footer("Keys of the configuration, their defaults and meaning:\n" + describe_config() +
                  "Other tasks and networks have keys of their own: see voxgrad tasks and voxgrad models.");
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
