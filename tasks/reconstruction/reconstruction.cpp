#include "tasks/reconstruction/reconstruction.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "io/image.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/pad/pad.h"
#include "kernels/slice/slice.h"
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
  const Squared s = squared(image.reshape({1, image.dim(0), image.dim(1), image.dim(2), 1}), options_.measurement);
  std::vector<Tensor> results, simple;
  for (int64_t begin = 0; begin < s.slices.dim(0); begin += kSlicesAtOnce) {
    const int64_t end = std::min(s.slices.dim(0), begin + kSlicesAtOnce);
    const Measurement m = measured(s.slices.rows(begin, end), options_.measurement, rng, begin);
    const bool sees_image = options_.sees == "image";
    const Tensor y = net((sees_image ? m.image : m.data).to(o.device)).at(0).to(Device{}).to(DType::f32);
    results.push_back(crop3d(sees_image ? y + m.image : y, s.before, s.size));
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
  std::vector<Tensor> slices;
  for (int64_t d = 0; d < kspace.dim(0); ++d) {
    const Measurement m = measured_in(kspace.rows(d, d + 1).reshape({1, 1, kspace.dim(1), kspace.dim(2), kspace.dim(3)}));
    const bool sees_image = options_.sees == "image";
    const Tensor y = net((sees_image ? m.image : m.data).to(o.device)).at(0).to(Device{}).to(DType::f32);
    slices.push_back(sees_image ? y + m.image : y);
    if (o.progress) o.progress(d + 1, kspace.dim(0));
  }
  return concat(slices, 0).reshape({kspace.dim(0), kspace.dim(1), kspace.dim(2), 1});
}

Result Reconstruction::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  if (p.image.dim(3) > 1) return {.volume = {from_kspace(model.net, p.image, o), p.geometry.affine}, .json = {}};
  return {.volume = image_in_file(reconstructed(model.net, p.image, Rng(1), o)[0].data, p), .json = {}};
}

}  // namespace voxgrad
