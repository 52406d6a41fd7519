// Despeckling of ultrasound: a network learns from clean pictures what multiplicative noise does to them, and is compared with the noisy
// picture and with means of boxes of the best size on a picture that it has not seen.
//   despeckling [STEPS [FOLDER TEST]]     FOLDER: what voxgrad train takes, TEST: a picture, both from 0 to 1; without them tissue is drawn
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

// Tissue whose echoes vary slowly, layers that end at a bent line, and cysts and lesions in them, from 0 to 1.
Volume tissue(int64_t size, Rng rng) {
  const Int3 all = {1, int(size), int(size)};
  const Tensor image = smooth_noise(all, {1, 3, 3}, rng.split()).reshape({1, size, size, 1}) * 0.05;
  const auto grey = image.mutable_data<float>();
  const double line = double(size) * rng.uniform(0.15, 0.4), bend = rng.uniform(-20, 20);
  for (int64_t h = 0; h < size; ++h)
    for (int64_t w = 0; w < size; ++w)
      grey[size_t(h * size + w)] += double(h) < line + bend * std::sin(3.0 * double(w) / double(size)) ? 0.65f : 0.45f;
  for (int64_t left = 4 + rng.below(6); left > 0; --left) {
    const double y = rng.uniform(0, double(size)), x = rng.uniform(0, double(size)), a = rng.uniform(4, 16), b = rng.uniform(4, 16);
    const float echo = rng.coin(0.6) ? 0.08f : float(rng.uniform(0.25, 0.95));
    for (int64_t h = 0; h < size; ++h)
      for (int64_t w = 0; w < size; ++w)
        if (std::hypot((double(h) - y) / a, (double(w) - x) / b) < 1) grey[size_t(h * size + w)] = echo;
  }
  gaussian_blur(image, 0, {0, 0.7, 0.7});
  for (float& g : grey) g = std::clamp(g, 0.f, 1.f);
  return {image, Affine::scaling({1, 1, 1})};
}

void write_tissue(const fs::path& folder, int64_t size, int cases) {
  fs::create_directories(folder);
  Dataset data{.name = "tissue", .root = folder, .channel_names = {"ultrasound"}, .labels = {"background"}};
  for (int i = 0; i < cases; ++i) {
    data.cases.push_back({.id = "case_" + std::to_string(100 + i), .images = {folder / ("case_" + std::to_string(100 + i) + ".nii.gz")}});
    write_volume(data.cases.back().images[0], tissue(size, Rng(5).at(uint64_t(i))));
  }
  write_dataset_json(data);
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "2400";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const int64_t size = quick ? 48 : 96;
  const fs::path data = argc > 3 ? argv[2] : "tissue";
  if (argc <= 3) write_tissue(data, size, quick ? 5 : 60);
  fs::remove_all("despeckling_run");

  TrainConfig config;
  apply_assignments(config, {"task=restoration", R"(restoration.degradations=[{"kind":"speckle","strength":[0.2,0.6]}])",
                             "data.normalization=none", "network.base_features=8", "network.stages=3", "train.batch=4",
                             "train.learning_rate=0.004", "train.validate_every=200", "train.steps=" + steps});
  train(data, "despeckling_run", config, Device{});

  const Volume test = argc > 3 ? read_volume(argv[3]) : tissue(size, Rng(1000));
  const Tensor clean = test.data.to(DType::f32), noisy = degraded(clean, {{.kind = "speckle", .strength = {0.4, 0.4}}}, Rng(1));
  const Predictor restore("despeckling_run");
  const Tensor network = restore({noisy, test.affine}).volume.data;
  double best = -INFINITY;
  for (int box : {3, 5, 7}) {
    const AvgPool3dOptions window{
        .kernel = {1, box, box}, .stride = {1, 1, 1}, .padding = {0, box / 2, box / 2}, .count_include_pad = false};
    const Shape s = noisy.shape();
    best = std::max(best, psnr(avg_pool3d(noisy.reshape({1, s[0], s[1], s[2], s[3]}), window).reshape(s), clean));
  }
  std::printf("PSNR: with speckle %.2f dB, means of boxes %.2f dB, network %.2f dB\n", psnr(noisy, clean), best, psnr(network, clean));
  write_png("despeckled.png", restore.task().picture({noisy, test.affine}, {.volume = {network, test.affine}}, {clean, test.affine},
                                                     "with speckle, restored, clean", restore.description()));
  return 0;
}
