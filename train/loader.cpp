#include "train/loader.h"

#include <cmath>

#include "core/error.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr uint64_t kLoaderStream = 2;  // of the seed; 1 is for the initial weights

}  // namespace

Loader::Loader(CaseStore& store, std::vector<std::string> ids, const TrainConfig& config)
    : store_(store),
      ids_(std::move(ids)),
      patch_(store.description().patch),
      batch_(config.train.batch),
      oversample_(config.train.oversample_foreground),
      augment_(config.augment),
      rng_(Rng(config.seed).at(kLoaderStream)) {
  check(!ids_.empty(), "train: no case is left to train on");
}

// nnU-Net: the last slots of a batch, round(batch (1 - fraction)) and on, are forced. A batch of one draws instead.
bool Loader::forced_foreground(int slot, Rng& rng) const {
  if (batch_ == 1) return rng.coin(oversample_);
  return slot >= int(std::lround(batch_ * (1 - oversample_)));
}

PatchRequest Loader::request(int64_t step, int slot) const {
  Rng rng = rng_.at(uint64_t(step), uint64_t(slot));
  const std::shared_ptr<const Case> sample_case = store_.get(ids_[size_t(rng.below(int64_t(ids_.size())))]);
  const bool forced = forced_foreground(slot, rng);
  const Double3 centre = forced ? foreground_centre(sample_case->foreground, patch_, rng.split())
                                : random_centre(sample_case->foreground.size, patch_, rng.split());
  return {sample_case->sample, {centre, patch_, store_.description().spacing}, rng.split()};
}

std::vector<PatchRequest> Loader::requests(int64_t step) const {
  std::vector<PatchRequest> all{size_t(batch_)};
  parallel_for(batch_, 1, [&](int64_t slot) { all[size_t(slot)] = request(step, int(slot)); });
  return all;
}

Batch Loader::batch(int64_t step) const { return augmented_batch(requests(step), augment_); }
void Loader::batch(int64_t step, Cuda on, Batch& into) const { augmented_batch(on, requests(step), augment_, into); }

Batch Loader::empty_batch(Device device) const {
  const Int3 p = patch_;
  return {Tensor::empty({batch_, p.d, p.h, p.w, store_.description().network.in_channels}, DType::f32, device),
          {{"label", DataKind::labels, Tensor::empty({batch_, p.d, p.h, p.w}, DType::u8, device)}}};
}

}  // namespace voxgrad
