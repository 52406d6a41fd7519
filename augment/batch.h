#pragma once
#include <vector>

#include "augment/augment.h"

namespace voxgrad {

// One patch of a batch: augmented_patch(volume, place, options, rng).
struct PatchRequest {
  Sample volume;
  PatchPlace place;
  Rng rng;
};

struct PatchBatch {
  Tensor image;  // f32 {N, D, H, W, C}
  Tensor label;  // u8 {N, D, H, W}; absent where the volumes have none
};

// The patches of all requests, made on `device` with the same random numbers on every one: on the CPU the bits of augmented_patch, on CUDA
// its values within rounding, where each step runs for the whole batch in one launch. Volumes are on the CPU: of each, the box that its
// patch reaches into is copied to the device. Sizes, channels and the presence of labels are the same for all requests. A patch does not
// depend on the others of its batch.
PatchBatch augmented_batch(const std::vector<PatchRequest>&, const AugmentOptions&, Device = {});
// The same into tensors of a CUDA device, as work for a stream of it. The volumes are not used any more on return.
void augmented_batch(Cuda, const std::vector<PatchRequest>&, const AugmentOptions&, const PatchBatch& into);

}  // namespace voxgrad
