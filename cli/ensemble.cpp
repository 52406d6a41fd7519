// `voxgrad ensemble`: masks from probabilities of several models.
#include <cstdio>
#include <filesystem>
#include <map>

#include "cli/commands.h"
#include "core/progress.h"
#include "data/listing/files_by_case.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "tasks/segmentation/ensemble_files.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct EnsembleCommand {
  std::vector<std::string> in;
  std::string out, labels, ending = ".nii.gz";
  bool probabilities = false;
};

std::map<std::string, fs::path> cases_in(const fs::path& folder) {
  std::map<std::string, fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == ".npz" && !entry.path().filename().string().starts_with("."))
      out[case_name(entry.path())] = entry.path();
  check(!out.empty(), folder.string(), ": holds no .npz of probabilities; predict --probabilities writes them");
  return out;
}

void run(const EnsembleCommand& c) {
  const LabelMap map = c.labels.empty() ? LabelMap{} : read_labels(c.labels).map;
  std::map<std::string, std::vector<fs::path>> members;
  for (const std::string& folder : c.in) {
    check(!fs::exists(c.out) || !fs::equivalent(folder, c.out), c.out, ": is an input; --out must be another folder");
    for (auto& [id, file] : cases_in(folder)) members[id].push_back(file);
  }
  for (auto& [id, files] : members)
    for (size_t i = 0; i < c.in.size(); ++i)
      check(fs::exists(fs::path(c.in[i]) / (id + ".npz")), c.in[i], ": there are no probabilities of the case ", id, ", which ",
            files[0].parent_path().string(), " has");
  make_folders(c.out);
  Progress progress({.what = "ensemble", .unit = "case", .total = int64_t(members.size())});
  int64_t done = 0;
  for (auto& [id, files] : members) {
    const fs::path stem = fs::path(c.out) / id;
    write_volume(stem.string() + c.ending, ensemble_files(files, map, c.probabilities ? fs::path(stem.string() + ".npz") : fs::path()));
    progress.update(++done, id);
  }
  std::printf("%lld masks in %s\n", static_cast<long long>(done), c.out.c_str());
}

}  // namespace

void add_ensemble(CLI::App& program) {
  auto o = std::make_shared<EnsembleCommand>();
  CLI::App* command = program.add_subcommand("ensemble", "Masks from the mean of probabilities that several models gave");
  command->add_option("--in", o->in, "Folders of .npz as predict --probabilities or nnU-Net's --save_probabilities write them")
      ->required()
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR DIR ..");
  command->add_option("--out", o->out, "Folder for the masks")->required()->type_name("DIR");
  command->add_option("--labels", o->labels, "A dataset.json with regions, of which each is where its mean is above 0.5")
      ->check(CLI::ExistingPath)
      ->type_name("FILE");
  command->add_option("--format", o->ending, "Ending of the masks: .nii.gz, .nii, .nrrd, .mha, .mgz")
      ->check(CLI::IsMember({".nii.gz", ".nii", ".nrrd", ".mha", ".mgz"}))
      ->type_name("EXT")
      ->capture_default_str();
  command->add_flag("--probabilities", o->probabilities, "Write the mean probabilities as CASE.npz too");
  add_threads(*command);
  command->footer(
      "Each member counts alike; a voxel gets the class with the largest mean, the first of equal ones, as nnUNetv2_ensemble.\n"
      "Every folder must have every case. A file without \"affine\", as nnU-Net's, lies where the mask of its name beside it does.\n"
      "Channels are read one after the other: a few volumes are held, however many classes there are.");
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
