#include <cstdio>
#include <filesystem>

#include "cli/training_options.h"
#include "train/setup.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

void run(const TrainingOptions& o) {
  const TrainConfig config = config_of(o);
  const TrainingSetup s = set_up(o.data, config);
  for (auto& line : s.dataset.warnings) std::fprintf(stderr, "warning: %s\n", line.c_str());
  CaseStore store(s.dataset, s.description, s.task, store_options(config.data));
  const std::string note = prepare_cases(store, s.split);
  if (!note.empty()) std::printf("%s\n", note.c_str());
  double bytes = 0;
  std::error_code none;
  for (auto& f : fs::directory_iterator(config.data.cache, none)) bytes += double(f.file_size(none));
  std::printf("%zu cases in %s, %.3g GB; voxgrad train --cache %s trains with them\n", s.dataset.cases.size(), o.cache.c_str(), bytes / 1e9,
              o.cache.c_str());
}

}  // namespace

void add_preprocess(CLI::App& program) {
  auto o = std::make_shared<TrainingOptions>();
  CLI::App* command = program.add_subcommand("preprocess", "Preprocess the cases of a data set once, into a cache to train from");
  add_training_options(*command, *o);
  command->add_option("--out", o->cache, "Folder of the cache; what it has already is kept, what is missing or outdated is made")
      ->required()
      ->type_name("DIR");
  add_threads(*command);
  command->footer(
      "The configuration is that of the training: spacing and normalisation follow from it. Several cases are prepared at a time, of which "
      "data.cache_gb limits the memory. data.cache_dtype=f16 halves the images and rounds them.");
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
