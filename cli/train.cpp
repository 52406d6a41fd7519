#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "io/json_file.h"
#include "train/config.h"
#include "train/trainer.h"

namespace voxgrad {
namespace {

struct TrainCommand {
  std::string data, out, config, device = "auto", conv = "own";
  std::vector<std::string> assignments;
  bool resume = false, resample = false;
};

// A configuration that cannot be used is wrong usage, not a failure.
TrainConfig config_of(const TrainCommand& c) {
  try {
    TrainConfig config;
    if (!c.config.empty()) apply_json(config, read_json(c.config), c.config);
    apply_assignments(config, c.assignments);
    if (c.resample) config.data.other_grid = "resample";
    return config;
  } catch (const Error& e) { throw CLI::ValidationError(e.what()); }
}

void run(const TrainCommand& c) {
  if (c.resume && (!c.config.empty() || !c.assignments.empty() || c.resample))
    throw CLI::ValidationError("--resume goes on with the configuration in " + c.out +
                               "; it cannot be changed by --config, --set or --resample");
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
