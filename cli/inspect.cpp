#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/inspect.h"
#include "core/error.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

void run(const std::string& file) {
  const fs::path given = file, path = given.filename() == "dataset.json" ? fs::absolute(given).parent_path() : given;
  std::string report;
  if (fs::is_directory(path) && fs::exists(path / "dataset.json")) report = describe_dataset(path);
  else if (fs::is_directory(path) && (fs::exists(path / "best.safetensors") || fs::exists(path / "last.safetensors")))
    report = describe_checkpoint(path / (fs::exists(path / "best.safetensors") ? "best.safetensors" : "last.safetensors"));
  else if (path.extension() == ".safetensors") report = describe_checkpoint(path);
  else report = describe_volume(path);
  std::fputs(report.c_str(), stdout);
}

}  // namespace

void add_inspect(CLI::App& program) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("inspect", "Say what a volume, a checkpoint or a data set holds");
  command->add_option("FILE", *file, "A volume, DICOM folder, checkpoint, run folder or data-set folder")
      ->required()
      ->check(CLI::ExistingPath);
  add_threads(*command);
  command->callback([file] { run(*file); });
}

}  // namespace voxgrad
