#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/inspect.h"
#include "core/error.h"
#include "data/dataset.h"
#include "data/listing/files_by_case.h"
#include "infer/model_source.h"
#include "io/weights/weights.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct InspectCommand {
  std::string file, size = "64", series;
  std::vector<std::string> assignments;
  NetworkInspection network;
};

void run(const InspectCommand& c) {
  if (!c.network.name.empty()) {
    NetworkInspection wanted = c.network;
    wanted.size = parse_extents(c.size);
    for (const std::string& a : c.assignments) {
      const size_t equals = a.find('=');
      if (equals == a.npos || equals == 0) throw CLI::ValidationError("--set " + a + ": key=value is wanted");
      wanted.options.emplace_back(a.substr(0, equals), a.substr(equals + 1));
    }
    std::fputs(describe_network(wanted).c_str(), stdout);
    return;
  }
  if (c.file.empty()) throw CLI::ValidationError("a FILE or --model is wanted");
  const std::string& file = c.file;
  const fs::path given = file, path = given.filename() == "dataset.json" ? fs::absolute(given).parent_path() : given;
  std::string report;
  if (const ModelSource* source = source_of(path)) report = describe_foreign_model(*source, path);
  else if (fs::is_directory(path) && (fs::exists(path / "best.safetensors") || fs::exists(path / "last.safetensors")))
    report = describe_checkpoint(path / (fs::exists(path / "best.safetensors") ? "best.safetensors" : "last.safetensors"));
  else if (path.extension() == ".safetensors") report = describe_checkpoint(path);
  else if (is_weights(path)) report = describe_weights(path);
  else if (is_dataset(path, true) && (fs::exists(path / "dataset.json") || !fs::is_directory(path) || !holds_dicom(path)))
    report = describe_dataset(path);
  else report = describe_volume(path, c.series);
  std::fputs(report.c_str(), stdout);
}

}  // namespace

void add_inspect(CLI::App& program) {
  auto o = std::make_shared<InspectCommand>();
  CLI::App* command = program.add_subcommand("inspect", "Say what a volume, a checkpoint, a data set or a network holds");
  CLI::Option* file =
      command
          ->add_option("FILE", o->file,
                       "A volume, DICOM folder, checkpoint (PyTorch's too), run folder, data-set folder or model folder of another program")
          ->check(CLI::ExistingPath);
  command->add_option("--model", o->network.name, "A network of voxgrad models: its layers, shapes, parameters, FLOPs and memory")
      ->check(CLI::IsMember(model_registry().names()))
      ->excludes(file)
      ->type_name("NAME");
  command->add_option("--size", o->size, "Extents of its input, 96 or 64x96x96")
      ->check(check_extents)
      ->type_name("SIZE")
      ->capture_default_str();
  command->add_option("--channels", o->network.in_channels, "Channels of its input")
      ->check(whole_number_within(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--outputs", o->network.out_channels, "Channels of its output")
      ->check(whole_number_within(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--set", o->assignments, "Keys of the network as voxgrad models lists them, without \"network.\"; may be repeated")
      ->type_name("KEY=VALUE ...");
  add_series(*command, o->series);
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
