// Denoising of MR: a network learns from clean volumes what Rician noise does to them, and is compared with the noisy volume and with total
// variation at its best weight on a volume that it has not seen.
//   mr_denoising [STEPS [FOLDER TEST]]     FOLDER: what voxgrad train takes, TEST: a volume; without them heads are made
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

// From 0, which has to be black, to 1: noise is measured in these units.
Volume rescaled(const Volume& v) {
  const std::vector<double> x = v.data.values();
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  return {(v.data.to(DType::f32) - *low) / std::max(1e-9, *high - *low), v.affine};
}

Volume head(const Int3& size, uint64_t seed) {
  return rescaled({make_phantom(PhantomKind::head, {.size = size, .seed = seed}).image, Affine::scaling({1, 1, 1})});
}

void write_heads(const fs::path& folder, const std::vector<Volume>& heads) {
  fs::create_directories(folder);
  Dataset data{.name = "heads", .root = folder, .channel_names = {"MR"}, .labels = {"background"}};
  for (size_t i = 0; i < heads.size(); ++i) {
    data.cases.push_back({.id = "head_" + std::to_string(100 + i), .images = {folder / ("head_" + std::to_string(100 + i) + ".nii.gz")}});
    write_volume(data.cases.back().images[0], heads[i]);
  }
  write_dataset_json(data);
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "800";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const Int3 size = quick ? Int3{16, 24, 24} : Int3{48, 64, 64};
  std::vector<Volume> heads;
  if (argc > 3)
    for (const DatasetCase& c : read_dataset(argv[2]).cases) heads.push_back(rescaled(read_case_image(c)));
  else
    for (uint64_t i = 0; i < (quick ? 5u : 15u); ++i) heads.push_back(head(size, i));
  write_heads("heads", heads);
  fs::remove_all("denoising_run");

  TrainConfig config;
  apply_assignments(config, {"task=restoration", R"(restoration.degradations=[{"kind":"rician","strength":[0.05,0.15]}])",
                             "data.normalization=none", "network.base_features=8", "network.stages=3", "train.batch=2",
                             "train.patch=[32,32,32]", "train.learning_rate=0.004", "train.validate_every=200", "train.steps=" + steps});
  if (quick) apply_assignments(config, {"train.patch=[16,16,16]"});
  train("heads", "denoising_run", config, Device{});

  const Volume test = argc > 3 ? rescaled(read_volume(argv[3])) : head(size, 1000);
  const Tensor clean = test.data, noisy = degraded(clean, {{.kind = "rician", .strength = {0.1, 0.1}}}, Rng(1));
  const Predictor restore("denoising_run");
  const Tensor network = restore({noisy, test.affine}).volume.data;
  const LinearMap nothing{[](const Tensor& x) { return x; }, [](const Tensor& x) { return x; }};
  const Shape one = Shape{1, clean.dim(0), clean.dim(1), clean.dim(2), 1};
  double best = -INFINITY;
  for (double weight : {0.02, 0.04, 0.08, 0.12}) {
    const Tensor x = total_variation(nothing, noisy.reshape(one), {.weight = weight, .iterations = quick ? 5 : 100, .axes = 3});
    best = std::max(best, psnr(x.reshape(clean.shape()), clean));
  }
  std::printf("PSNR: noisy %.2f dB, total variation %.2f dB, network %.2f dB\n", psnr(noisy, clean), best, psnr(network, clean));
  write_png("denoised.png", restore.task().picture({noisy, test.affine}, {.volume = {network, test.affine}}, {clean, test.affine},
                                                   "noisy, restored, clean", restore.description()));
  return 0;
}
