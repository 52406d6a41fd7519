// Boxes around cells in pictures, each of its kind: a 2D image is a volume of one slice.
//   detection_2d [STEPS [FOLDER]]     FOLDER: a data set with boxes, such as PASCAL VOC's or a list of COCO; without it, drawn pictures
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr int kSize = 96;

// Discs on a noisy ground, pale ones and dark ones; what it says of them as dataset.json has it: edges along x and y, pixels from 0.
std::string draw_cells(const fs::path& file, Rng rng) {
  std::vector<double> grey(kSize * kSize);
  for (double& g : grey) g = 190 + 12 * rng.normal();
  std::string boxes;
  for (int64_t left = 4 + rng.below(4); left > 0; --left) {
    const bool dark = rng.coin(0.3);
    const double r = dark ? rng.uniform(7, 10) : rng.uniform(9, 14), x = rng.uniform(r, kSize - r), y = rng.uniform(r, kSize - r);
    for (int h = 0; h < kSize; ++h)
      for (int w = 0; w < kSize; ++w)
        if (std::hypot(w + 0.5 - x, h + 0.5 - y) < r) grey[size_t(h * kSize + w)] = (dark ? 60 : 140) + 12 * rng.normal();
    char text[120];
    std::snprintf(text, sizeof text, "%s{\"label\": \"%s\", \"voxels\": [%.1f, %.1f, %.1f, %.1f]}", boxes.empty() ? "" : ", ",
                  dark ? "dark" : "pale", x - r, y - r, x + r, y + r);
    boxes += text;
  }
  std::vector<uint8_t> bytes;
  for (double g : grey) bytes.push_back(uint8_t(std::clamp(g, 0.0, 255.0)));
  write_volume(file, {Tensor::from(bytes, {1, kSize, kSize, 1}), Affine::scaling({1, 1, 1})});
  return "[" + boxes + "]";
}

void write_cells(const fs::path& folder, int pictures) {
  fs::create_directories(folder);
  std::string cases;
  for (int i = 0; i < pictures; ++i) {
    const std::string name = "cells_" + std::to_string(i) + ".png";
    const std::string boxes = draw_cells(folder / name, Rng(4).at(uint64_t(i)));
    cases += (i ? ",\n  " : "") + ("{\"image\": \"" + name + "\", \"boxes\": " + boxes + "}");
  }
  write_text_file(folder / "dataset.json", R"({"channel_names": {"0": "image"}, "labels": {"pale": 0, "dark": 1}, "file_ending": ".png",
 "training": [)" + cases + "]}");
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  const fs::path data = argc > 2 ? argv[2] : "cells";
  if (argc <= 2) write_cells(data, 60);
  fs::remove_all("cells_run");

  TrainConfig config;
  apply_assignments(config,
                    {"task=detection", "network.base_features=8", "train.batch=4", "train.validate_every=100", "train.steps=" + steps});
  const TrainResult result = train(data, "cells_run", config, Device{});
  std::printf("mean average precision %.3f on the pictures that did not train\n", result.final_score);

  const Predictor find("cells_run");
  const DatasetCase one = read_dataset(data).cases.at(0);
  std::printf("%s: %s ..\n", one.id.c_str(), find(read_case_image(one), one.id).json.substr(0, 200).c_str());
  return result.final_score >= 0 ? 0 : 1;
}
