#include "train/loader.h"

#include <cmath>

#include "core/error.h"
#include "core/parallel.h"

namespace voxgrad {
namespace {

constexpr uint64_t kLoaderStream = 2;  // of the seed; 1 is for the initial weights

// The configured augmentation, with what follows from the shape of the patch.
AugmentOptions augment_for(const ModelDescription& d, AugmentOptions a) {
  const SpatialOptions rule = spatial_options_for(d.patch, d.spacing);
  const double degrees = a.spatial.rotation_degrees[0];
  a.spatial.slice_axis = rule.slice_axis;
  a.spatial.spacing = rule.spacing;
  a.spatial.rotation_degrees = rule.slice_axis >= 0 ? rule.rotation_degrees : Double3{degrees, degrees, degrees};
  check_options(a);
  return a;
}

}  // namespace

Loader::Loader(CaseStore& store, std::vector<std::string> ids, const TrainConfig& config)
    : store_(store),
      ids_(std::move(ids)),
      patch_(store.description().patch),
      batch_(config.train.batch),
      oversample_(config.train.oversample_foreground),
      augment_(augment_for(store_.description(), config.augment)),
      rng_(Rng(config.seed).at(kLoaderStream)) {
  check(!ids_.empty(), "train: no case is left to train on");
}

// nnU-Net: the last slots of a batch, round(batch (1 - fraction)) and on, are forced. A batch of one draws instead.
bool Loader::forced_foreground(int slot, Rng& rng) const {
  if (batch_ == 1) return rng.coin(oversample_);
  return slot >= int(std::lround(batch_ * (1 - oversample_)));
}

Sample Loader::patch(int64_t step, int slot) const {
  Rng rng = rng_.at(uint64_t(step), uint64_t(slot));
  const std::shared_ptr<const Case> sample_case = store_.get(ids_[size_t(rng.below(int64_t(ids_.size())))]);
  const bool forced = forced_foreground(slot, rng);
  const Double3 centre = forced ? foreground_centre(sample_case->foreground, patch_, rng.split())
                                : random_centre(sample_case->foreground.size, patch_, rng.split());
  return augmented_patch(sample_case->sample, {centre, patch_}, augment_, rng.split());
}

Batch Loader::batch(int64_t step) const {
  std::vector<Sample> samples{size_t(batch_)};
  parallel_for(batch_, 1, [&](int64_t slot) { samples[size_t(slot)] = patch(step, int(slot)); });
  const Shape image = samples[0].image.shape(), label = samples[0].label.shape();
  Batch b{Tensor::empty({batch_, image[0], image[1], image[2], image[3]}),
          Tensor::empty({batch_, label[0], label[1], label[2]}, DType::u8)};
  for (int64_t i = 0; i < batch_; ++i) {
    b.image.rows(i, i + 1).reshape(image).copy_from(samples[size_t(i)].image);
    b.label.rows(i, i + 1).reshape(label).copy_from(samples[size_t(i)].label);
  }
  return b;
}

}  // namespace voxgrad
