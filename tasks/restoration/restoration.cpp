#include "tasks/restoration/restoration.h"

#include <cmath>

#include "augment/noise/noise.h"
#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/mse_loss/mse_loss.h"

namespace voxgrad {
namespace {

constexpr const char* kClean = "clean";

// f32 {D, H, W, C} with noise of that strength.
Tensor with_noise(const Tensor& image, double sigma, const Rng& rng) {
  const Tensor noisy = image.clone();
  add_gaussian_noise(noisy, sigma, rng);
  return noisy;
}

Tensor restored(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  return add(image, predict_volume(net, d, image, o));
}

class PsnrMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    restored_.push_back(psnr(prediction.at(0).data, c.sample.image()));
    noisy_.push_back(psnr(prediction.at(1).data, c.sample.image()));
  }
  Scores scores() const override {
    return {.name = "psnr", .text = "PSNR", .value = mean_of(restored_), .others = {{"psnr_of_input", mean_of(noisy_)}}};
  }

 private:
  static double mean_of(const std::vector<double>& v) {
    double sum = 0;
    for (double x : v) sum += x;
    return v.empty() ? NAN : sum / double(v.size());
  }
  std::vector<double> restored_, noisy_;
};

}  // namespace

Batch Restoration::prepare(const Batch& batch, const Rng& rng) const {
  const Device device = batch.image.device();
  const Tensor clean = batch.image.to(Device{});
  const Tensor noisy = Tensor::empty_like(clean);
  for (int64_t n = 0; n < clean.dim(0); ++n) {
    Rng source = rng.at(uint64_t(n));
    const double sigma = source.uniform(options_.noise.low, options_.noise.high);
    const Tensor patch = clean.rows(n, n + 1);
    noisy.rows(n, n + 1).copy_from(
        with_noise(patch.reshape({clean.dim(1), clean.dim(2), clean.dim(3), clean.dim(4)}), sigma, source.split()).reshape(patch.shape()));
  }
  return {noisy.to(device), {{kClean, DataKind::image, batch.image}}};
}

Tensor Restoration::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor difference = sub(batch.at(kClean), batch.image).to(outputs.at(0).dtype());
  if (options_.loss == "l2") return mse_loss(outputs[0], difference);
  return l1_loss(outputs[0], difference);
}

std::vector<Field> Restoration::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const Tensor noisy = with_noise(c.sample.image(), (options_.noise.low + options_.noise.high) / 2, Rng(number_of(c.id)));
  return {{"restored", DataKind::image, restored(net, d, noisy, o)}, {"noisy", DataKind::image, noisy}};
}

std::unique_ptr<Meter> Restoration::meter(const std::vector<std::string>&) const { return std::make_unique<PsnrMeter>(); }

Result Restoration::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const Inference quiet;
  return {.volume = image_in_file(restored(model.net, model.description, p.image, o), p), .json = {}};
}

}  // namespace voxgrad
