// Regression with uncertainty: the volume of an organ in a scan, as a number with its standard deviation.
//   regression [STEPS]
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <fstream>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr int kSize = 20;

// A ball of some radius in noise of some strength, and how many voxels it has.
std::pair<Tensor, double> load_case(Rng rng) {
  std::vector<float> voxels;
  const double radius = rng.uniform(3, 7), noise = rng.uniform(0.1, 0.8);
  double volume = 0;
  for (int d = 0; d < kSize; ++d)
    for (int h = 0; h < kSize; ++h)
      for (int w = 0; w < kSize; ++w) {
        const double x = d - 9.5, y = h - 9.5, z = w - 9.5;
        const bool inside = x * x + y * y + z * z < radius * radius;
        volume += inside;
        voxels.push_back(float(inside + noise * rng.normal()));
      }
  return {Tensor::from(voxels, {kSize, kSize, kSize, 1}), volume};
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  fs::remove_all("regression_run");
  fs::create_directories("regression_data");
  std::ofstream table("regression_data/cases.csv");
  table << "image,volume\n";
  for (int i = 0; i < 48; ++i) {
    const auto [image, volume] = load_case(Rng(4).at(uint64_t(i)));
    const std::string name = "case_" + std::to_string(100 + i) + ".nii.gz";
    write_volume(fs::path("regression_data") / name, {image, Affine::scaling({1, 1, 1})});
    table << name << "," << volume << "\n";
  }
  table.close();

  TrainConfig config;
  apply_assignments(config, {"task=regression", "regression.values=[\"volume\"]", "regression.uncertainty=gaussian", "network.kind=resnet",
                             "network.depth=10", "network.base_features=8", "data.normalization=none", "train.batch=8",
                             "train.validate_every=50", "train.steps=" + steps});
  const TrainResult result = train("regression_data/cases.csv", "regression_run", config, Device{});

  const Predictor measure("regression_run");
  for (uint64_t i = 0; i < 3; ++i) {
    const auto [image, volume] = load_case(Rng(5).at(i));
    std::printf("%5.0f voxels: %s\n", volume, measure({image, Affine::scaling({1, 1, 1})}).json.c_str());
  }
  std::printf("%s %.1f voxels on the validation cases\n", result.score.c_str(), result.final_score);
  return std::isfinite(result.final_score) ? 0 : 1;
}
