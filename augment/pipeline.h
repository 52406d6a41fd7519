#pragma once
#include "augment/augment.h"
#include "augment/transform.h"

namespace voxgrad {

// The transforms of an Augmentation in their order, which must outlive it. Names that are unknown or there twice are Errors, and options of
// theirs that are out of range.
class Pipeline {
 public:
  explicit Pipeline(const Augmentation&);

  struct Step {
    const TransformEntry* transform;
    const Options* options;
  };
  const std::vector<Step>& intensities() const { return intensities_; }
  bool runs_on_cuda() const;  // every transform of intensities has a side for it

  Sample patch(const Sample& volume, const PatchPlace&, const Rng&) const;  // augmented_patch
  PatchPose pose(const PatchPlace&, const PatchFacts&, const Rng&) const;
  // What each of intensities() does to one sample.
  std::vector<std::shared_ptr<const void>> draw(const PatchFacts&, const Rng&) const;

 private:
  const Augmentation& augmentation_;
  std::vector<Step> space_, intensities_;
};

PatchFacts facts_of(const PatchPlace&, int64_t channels);

}  // namespace voxgrad
