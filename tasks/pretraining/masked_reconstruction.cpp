#include "tasks/pretraining/masked_reconstruction.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/autograd.h"
#include "core/lists/shuffle.h"
#include "kernels/binary/binary.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

constexpr const char *kWhole = "whole", *kMask = "mask";
constexpr int kBlocksAlong = 8, kLargestBlock = 16;

class MaskedMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    const Tensor &got = prediction.at(0).data, &mask = prediction.at(1).data, &wanted = c.sample.image();
    const auto *y = got.view().as<float>(), *x = wanted.view().as<float>(), *m = mask.view().as<float>();
    double n = 0, sum = 0, square = 0, error = 0;
    for (int64_t i = 0; i < wanted.count(); ++i)
      if (m[i] != 0) n += 1, sum += x[i], square += double(x[i]) * x[i], error += (double(y[i]) - x[i]) * (double(y[i]) - x[i]);
    const double spread = square - sum * sum / n;
    if (n > 0 && spread > 0) values_.push_back(1 - error / spread);
  }
  Scores scores() const override {
    const double mean = values_.empty() ? NAN : std::accumulate(values_.begin(), values_.end(), 0.0) / double(values_.size());
    return {.name = "masked_r2", .text = "R2 of masked voxels", .value = mean};
  }

 private:
  std::vector<double> values_;
};

Shape one_of(const Shape& s) { return {s[1], s[2], s[3], s[4]}; }

}  // namespace

Tensor block_mask(const Int3& size, int64_t channels, const Int3& block, double ratio, Rng rng) {
  Int3 blocks;
  for (int a = 0; a < 3; ++a) blocks[a] = (size[a] + block[a] - 1) / block[a];
  std::vector<uint8_t> masked(size_t(blocks.d) * size_t(blocks.h) * size_t(blocks.w));
  std::fill_n(masked.begin(), std::lround(ratio * double(masked.size())), uint8_t(1));
  shuffle(masked, rng);
  const Tensor out = Tensor::empty({size.d, size.h, size.w, channels});
  float* to = out.view().as<float>();
  for (int d = 0; d < size.d; ++d)
    for (int h = 0; h < size.h; ++h)
      for (int w = 0; w < size.w; ++w) {
        const size_t at = (size_t(d / block.d) * size_t(blocks.h) + size_t(h / block.h)) * size_t(blocks.w) + size_t(w / block.w);
        to = std::fill_n(to, channels, float(masked[at]));
      }
  return out;
}

Tensor MaskedReconstruction::mask(const Shape& image, const Int3& patch, Rng rng) const {
  Int3 block = options_.block;
  for (int a = 0; a < 3; ++a)
    if (block[a] == 0) block[a] = std::clamp(int(std::lround(double(patch[a]) / kBlocksAlong)), 1, kLargestBlock);
  return block_mask({int(image[0]), int(image[1]), int(image[2])}, image[3], block, options_.ratio, rng);
}

Batch MaskedReconstruction::prepare(const Batch& batch, const Rng& rng) const {
  const Unrecorded quiet;
  const Shape& s = batch.image.shape();
  const Tensor masks = Tensor::empty(s);
  for (int64_t n = 0; n < s[0]; ++n)
    masks.rows(n, n + 1).copy_from(mask(one_of(s), s.spatial(), rng.at(uint64_t(n))).reshape({1, s[1], s[2], s[3], s[4]}));
  const Tensor mask = masks.to(batch.image.device());
  return {sub(batch.image, mul(batch.image, mask)), {{kWhole, DataKind::image, batch.image}, {kMask, DataKind::image, mask}}};
}

// Of the squares of what is masked; the others are 0 on both sides.
Tensor MaskedReconstruction::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor &y = outputs.at(0), mask = batch.at(kMask).to(y.dtype()), x = batch.at(kWhole).to(y.dtype());
  const Tensor loss = mse_loss(mul(y, mask), mul(x, mask));
  return affine(loss, double(y.count()), 0) / sum(batch.at(kMask)).to(loss.dtype());
}

std::vector<Field> MaskedReconstruction::predict(const Network& net, const ModelDescription& d, const Case& c,
                                                 const PredictOptions& o) const {
  const Tensor& image = c.sample.image();
  const Tensor masked = mask(image.shape(), d.patch, Rng(number_of(c.id)));
  const Tensor y = predict_volume(net, d, sub(image, mul(image, masked)), o);
  return {{"reconstructed", DataKind::image, y}, {kMask, DataKind::image, masked}};
}

std::unique_ptr<Meter> MaskedReconstruction::meter(const std::vector<std::string>&) const { return std::make_unique<MaskedMeter>(); }

Result MaskedReconstruction::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const Inference quiet;
  const Tensor masked = mask(p.image.shape(), model.description.patch, Rng(1));
  const Tensor seen = sub(p.image, mul(p.image, masked));
  const Tensor y = predict_volume(model.net, model.description, seen, o);
  return {.volume = image_in_file(add(seen, mul(y, masked)), p), .json = {}};
}

}  // namespace voxgrad
