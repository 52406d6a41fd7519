// Transfer to few cases: a network learns from many volumes of one kind and starts another that has three cases of a second kind: all of it
// tuned, its encoder at a tenth of the rate, or the encoder frozen (a probe), beside one that starts from nothing.
//   transfer [STEPS]
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr Int3 kSize = {32, 32, 32};

void write_data(const fs::path& folder, PhantomKind kind, int cases) {
  fs::create_directories(folder);
  Dataset data{.name = name_of(kind), .root = folder, .channel_names = {"MR"}, .labels = phantom_labels(kind)};
  for (int i = 0; i < cases; ++i) {
    const Phantom p = make_phantom(kind, {.size = kSize, .seed = uint64_t(i)});
    DatasetCase one{.id = "case_" + std::to_string(100 + i)};
    one.images = {folder / (one.id + ".nii.gz")};
    one.label = folder / (one.id + "_label.nii.gz");
    write_volume(one.images[0], {p.image, Affine::scaling({1, 1, 1})});
    write_volume(one.label, {p.label.reshape({kSize.d, kSize.h, kSize.w, 1}), Affine::scaling({1, 1, 1})});
    data.cases.push_back(one);
  }
  write_dataset_json(data);
}

double trained(const fs::path& data, const fs::path& run, const std::string& steps, const std::vector<std::string>& more = {}) {
  fs::remove_all(run);
  TrainConfig config;
  apply_assignments(config, {"network.base_features=8", "network.stages=3", "train.patch=[32,32,32]", "train.optimizer=adamw",
                             "train.learning_rate=0.003", "train.batch=2", "train.validate_every=1000", "data.folds=4",
                             "train.steps=" + steps});
  apply_assignments(config, more);
  return train(data, run, config, Device{}).final_score;
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  write_data("many", PhantomKind::shapes, 16);
  write_data("few", PhantomKind::head, 4);
  trained("many", "many_run", steps);
  const double scratch = trained("few", "scratch_run", steps);
  const double tuned = trained("few", "tuned_run", steps, {"transfer.from=many_run"});
  const double slow = trained("few", "slow_run", steps, {"transfer.from=many_run", "transfer.lr_scale=[\"encoder=0.1\"]"});
  const double probe = trained("few", "probe_run", steps, {"transfer.from=many_run", "transfer.freeze=[\"encoder\"]"});
  std::printf("Dice of the case that validates\n  from scratch %.3f\n  tuned        %.3f\n  encoder at a tenth of the rate %.3f\n"
              "  encoder frozen %.3f\n", scratch, tuned, slow, probe);
  return fs::exists("tuned_run/transfer.json") ? 0 : 1;
}
