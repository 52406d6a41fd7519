// Twice the resolution: a network learns from sharp volumes what is lost where voxels are twice as large along each axis, and is compared
// with cubic interpolation on a volume that it has not seen.
//   super_resolution [STEPS [FOLDER TEST]]     FOLDER: what voxgrad train takes, TEST: a volume; without them heads are made
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

Volume head(const Int3& size, uint64_t seed) {
  return {make_phantom(PhantomKind::head, {.size = size, .seed = seed}).image, Affine::scaling({1, 1, 1})};
}

void write_heads(const fs::path& folder, const Int3& size, int cases) {
  fs::create_directories(folder);
  Dataset data{.name = "heads", .root = folder, .channel_names = {"MR"}, .labels = {"background"}};
  for (int i = 0; i < cases; ++i) {
    data.cases.push_back({.id = "head_" + std::to_string(100 + i), .images = {folder / ("head_" + std::to_string(100 + i) + ".nii.gz")}});
    write_volume(data.cases.back().images[0], head(size, uint64_t(i)));
  }
  write_dataset_json(data);
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "800";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const Int3 size = quick ? Int3{16, 24, 24} : Int3{48, 64, 64};
  const fs::path data = argc > 3 ? argv[2] : "heads";
  if (argc <= 3) write_heads(data, size, quick ? 5 : 15);
  fs::remove_all("super_resolution_run");

  TrainConfig config;
  apply_assignments(config, {"task=restoration", R"(restoration.degradations=[{"kind":"low_resolution","strength":[2,2]}])",
                             "network.base_features=8", "network.stages=3", "train.batch=2", "train.patch=[32,32,32]",
                             "train.learning_rate=0.004", "train.validate_every=200", "train.steps=" + steps});
  if (quick) apply_assignments(config, {"train.patch=[16,16,16]"});
  train(data, "super_resolution_run", config, Device{});

  // Means of 2 x 2 x 2 voxels, and these brought back to the grid by cubic B-splines, from which the network starts.
  const Volume test = argc > 3 ? read_volume(argv[3]) : head(size, 1000);
  const Tensor sharp = test.data.to(DType::f32);
  const Tensor cubic = degraded(sharp, {{.kind = "low_resolution", .strength = {2, 2}}}, Rng(1));
  const Predictor restore("super_resolution_run");
  const Tensor network = restore({cubic, test.affine}).volume.data;
  std::printf("PSNR: cubic %.2f dB, network %.2f dB\n", psnr(cubic, sharp), psnr(network, sharp));
  write_png("sharper.png", restore.task().picture({cubic, test.affine}, {.volume = {network, test.affine}}, {sharp, test.affine},
                                                  "cubic, restored, sharp", restore.description()));
  return 0;
}
