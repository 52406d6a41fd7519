#pragma once
#include "train/case_store.h"
#include "train/config.h"

namespace voxgrad {

struct Batch {
  Tensor image;  // f32 {N, D, H, W, C}
  Tensor label;  // u8 {N, D, H, W}
};

// (step, slot) -> augmented patch, as a pure function of the seed: nothing depends on threads, on the order of calls or on a resume.
class Loader {
 public:
  Loader(CaseStore& store, std::vector<std::string> ids, const TrainConfig&);
  Batch batch(int64_t step) const;

 private:
  Sample patch(int64_t step, int slot) const;
  bool forced_foreground(int slot, Rng&) const;

  CaseStore& store_;
  std::vector<std::string> ids_;
  Int3 patch_;
  int batch_;
  double oversample_;
  AugmentOptions augment_;
  Rng rng_;
};

}  // namespace voxgrad
