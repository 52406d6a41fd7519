#include <cstdio>
#include <filesystem>
#include <limits>

#include "augment/synthesis/synthesis.h"
#include "cli/commands.h"
#include "core/progress.h"
#include "data/dataset.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct SynthesizeCommand {
  std::string labels, config, out;
  int64_t cases = 100;
  uint64_t seed = 1;
};

// In canonical orientation; its values are whole numbers.
LabelVolume read_label_map(const fs::path& file) {
  const Volume v = to_canonical(read_volume(file));
  const Shape s = v.data.shape();
  check(s[3] == 1, file.string(), ": ", s[3], " channels, a label map has one");
  const Tensor values = v.data.to(DType::f64);
  LabelVolume out{Tensor::empty({s[0], s[1], s[2]}, DType::i32), v.spacing()};
  const double* from = values.view().as<double>();
  int32_t* to = out.labels.view().as<int32_t>();
  for (int64_t i = 0; i < values.count(); ++i) {
    check(from[i] >= 0 && from[i] <= 1 << 20 && from[i] == double(int32_t(from[i])), file.string(), ": ", from[i],
          " is among the values, labels are whole numbers from 0");
    to[i] = int32_t(from[i]);
  }
  return out;
}

void run(const SynthesizeCommand& c) {
  const SynthesisOptions options = synthesis_from_json(read_json(c.config), c.config);
  std::vector<LabelVolume> maps;
  for (const DatasetCase& map : list_images(c.labels)) maps.push_back(read_label_map(map.images.front()));
  check(!maps.empty(), c.labels, ": there is no label map");

  AtomicFolder folder(c.out);
  for (const char* sub : {"imagesTr", "labelsTr"}) fs::create_directory(folder.temporary() / sub);
  Dataset data{.name = "synthetic", .root = folder.temporary(), .channel_names = {"MR"}, .labels = {"background"}};
  for (const SynthesisTarget& t : options.targets) data.labels.push_back(t.name);
  Progress progress({.what = "images", .unit = "case", .total = c.cases});
  for (int64_t i = 0; i < c.cases; ++i) {
    const Rng source = Rng(c.seed).at(uint64_t(i));
    Rng choice = source.at(0);
    const LabelVolume& map = maps[size_t(choice.below(int64_t(maps.size())))];
    const SyntheticImage made = synthesize(map, options, source.at(1));
    char id[40];
    std::snprintf(id, sizeof id, "synthetic_%05lld", static_cast<long long>(i + 1));
    DatasetCase one{.id = id};
    one.images = {folder.temporary() / "imagesTr" / (one.id + data.file_ending)};
    one.label = folder.temporary() / "labelsTr" / (one.id + data.file_ending);
    const Affine affine = Affine::scaling(map.spacing_mm);
    const Shape s = made.label.shape();
    write_volume(one.images[0], {made.image, affine});
    write_volume(one.label, {made.label.reshape({s[0], s[1], s[2], 1}), affine});
    data.cases.push_back(one);
    progress.update(i + 1, one.id);
  }
  write_dataset_json(data);
  folder.commit();
  std::printf("%lld cases in %s, from %zu label maps\n", static_cast<long long>(c.cases), c.out.c_str(), maps.size());
}

}  // namespace

void add_synthesize(CLI::App& program) {
  auto o = std::make_shared<SynthesizeCommand>();
  CLI::App* command = program.add_subcommand("synthesize", "Make a labelled data set of images from label maps alone (MSD layout)");
  command->add_option("--labels", o->labels, "Label map, or a folder of them")->required()->check(CLI::ExistingPath)->type_name("PATH");
  command
      ->add_option("--config", o->config,
                   "JSON: which labels look alike and which are learned; augment/synthesis/synthesis.h has the keys, "
                   "examples/synthetic_hippocampus.json is one")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_option("--out", o->out, "Folder for the data set: new or empty")->required()->type_name("DIR");
  command->add_option("--cases", o->cases, "Cases")->check(whole_number_within(1, 99999))->type_name("N")->capture_default_str();
  command->add_option("--seed", o->seed, "Another seed makes other cases")
      ->check(whole_number_within(0, std::numeric_limits<uint64_t>::max()))
      ->type_name("S")
      ->capture_default_str();
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
