// Self-supervised pre-training, then segmentation of few cases: a U-Net learns what masked blocks of unlabelled volumes hold; another one
// starts from its weights and learns labels of three cases, beside one that starts from nothing.
//   pretraining [STEPS]
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr Int3 kSize = {32, 32, 32};

Phantom load_case(uint64_t number) { return make_phantom(PhantomKind::shapes, {.size = kSize, .seed = number}); }

// Cases `first` to `last`, with or without their labels.
void write_data(const fs::path& folder, int first, int last, bool labelled) {
  fs::create_directories(folder);
  Dataset data{.name = "shapes", .root = folder, .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  for (int i = first; i < last; ++i) {
    const Phantom p = load_case(uint64_t(i));
    DatasetCase one{.id = "case_" + std::to_string(100 + i)};
    one.images = {folder / (one.id + ".nii.gz")};
    write_volume(one.images[0], {p.image, Affine::scaling(p.spacing_mm)});
    if (labelled) {
      one.label = folder / (one.id + "_label.nii.gz");
      write_volume(one.label, {p.label.reshape({kSize.d, kSize.h, kSize.w, 1}), Affine::scaling(p.spacing_mm)});
    }
    data.cases.push_back(one);
  }
  write_dataset_json(data);
}

// The score of the validation case after a training with these settings more.
double trained(const fs::path& data, const fs::path& run, const std::string& steps, std::vector<std::string> more) {
  fs::remove_all(run);
  TrainConfig config;
  apply_assignments(config, more);  // the task comes first: the rest starts from what it starts from
  apply_assignments(config, {"network.base_features=8", "network.stages=3", "train.patch=[32,32,32]", "train.optimizer=adamw",
                             "train.learning_rate=0.003", "train.batch=2", "train.validate_every=1000", "data.folds=4",
                             "train.steps=" + steps});
  return train(data, run, config, Device{}).final_score;
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  write_data("unlabelled", 0, 16, false);
  write_data("few", 20, 24, true);
  const double r2 = trained("unlabelled", "pretrained", steps, {"task=masked_reconstruction"});
  const double scratch = trained("few", "from_scratch", steps, {});
  const double tuned = trained("few", "fine_tuned", steps, {"transfer.from=pretrained"});
  const double probed = trained("few", "probed", steps, {"transfer.from=pretrained", "transfer.freeze=[\"encoder\"]"});
  std::printf("masked voxels: R2 %.3f\nDice from scratch %.3f, fine-tuned %.3f, with the encoder frozen %.3f\n", r2, scratch, tuned,
              probed);
  return fs::exists("fine_tuned/transfer.json") ? 0 : 1;
}
