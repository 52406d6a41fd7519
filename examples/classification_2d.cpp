// Classification of pictures in folders named by their classes: a 2D image is a volume of one slice.
//   classification_2d [STEPS [FOLDER]]     FOLDER: CLASS/picture.png ..; without it, pictures of rings and stripes
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr int kSize = 32;

void write_pictures(const fs::path& folder, int each) {
  for (const char* name : {"rings", "stripes"}) {
    fs::create_directories(folder / name);
    for (int i = 0; i < each; ++i) {
      Rng rng = Rng(3).at(uint64_t(i), name[0] == 'r');
      const double at[] = {rng.uniform(10, 22), rng.uniform(10, 22)}, angle = rng.uniform(0, 3.1), wave = rng.uniform(0.8, 1.6);
      std::vector<uint8_t> grey;
      for (int h = 0; h < kSize; ++h)
        for (int w = 0; w < kSize; ++w) {
          const double y = h - at[0], x = w - at[1];
          const double phase = name[0] == 'r' ? std::hypot(x, y) : x * std::cos(angle) + y * std::sin(angle);
          grey.push_back(uint8_t(std::clamp(128 + 60 * std::sin(wave * phase) + 30 * rng.normal(), 0.0, 255.0)));
        }
      write_volume(folder / name / (std::to_string(i) + ".png"), {Tensor::from(grey, {1, kSize, kSize, 1}), Affine::scaling({1, 1, 1})});
    }
  }
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "200";
  fs::path data = argc > 2 ? argv[2] : "pictures";
  if (argc <= 2) write_pictures(data, 40);
  fs::remove_all("pictures_run");

  TrainConfig config;
  apply_assignments(config, {"task=classification", "network.kind=densenet", "network.depth=121", "network.growth=8", "train.batch=16",
                             "train.validate_every=50", "train.steps=" + steps});
  const TrainResult result = train(data, "pictures_run", config, Device{});
  std::printf("AUC %.3f on the pictures that did not train\n", result.final_score);
  return std::isfinite(result.final_score) ? 0 : 1;
}
