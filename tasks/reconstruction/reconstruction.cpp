#include "tasks/reconstruction/reconstruction.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/pad/pad.h"
#include "kernels/slice/slice.h"
#include "models/model_registry.h"
#include "tasks/reconstruction/reconstruction_scores.h"
#include "tasks/reconstruction/untrained.h"

namespace voxgrad {
namespace {

constexpr const char *kMeasured = "clean", *kSimple = "simple";
constexpr int64_t kSlicesAtOnce = 8;

// Slices as samples, square where they are projected: zeros around.
struct Squared {
  Tensor slices;
  Int3 before, size;
};
Squared squared(const Tensor& images, const MeasurementOptions& o) {
  const Int3 size{1, int(images.dim(2)), int(images.dim(3))};
  const Tensor slices = images.reshape({images.dim(0) * images.dim(1), 1, size.h, size.w, 1});
  const int n = std::max(size.h, size.w);
  if (o.kind == "kspace" || size.h == size.w) return {slices, {0, 0, 0}, size};
  const Int3 before{0, (n - size.h) / 2, (n - size.w) / 2};
  return {pad3d(slices, before, {0, n - size.h - before.h, n - size.w - before.w}), before, size};
}

// Refuses networks of this library that do not take what the options give them, in terms of the keys.
void check_takes(const Network& net, const ReconstructionOptions& o) {
  constexpr const char* wanted = "; varnet takes k-space, learned_primal_dual projections, the others images (reconstruction.sees=image)";
  const std::string kind = net.config().empty() ? "" : network_kind(parse_json(net.config(), "network"));
  const bool of_kspace = kind == "varnet", of_projections = kind == "learned_primal_dual";
  const std::vector<std::string> of_images = {"unet", "res_unet", "segresnet", "meshnet", "dncnn", "nafnet"};
  const bool image = std::find(of_images.begin(), of_images.end(), kind) != of_images.end();
  const bool sees_image = o.sees == "image", fits = of_kspace        ? !sees_image && o.measurement.kind == "kspace"
                                                    : of_projections ? !sees_image && o.measurement.kind == "projections"
                                                                     : sees_image || !image;
  check(fits, "network.kind=", kind, " with reconstruction.measurement=", o.measurement.kind, " and reconstruction.sees=", o.sees, wanted);
}

// The first output for what was measured, or of a network that corrects images (reconstruction.sees=image) the corrected one, with zeros
// around while it is computed where extents have to be multiples.
Tensor reconstructed_from(const Network& net, const Measurement& m, const ReconstructionOptions& o, const Device& device) {
  const auto output = [&](const Tensor& x) { return net(x.to(device)).at(0).to(Device{}).to(DType::f32); };
  if (o.sees != "image") return output(m.data);
  const Int3 size = m.image.shape().spatial(), divisor = net.traits().divisor;
  Int3 after;
  for (int a = 0; a < 3; ++a) after[a] = (divisor[a] - size[a] % divisor[a]) % divisor[a];
  return crop3d(output(pad3d(m.image, {0, 0, 0}, after)), {0, 0, 0}, size) + m.image;
}

class ReconstructionMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    for (size_t i = 0; i < 2; ++i) add_to(sums_[i], reconstruction_scores(prediction.at(i).data, c.sample.image()));
    ++cases_;
  }
  Scores scores() const override {
    const auto mean = [&](double sum) { return cases_ > 0 ? sum / cases_ : NAN; };
    return {.name = "psnr", .text = "PSNR", .value = mean(sums_[0].psnr),
            .others = {{"ssim", mean(sums_[0].ssim)}, {"nmse", mean(sums_[0].nmse)}, {"psnr_of_input", mean(sums_[1].psnr)},
                       {"ssim_of_input", mean(sums_[1].ssim)}}};
  }

 private:
  static void add_to(ReconstructionScores& sum, const ReconstructionScores& s) {
    sum.psnr += s.psnr;
    sum.ssim += s.ssim;
    sum.nmse += s.nmse;
  }
  ReconstructionScores sums_[2];
  double cases_ = 0;
};

}  // namespace

