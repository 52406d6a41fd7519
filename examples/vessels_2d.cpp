// Vessels in pictures like those of the retina: a 2D U-Net, beside a threshold of local contrast at its best value.
//   vessels_2d [STEPS [FOLDER]]     FOLDER: a data set of pictures with masks; without it, vessels are drawn
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

struct Fundus {
  Volume image, vessels;
};

// A vessel wanders, becomes thinner, and branches.
void draw_vessel(Tensor& mask, double y, double x, double direction, double radius, Rng& rng) {
  const int64_t size = mask.dim(1);
  const auto to = mask.mutable_data<uint8_t>();
  while (radius > 0.45 && y > -4 && x > -4 && y < double(size) + 4 && x < double(size) + 4) {
    const int64_t reach = int64_t(radius) + 1;
    for (int64_t h = std::max<int64_t>(0, int64_t(y) - reach); h <= std::min(size - 1, int64_t(y) + reach); ++h)
      for (int64_t w = std::max<int64_t>(0, int64_t(x) - reach); w <= std::min(size - 1, int64_t(x) + reach); ++w)
        if (std::hypot(double(h) - y, double(w) - x) <= radius) to[size_t(h * size + w)] = 1;
    y += 0.5 * std::sin(direction), x += 0.5 * std::cos(direction);
    direction += 0.06 * rng.normal();
    radius *= 0.9985;
    if (rng.coin(0.012)) {
      const double turn = rng.uniform(0.3, 0.9) * (rng.coin(0.5) ? 1 : -1);
      draw_vessel(mask, y, x, direction + turn, radius * rng.uniform(0.5, 0.8), rng);
      direction -= turn / 3;
      radius *= 0.92;
    }
  }
}

// Darker than a ground of uneven light, among blots that are as dark.
Fundus draw_fundus(int64_t size, Rng rng) {
  Tensor mask = Tensor::zeros({1, size, size, 1}, DType::u8);
  const double side = rng.coin(0.5) ? 0.1 : 0.9, y = double(size) * rng.uniform(0.35, 0.65), x = double(size) * side;
  for (int64_t left = 5 + rng.below(3); left > 0; --left)
    draw_vessel(mask, y, x, (side > 0.5 ? 3.14 : 0) + rng.uniform(-1.3, 1.3), rng.uniform(1.5, 2.8), rng);
  const Int3 all = {1, int(size), int(size)};
  const std::vector<double> light = smooth_noise(all, {1, 3, 3}, rng.split()).values(),
                            texture = smooth_noise(all, {1, size / 4.0, size / 4.0}, rng.split()).values(),
                            blots = smooth_noise(all, {1, size / 12.0, size / 12.0}, rng.split()).values();
  const Tensor image = Tensor::empty({1, size, size, 1});
  const auto grey = image.mutable_data<float>();
  const auto vessel = mask.data<uint8_t>();
  for (size_t i = 0; i < grey.size(); ++i)
    grey[i] = float(120 + 22 * light[i] + 5 * texture[i] - (vessel[i] ? 24 : 0) - (blots[i] > 1.8 ? 24 : 0));
  gaussian_blur(image, 0, {0, 0.8, 0.8});
  for (float& g : grey) g += float(5 * rng.normal());
  return {{image, Affine::scaling({1, 1, 1})}, {mask, Affine::scaling({1, 1, 1})}};
}

void write_fundi(const fs::path& folder, int64_t size, int cases) {
  fs::create_directories(folder);
  Dataset data{.name = "vessels", .root = folder, .channel_names = {"green"}, .labels = {"background", "vessel"}};
  for (int i = 0; i < cases; ++i) {
    const Fundus f = draw_fundus(size, Rng(8).at(uint64_t(i)));
    DatasetCase one{.id = "eye_" + std::to_string(100 + i)};
    one.images = {folder / (one.id + ".nii.gz")};
    one.label = folder / (one.id + "_vessels.nii.gz");
    write_volume(one.images[0], f.image);
    write_volume(one.label, f.vessels);
    data.cases.push_back(one);
  }
  write_dataset_json(data);
}

// Voxels that are darker than what is around them by at least `least`.
Tensor dark(const Tensor& image, double least) {
  const Tensor small = image.clone(), wide = image.clone(), out = Tensor::zeros({1, image.dim(1), image.dim(2)}, DType::u8);
  gaussian_blur(small, 0, {0, 1, 1});
  gaussian_blur(wide, 0, {0, 6, 6});
  for (size_t i = 0; i < size_t(out.count()); ++i)
    out.mutable_data<uint8_t>()[i] = double(wide.data<float>()[i] - small.data<float>()[i]) > least;
  return out;
}

// Of pictures {1, H, W}: all voxels together, and the mean of clDice, of how far centrelines of vessels lie in the other mask.
struct VesselScores {
  Confusion voxels;
  double cl_dice = 0, pictures = 0;
  void add(const Tensor& found, const Tensor& real) {
    voxels += confusion(found, real, 2)[1];
    cl_dice += score(found, real, {1, 1, 1}, {.classes = 2, .more = {"cl_dice"}})[0].more[0];
    ++pictures;
  }
};

void print_scores(const char* name, const VesselScores& s) {
  std::printf("%-16s Dice %.3f  sensitivity %.3f  precision %.3f  clDice %.3f\n", name, s.voxels.dice(), s.voxels.recall(),
              s.voxels.precision(), s.cl_dice / s.pictures);
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "150";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const int64_t size = quick ? 48 : 160;
  const fs::path data = argc > 2 ? argv[2] : "fundi";
  if (argc <= 2) write_fundi(data, size, quick ? 5 : 40);
  fs::remove_all("vessels_run");

  TrainConfig config;
  apply_assignments(config, {"network.base_features=16", "network.stages=4", "train.optimizer=adamw", "train.learning_rate=0.002",
                             "train.batch=4", "train.validate_every=100", "train.steps=" + steps});
  const TrainResult result = train(data, "vessels_run", config, Device{});
  std::printf("Dice %.3f on the pictures that did not train\n", result.final_score);
  if (argc > 2) return 0;

  const Predictor segment("vessels_run");
  VesselScores network;
  std::vector<VesselScores> thresholds(12);
  for (uint64_t i = 0; i < 5; ++i) {
    const Fundus f = draw_fundus(size, Rng(1000).at(i));
    const Tensor real = f.vessels.data.reshape({1, size, size});
    const Result found = segment(f.image);
    network.add(found.volume.data.reshape(real.shape()), real);
    for (size_t k = 0; k < thresholds.size(); ++k) thresholds[k].add(dark(f.image.data, 2 + 1.5 * double(k)), real);
    if (i == 0) write_png("vessels.png", segment.task().picture(f.image, found, f.vessels, "vessels", segment.description()));
  }
  const auto by_dice = [](const VesselScores& a, const VesselScores& b) { return a.voxels.dice() < b.voxels.dice(); };
  print_scores("local contrast", *std::max_element(thresholds.begin(), thresholds.end(), by_dice));
  print_scores("network", network);
  return 0;
}
