// Sparse-view CT: networks learn to reconstruct slices from 60 parallel projections, from ellipses alone: the learned primal-dual network
// sees the projections, a U-Net the filtered back-projection. Both are compared with filtered back-projection, SIRT and total variation on
// ellipses that they have not seen and, where one is given, on a CT volume.
//   sparse_view_ct [STEPS [TEST]]
// VOXGRAD_SET: further settings of the configuration.
#include <voxgrad/voxgrad.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr double kPi = 3.14159265358979;

// Slices of n x n pixels with 10 to 30 ellipses of random densities in a body, each pixel the mean of 4 x 4 points.
Tensor ellipses(int64_t slices, int64_t n, Rng rng) {
  std::vector<float> out;
  for (int64_t d = 0; d < slices; ++d) {
    struct Ellipse {
      double y, x, p, q, sine, cosine, density;
    };
    std::vector<Ellipse> all;
    const auto add = [&](double y, double x, double p, double q, double density) {
      const double turn = rng.uniform(0, kPi);
      all.push_back({y, x, p, q, std::sin(turn), std::cos(turn), density});
    };
    add(rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), rng.uniform(0.6, 0.9), rng.uniform(0.45, 0.8), rng.uniform(0.3, 0.5));
    const int64_t count = 10 + rng.below(21);
    for (int64_t i = 0; i < count; ++i) {
      const double away = rng.uniform(0, 0.6), at = rng.uniform(0, 2 * kPi), size = std::pow(10, rng.uniform(-1.8, -0.5));
      add(away * std::sin(at), away * std::cos(at), size, size * rng.uniform(0.3, 1), rng.uniform(-0.3, 0.4));
    }
    for (int64_t i = 0; i < n * n; ++i) {
      double sum = 0;
      for (int k = 0; k < 16; ++k) {
        const double y = 2 * (double(i / n) + (k / 4 + 0.5) / 4) / double(n) - 1,
                     x = 2 * (double(i % n) + (k % 4 + 0.5) / 4) / double(n) - 1;
        double value = 0;
        for (const Ellipse& e : all) {
          const double a = (x - e.x) * e.cosine + (y - e.y) * e.sine, b = (y - e.y) * e.cosine - (x - e.x) * e.sine;
          if (a * a / (e.p * e.p) + b * b / (e.q * e.q) < 1) value += e.density;
        }
        sum += std::max(0.0, value);
      }
      out.push_back(float(std::min(1.0, sum / 16)));
    }
  }
  return Tensor::from(out, {slices, n, n, 1});
}

ReconstructionScores best_of(const std::vector<double>& settings, const Tensor& right, const std::function<Tensor(double)>& method) {
  ReconstructionScores best{.psnr = -1e9};  // of several, as if somebody had known the image
  for (double v : settings) {
    const ReconstructionScores s = reconstruction_scores(method(v).reshape(right.shape()), right);
    if (s.psnr > best.psnr) best = s;
  }
  return best;
}

// right: {slices, n, n, 1} from 0 to 1.
double compare(const Model& primal_dual, const Model& unet, const Tensor& right, bool quick) {
  const Inference quiet;
  const Measurement m = measured(right.reshape({right.dim(0), 1, right.dim(1), right.dim(2), 1}), {.kind = "projections"}, Rng(1));
  const Projector projector(square_geometry(right.dim(1), m.data.dim(2)));
  const LinearMap a = projection_map(projector);
  const auto print = [](const char* name, const ReconstructionScores& r) {
    std::printf("  %-24s PSNR %.2f dB  SSIM %.4f  NMSE %.5f\n", name, r.psnr, r.ssim, r.nmse);
  };
  const auto by_window = [&](double window) { return filtered_backprojection(m.data, projector.geometry(), RampWindow(int(window))); };
  print("filtered back-projection", best_of({0, 1, 2, 3, 4}, right, by_window));
  print("SIRT", best_of(quick ? std::vector<double>{5} : std::vector<double>{30, 60, 120, 240}, right, [&](double iterations) {
          return sirt(a, m.data, {.iterations = int(iterations), .non_negative = true});
        }));
  print("total variation",
        best_of(quick ? std::vector<double>{1e-3} : std::vector<double>{2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3}, right,
                [&](double w) { return total_variation(a, m.data, {.weight = w, .iterations = quick ? 5 : 300, .non_negative = true}); }));
  std::vector<Tensor> post, learned;
  for (int64_t n = 0; n < m.data.dim(0); ++n) {
    post.push_back(m.image.rows(n, n + 1) + unet.net(m.image.rows(n, n + 1))[0]);
    learned.push_back(primal_dual.net(m.data.rows(n, n + 1))[0]);
  }
  print("U-Net behind it", reconstruction_scores(concat(post, 0).reshape(right.shape()), right));
  const ReconstructionScores last = reconstruction_scores(concat(learned, 0).reshape(right.shape()), right);
  print("learned primal-dual", last);
  return last.psnr;
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "400";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const int n = quick ? 48 : 128;
  fs::create_directories("ct_data");
  std::FILE* table = std::fopen("ct_data/cases.csv", "w");
  std::fprintf(table, "image,split\n");
  for (int i = 0; i < (quick ? 2 : 26); ++i) {
    const std::string name = "ellipses_" + std::to_string(100 + i) + ".nii.gz";
    write_volume(fs::path("ct_data") / name, {ellipses(quick    ? 2
                                                       : i < 25 ? 16
                                                                : 8,
                                                       n, Rng(7).at(uint64_t(i))),
                                              Affine::scaling({1, 1, 1})});
    std::fprintf(table, "%s,%s\n", name.c_str(), i == (quick ? 1 : 25) ? "val" : "train");
  }
  std::fclose(table);
  const auto trained = [&](const char* run, const std::vector<std::string>& settings) {
    fs::remove_all(run);
    TrainConfig config;
    apply_assignments(config, {"task=reconstruction", "reconstruction.measurement=projections", "train.validate_every=1000000",
                               "train.steps=" + steps, "train.patch=[1," + std::to_string(n) + "," + std::to_string(n) + "]"});
    apply_assignments(config, settings);
    std::istringstream more(std::getenv("VOXGRAD_SET") ? std::getenv("VOXGRAD_SET") : "");
    for (std::string one; more >> one;) apply_assignments(config, {one});
    train("ct_data/cases.csv", run, config, Device{});
    return load_model(run);
  };
  const Model primal_dual = trained("ct_primal_dual", {"network.kind=learned_primal_dual"});
  const Model unet = trained("ct_unet", {"network.kind=unet", "network.base_features=16", "network.stages=4",
                                         "network.deep_supervision=false", "network.norm=none", "train.learning_rate=0.003",
                                         "reconstruction.sees=image"});
  std::printf("ellipses\n");
  const double psnr = compare(primal_dual, unet, ellipses(quick ? 2 : 16, n, Rng(8)), quick);
  if (argc > 2) {
    std::printf("%s\n", argv[2]);
    const Preprocessed p = preprocess(read_volume(argv[2]), primal_dual.description, argv[2]);
    const int size = int(std::max(p.image.dim(1), p.image.dim(2))), h = int(p.image.dim(1)), w = int(p.image.dim(2));
    const Tensor slices = p.image.reshape({1, p.image.dim(0), h, w, 1});
    const Tensor square = pad3d(slices, {0, (size - h) / 2, (size - w) / 2}, {0, size - h - (size - h) / 2, size - w - (size - w) / 2});
    compare(primal_dual, unet, square.reshape({p.image.dim(0), size, size, 1}), quick);
  }
  return std::isfinite(psnr) ? 0 : 1;
}
