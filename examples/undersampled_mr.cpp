// Undersampled MR: a variational network learns to reconstruct slices from a quarter of the k-space of eight coils, and is compared with
// the zero-filled image, SENSE, and compressed sensing by total variation and by wavelets on a volume that it has not seen.
//   undersampled_mr [STEPS [DATA TEST]]
// DATA: what voxgrad train takes, TEST: a volume; without them heads are made. VOXGRAD_SET: further settings of the configuration.
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>

using namespace voxgrad;
namespace fs = std::filesystem;

// Volumes of heads; the last one is for the test.
fs::path make_heads(const fs::path& folder, int cases, const Int3& size) {
  fs::create_directories(folder);
  Dataset data{.name = "heads", .root = folder, .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::head)};
  for (int i = 0; i <= cases; ++i) {
    const Phantom p = make_phantom(PhantomKind::head, {.size = size, .seed = uint64_t(i)});
    DatasetCase one{.id = "case_" + std::to_string(100 + i)};
    one.images = {(i < cases ? folder : fs::path(".")) / (one.id + ".nii.gz")};
    one.label = folder / (one.id + "_label.nii.gz");
    write_volume(one.images[0], {p.image, Affine::scaling({1, 1, 1})});
    write_volume(one.label, {p.label.reshape({size.d, size.h, size.w, 1}), Affine::scaling({1, 1, 1})});
    if (i < cases) data.cases.push_back(one);
    else return write_dataset_json(data), one.images[0];
  }
  return {};
}

// The best of several weights, as if somebody had known the image.
ReconstructionScores best_of(const std::vector<double>& weights, const Tensor& right, const std::function<Tensor(double)>& method) {
  ReconstructionScores best{.psnr = -1e9};
  for (double w : weights) {
    const ReconstructionScores s = reconstruction_scores(method(w), right);
    if (s.psnr > best.psnr) best = s;
  }
  return best;
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "400";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const fs::path data = argc > 3 ? argv[2] : "mr_data", test = argc > 3 ? fs::path(argv[3])
                                                               : quick  ? make_heads(data, 3, {16, 48, 48})
                                                                        : make_heads(data, 8, {16, 96, 96});
  fs::remove_all("mr_run");
  TrainConfig config;
  apply_assignments(config, {"task=reconstruction", "train.steps=" + steps, "train.validate_every=1000000"});
  if (argc <= 3)
    apply_assignments(
        config, {"network.features=8", "network.cascades=4", quick ? "train.patch=[1,48,48]" : "train.patch=[1,96,96]", "data.folds=3"});
  std::istringstream more(std::getenv("VOXGRAD_SET") ? std::getenv("VOXGRAD_SET") : "");
  for (std::string one; more >> one;) apply_assignments(config, {one});
  train(data, "mr_run", config, Device{});

  const Model model = load_model("mr_run");
  const Tensor right = preprocess(read_volume(test), model.description, test.string()).image;
  const Shape s{right.dim(0), 1, right.dim(1), right.dim(2), 1};

  const Inference quiet;
  const Measurement m = measured(right.reshape(s), {}, Rng(1));  // the same for all
  const int64_t parts = m.data.dim(4) - 1;
  const int iterations = quick ? 5 : 100;
  const auto by = [&](auto&& method) {  // slice by slice, magnitudes
    std::vector<Tensor> out;
    for (int64_t n = 0; n < s[0]; ++n) {
      const Tensor one = m.data.rows(n, n + 1), kspace = slice(one, 4, 0, parts), mask = slice(slice(one, 4, parts, parts + 1), 2, 0, 1);
      const Tensor coils = estimate_sensitivities(kspace, {.columns = centre_columns(mask_of(mask))});
      out.push_back(root_sum_of_squares(method(coil_map(coils, mask), kspace)));
    }
    return concat(out, 0).reshape(right.shape());
  };
  const auto print = [](const char* name, const ReconstructionScores& r) {
    std::printf("%-18s PSNR %.2f dB  SSIM %.4f  NMSE %.5f\n", name, r.psnr, r.ssim, r.nmse);
  };
  const std::vector<double> weights = quick ? std::vector<double>{0.003} : std::vector<double>{0.0005, 0.001, 0.002, 0.004, 0.008};
  print("zero-filled", reconstruction_scores(m.image.reshape(right.shape()), right));
  print("SENSE", best_of({1e-3, 1e-2, 5e-2}, right, [&](double w) {
          return by([&](const LinearMap& a, const Tensor& k) { return cgls(a, k, {.iterations = 15, .regularization = w}); });
        }));
  print("total variation", best_of(weights, right, [&](double w) {
          return by([&](const LinearMap& a, const Tensor& k) { return total_variation(a, k, {.weight = w, .iterations = iterations}); });
        }));
  print("wavelets", best_of(weights, right, [&](double w) {
          return by([&](const LinearMap& a, const Tensor& k) { return wavelet_sparse(a, k, {.weight = w, .iterations = iterations / 2}); });
        }));
  std::vector<Tensor> learned;
  for (int64_t n = 0; n < s[0]; ++n) learned.push_back(model.net(m.data.rows(n, n + 1))[0]);
  const ReconstructionScores network = reconstruction_scores(concat(learned, 0).reshape(right.shape()), right);
  print("varnet", network);
  return std::isfinite(network.psnr) ? 0 : 1;
}
