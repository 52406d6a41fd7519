// Segmentation of data of your own: volumes in memory become a data set, a U-Net learns from it, and masks go from memory to memory.
//   segmentation [STEPS]
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr int kCases = 10;
constexpr Int3 kSize = {32, 32, 32};

// In place of your own images and label maps: f32 {D, H, W, C} and u8 {D, H, W} with the size of a voxel in mm.
Phantom load_case(uint64_t number) { return make_phantom(PhantomKind::shapes, {.size = kSize, .seed = number}); }

// Every case as files, and the list of them: what `voxgrad train --data` takes too.
Dataset write_data(const fs::path& folder) {
  fs::create_directories(folder / "imagesTr");
  fs::create_directories(folder / "labelsTr");
  Dataset data{.name = "shapes", .root = folder, .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  for (int i = 0; i < kCases; ++i) {
    const Phantom p = load_case(uint64_t(i));
    DatasetCase one{.id = "case_" + std::to_string(100 + i)};
    one.images = {folder / "imagesTr" / (one.id + ".nii.gz")};
    one.label = folder / "labelsTr" / (one.id + ".nii.gz");
    write_volume(one.images[0], {p.image, Affine::scaling(p.spacing_mm)});
    write_volume(one.label, {p.label.reshape({kSize.d, kSize.h, kSize.w, 1}), Affine::scaling(p.spacing_mm)});
    data.cases.push_back(one);
  }
  write_dataset_json(data);
  return data;
}

// 2 |a and b| / (|a| + |b|) of all that is not background.
double dice(const Tensor& mask, const Tensor& truth) {
  const auto a = mask.to_vector<uint8_t>(), b = truth.to_vector<uint8_t>();
  double both = 0, sum = 0;
  for (size_t i = 0; i < a.size(); ++i) both += a[i] && b[i] && a[i] == b[i], sum += (a[i] != 0) + (b[i] != 0);
  return 2 * both / sum;
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "600";
  fs::remove_all("segmentation_run");
  write_data("segmentation_data");

  TrainConfig config;  // every key of `voxgrad train --help`
  apply_assignments(config, {"network.base_features=8", "network.stages=3", "train.patch=[32,32,32]", "train.optimizer=adamw",
                             "train.learning_rate=0.003", "train.batch=2", "train.validate_every=200", "train.steps=" + steps});
  const TrainResult result = train("segmentation_data", "segmentation_run", config, Device{});

  const Predictor segment("segmentation_run");
  const Phantom unseen = load_case(1000);
  const Volume mask = segment({unseen.image, Affine::scaling(unseen.spacing_mm)}).volume;
  const double score = dice(mask.data, unseen.label);
  std::printf("%lld steps: Dice %.3f on the validation cases, %.3f on an unseen one\n", static_cast<long long>(result.steps),
              result.final_score, score);
  return score > 0 ? 0 : 1;
}
