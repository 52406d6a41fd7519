// Classification of volumes: a table of files and classes, a 3D ResNet, and probabilities with what the network looked at.
//   classification_3d [STEPS]
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <fstream>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr int kSize = 20;

// In place of your own scans: a ball or a cube in noise.
Tensor load_case(bool cube, Rng rng) {
  std::vector<float> voxels;
  const double radius = rng.uniform(4, 6), half = 0.8 * radius;
  const double at[] = {rng.uniform(8, 12), rng.uniform(8, 12), rng.uniform(8, 12)};
  for (int d = 0; d < kSize; ++d)
    for (int h = 0; h < kSize; ++h)
      for (int w = 0; w < kSize; ++w) {
        const double x = std::abs(d - at[0]), y = std::abs(h - at[1]), z = std::abs(w - at[2]);
        const bool inside = cube ? std::max({x, y, z}) < half : x * x + y * y + z * z < radius * radius;
        voxels.push_back(float(inside + 0.3 * rng.normal()));
      }
  return Tensor::from(voxels, {kSize, kSize, kSize, 1});
}

// Files and cases.csv: image, label, and which cases train, validate and test.
void write_data(const fs::path& folder, int cases) {
  fs::create_directories(folder);
  std::ofstream table(folder / "cases.csv");
  table << "image,label,split\n";
  for (int i = 0; i < cases; ++i) {
    const bool cube = i % 2;
    const std::string name = "case_" + std::to_string(100 + i) + ".nii.gz";
    write_volume(folder / name, {load_case(cube, Rng(1).at(uint64_t(i))), Affine::scaling({1, 1, 1})});
    table << name << (cube ? ",cube" : ",ball") << (i % 4 < 2 ? ",train\n" : ",val\n");
  }
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "200";
  fs::remove_all("classification_run");
  write_data("classification_data", 64);

  TrainConfig config;
  apply_assignments(config, {"task=classification", "network.kind=resnet", "network.depth=10", "network.base_features=8",
                             "train.batch=8", "train.validate_every=50", "train.steps=" + steps});
  const TrainResult result = train("classification_data/cases.csv", "classification_run", config, Device{});

  const Predictor classify("classification_run");
  int right = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    const Volume unseen{load_case(i % 2, Rng(2).at(i)), Affine::scaling({1, 1, 1})};
    const std::string said = classify(unseen).json;  // {"class": .., "probabilities": {..}}
    right += said.find(i % 2 ? "\"class\":\"cube\"" : "\"class\":\"ball\"") != said.npos;
  }
  std::printf("AUC %.3f on the validation cases; %d of 40 unseen volumes are right\n", result.final_score, right);
  return right > 0 ? 0 : 1;
}
