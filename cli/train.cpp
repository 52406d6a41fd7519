#include <cmath>
#include <cstdio>

#include "cli/training_options.h"
#include "train/trainer.h"

namespace voxgrad {
namespace {

struct TrainCommand : TrainingOptions {
  std::string out, device = "auto", conv = "own";
  bool resume = false;
};

void run(const TrainCommand& c) {
  if (c.resume && c.any())
    throw CLI::ValidationError("--resume goes on with the configuration in " + c.out +
                               "; it cannot be changed by --config, --set, --resample, --series, --cache, --init, --from, --rules, --skip, "
                               "--freeze, --lr-scale, --configuration, --memory or --previous-stage");
  const TrainConfig config = c.resume ? TrainConfig{} : config_of(c);
  const Device device = chosen_device(c.device);
  const ConvBackendScope scope = conv_scope(c.conv, device);
  const TrainResult r = c.resume ? resume(c.data, c.out, device) : train(c.data, c.out, config, device);
  std::printf("%lld steps; the model is %s/best.safetensors\n", static_cast<long long>(r.steps), c.out.c_str());
  // Some scores are named after their mean.
  const char* const mean = r.score.starts_with("mean ") ? "" : "mean ";
  if (!std::isnan(r.final_score)) std::printf("%s%s over the validation fold %.4f\n", mean, r.score.c_str(), r.final_score);
}

}  // namespace

void add_train(CLI::App& program) {
  auto o = std::make_shared<TrainCommand>();
  CLI::App* command = program.add_subcommand("train", "Train a network on a data set");
  add_training_options(*command, *o);
  command->add_option("--out", o->out, "Folder of the run: checkpoints, metrics, curves")->required()->type_name("RUN");
  command
      ->add_option("--cache", o->cache,
                   "Folder of preprocessed cases (voxgrad preprocess), made where it is absent: patches are read from it, so that the data "
                   "set may be larger than the memory; data.cache=DIR")
      ->type_name("DIR");
  command->add_flag("--resume", o->resume, "Go on with the run in --out where it was stopped or killed");
  add_device(*command, o->device);
  add_conv(*command, o->conv);
  add_threads(*command);
  command->footer("Keys of the configuration, their defaults and meaning:\n" + describe_config() +
                  "Other tasks and networks have keys of their own: see voxgrad tasks and voxgrad models.");
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
