#include "tasks/restoration/restoration.h"

#include <cmath>

#include "augment/sample.h"
#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

constexpr const char* kClean = "clean";
constexpr const char* kHidden = "hidden";

Tensor sample_of(const Tensor& batch, int64_t n) {
  const Shape s = batch.shape();
  return batch.rows(n, n + 1).reshape({s[1], s[2], s[3], s[4]});
}

// PSNR at hidden voxels alone.
double psnr_at(const Tensor& hidden, const Tensor& image, const Tensor& reference) {
  std::vector<double> a, b;
  const std::vector<double> h = hidden.values(), x = image.values(), y = reference.values();
  const size_t channels = x.size() / h.size();
  for (size_t i = 0; i < x.size(); ++i) {
    if (h[i / channels] == 0) continue;
    a.push_back(x[i]);
    b.push_back(y[i]);
  }
  const Shape s{int64_t(a.size())};
  return psnr(Tensor::from(a, s), Tensor::from(b, s));
}

class RestorationMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    const Tensor reference = c.sample.image();
    for (size_t i = 0; i < 2; ++i) {
      const Tensor& image = prediction.at(i).data;
      if (prediction.size() > 2) {
        psnr_[i].push_back(psnr_at(prediction[2].data, image, reference));
        continue;
      }
      const ImageScores s = image_scores(image, reference, {.all = false});
      psnr_[i].push_back(s.psnr), ssim_[i].push_back(s.ssim);
    }
  }
  Scores scores() const override {
    Scores out{.name = "psnr", .text = "PSNR", .value = mean_of(psnr_[0]), .others = {{"psnr_of_input", mean_of(psnr_[1])}}};
    if (!ssim_[0].empty()) out.others.insert(out.others.end(), {{"ssim", mean_of(ssim_[0])}, {"ssim_of_input", mean_of(ssim_[1])}});
    return out;
  }

 private:
  static double mean_of(const std::vector<double>& v) {
    double sum = 0;
    for (double x : v) sum += x;
    return v.empty() ? NAN : sum / double(v.size());
  }
  std::vector<double> psnr_[2], ssim_[2];  // of the restored image and of what the network saw
};

}  // namespace

Tensor hide_voxels(const Tensor& image, double masked, int neighbours, Rng rng) {
  const Int3 size = volume_size(image);
  const int64_t voxels = int64_t(size.d) * size.h * size.w, channels = image.dim(3);
  const Tensor before = image.clone(), hidden = Tensor::zeros({size.d, size.h, size.w, 1});
  const float* from = before.view().as<float>();
  float *to = image.view().as<float>(), *h = hidden.view().as<float>();
  const int64_t wanted = std::max<int64_t>(1, std::llround(masked * double(voxels)));
  for (int64_t k = 0; k < wanted; ++k) {
    const int64_t i = rng.below(voxels);
    const int at[3] = {int(i / size.w / size.h), int(i / size.w % size.h), int(i % size.w)};
    int64_t other = i;
    for (int tries = 0; other == i && tries < 100; ++tries) {
      int near[3];
      for (int a = 0; a < 3; ++a) {
        const int low = std::max(0, at[a] - neighbours), high = std::min(size[a] - 1, at[a] + neighbours);
        near[a] = low + int(rng.below(high - low + 1));
      }
      other = (int64_t(near[0]) * size.h + near[1]) * size.w + near[2];
    }
    for (int64_t c = 0; c < channels; ++c) to[i * channels + c] = from[other * channels + c];
    h[i] = 1;
  }
  return hidden;
}

Restoration::Restoration(const RestorationOptions& options) : options_(options) {
  if (options_.degradations.empty()) options_.degradations = {{.kind = "gaussian", .strength = options_.noise}};
}

Batch Restoration::prepare(const Batch& batch, const Rng& rng) const {
  const Device device = batch.image.device();
  const Tensor clean = batch.image.to(Device{});
  const Shape s = clean.shape();
  const Tensor seen = clean.clone(), hidden = Tensor::empty({blind() ? s[0] : 0, s[1], s[2], s[3], 1});
  for (int64_t n = 0; n < s[0]; ++n) {
    const Tensor one = sample_of(seen, n);
    if (blind()) {
      const Tensor h = hide_voxels(one, options_.masked, options_.neighbours, rng.at(uint64_t(n)));
      hidden.rows(n, n + 1).copy_from(h.reshape({1, s[1], s[2], s[3], 1}));
    } else {
      one.copy_from(degraded(one, options_.degradations, rng.at(uint64_t(n))));
    }
  }
  Batch out{seen.to(device), {{kClean, DataKind::image, batch.image}}};
  if (blind()) out.targets.push_back({kHidden, DataKind::image, hidden.to(device)});
  return out;
}

Tensor Restoration::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const bool squared = options_.loss == "l2";
  const Tensor& y = outputs.at(0);
  if (!blind()) {
    const Tensor difference = sub(batch.at(kClean), batch.image).to(y.dtype());
    return squared ? mse_loss(y, difference) : l1_loss(y, difference);
  }
  // The mean over hidden voxels: all others are 0 on both sides.
  const double part = mean(batch.at(kHidden)).item();
  const Tensor factor = Tensor::full({1, 1, 1, 1, 1}, squared ? 1 / std::sqrt(part) : 1 / part, DType::f32, y.device());
  const Tensor weight = mul(batch.at(kHidden), factor).to(y.dtype());
  const Tensor a = mul(y, weight), b = mul(batch.at(kClean).to(y.dtype()), weight);
  return squared ? mse_loss(a, b) : l1_loss(a, b);
}

Tensor Restoration::restored(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) const {
  const Tensor y = predict_volume(net, d, image, o);
  return blind() ? y : add(image, y);
}

std::vector<Field> Restoration::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const Rng rng(number_of(c.id));
  if (!blind()) {
    const Tensor seen = degraded_in_the_middle(c.sample.image(), options_.degradations, rng);
    return {{"restored", DataKind::image, restored(net, d, seen, o)}, {"seen", DataKind::image, seen}};
  }
  const Tensor seen = c.sample.image().clone();
  const Tensor hidden = hide_voxels(seen, options_.masked, options_.neighbours, rng);
  return {{"restored", DataKind::image, restored(net, d, seen, o)},
          {"seen", DataKind::image, seen},
          {"hidden", DataKind::image, hidden}};
}

std::unique_ptr<Meter> Restoration::meter(const std::vector<std::string>&) const { return std::make_unique<RestorationMeter>(); }

Result Restoration::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const Inference quiet;
  return {.volume = image_in_file(restored(model.net, model.description, p.image, o), p), .json = {}};
}

}  // namespace voxgrad