std::vector<std::string> Reconstruction::outputs(const Dataset& d) const {
  check(d.channel_names.size() == 1, "reconstruction: images have ", d.channel_names.size(), " channels, one is wanted");
  if (const std::string& mask = options_.measurement.mask_file; !mask.empty()) read_volume(mask);  // says so if it cannot be
  return d.channel_names;
}

Batch Reconstruction::prepare(const Batch& batch, const Rng& rng) const {
  const Device device = batch.image.device();
  const Squared s = squared(batch.image.to(Device{}), options_.measurement);
  const Measurement m = measured(s.slices, options_.measurement, rng);
  const Tensor& seen = options_.sees == "image" ? m.image : m.data;
  return {seen.to(device), {{kMeasured, DataKind::image, s.slices.to(device)}, {kSimple, DataKind::image, m.image.to(device)}}};
}

Tensor Reconstruction::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor& y = outputs.at(0);
  const Tensor image = options_.sees == "image" ? y + batch.at(kSimple).to(y.dtype()) : y, clean = batch.at(kMeasured).to(y.dtype());
  return image_loss(options_.loss, {.image = image, .reference = clean});
}

std::vector<Field> Reconstruction::reconstructed(const Network& net, const Tensor& image, const Rng& rng, const PredictOptions& o) const {
  const Inference quiet;
  check_takes(net, options_);
  const Squared s = squared(image.reshape({1, image.dim(0), image.dim(1), image.dim(2), 1}), options_.measurement);
  std::vector<Tensor> results, simple;
  for (int64_t begin = 0; begin < s.slices.dim(0); begin += kSlicesAtOnce) {
    const int64_t end = std::min(s.slices.dim(0), begin + kSlicesAtOnce);
    const Measurement m = measured(s.slices.rows(begin, end), options_.measurement, rng, begin);
    results.push_back(crop3d(reconstructed_from(net, m, options_, o.device), s.before, s.size));
    simple.push_back(crop3d(m.image, s.before, s.size));
    if (o.progress) o.progress(end, s.slices.dim(0));
  }
  const Shape shape{image.dim(0), image.dim(1), image.dim(2), 1};
  return {{"reconstructed", DataKind::image, concat(results, 0).reshape(shape)},
          {"input", DataKind::image, concat(simple, 0).reshape(shape)}};
}

std::vector<Field> Reconstruction::predict(const Network& net, const ModelDescription&, const Case& c, const PredictOptions& o) const {
  return reconstructed(net, c.sample.image(), Rng(number_of(c.id)), o);
}

std::unique_ptr<Meter> Reconstruction::meter(const std::vector<std::string>&) const { return std::make_unique<ReconstructionMeter>(); }

std::optional<Preprocessed> Reconstruction::measurements(const Volume& v, const std::string& name) const {
  const Shape& s = v.data.shape();
  if (options_.measurement.kind != "kspace" || s.rank != 4 || s[3] < 2) return {};
  const Volume kspace = kspace_of(v, name);
  return Preprocessed{.image = kspace.data, .geometry = {.affine = kspace.affine}};
}

Tensor Reconstruction::from_kspace(const Network& net, const Tensor& kspace, const PredictOptions& o) const {
  const Inference quiet;
  check_takes(net, options_);
  std::vector<Tensor> slices;
  for (int64_t d = 0; d < kspace.dim(0); ++d) {
    const Measurement m = measured_in(kspace.rows(d, d + 1).reshape({1, 1, kspace.dim(1), kspace.dim(2), kspace.dim(3)}));
    slices.push_back(reconstructed_from(net, m, options_, o.device));
    if (o.progress) o.progress(d + 1, kspace.dim(0));
  }
  return concat(slices, 0).reshape({kspace.dim(0), kspace.dim(1), kspace.dim(2), 1});
}

Result Reconstruction::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  if (p.image.dim(3) > 1) return {.volume = {from_kspace(model.net, p.image, o), p.geometry.affine}, .json = {}};
  return {.volume = image_in_file(reconstructed(model.net, p.image, Rng(1), o)[0].data, p), .json = {}};
}

}  // namespace voxgrad
