#pragma once
#include <vector>

#include "augment/augment.h"

namespace voxgrad {

// One patch of a batch: augmented_patch(volume, place, augmentation, rng).
struct PatchRequest {
  Sample volume;
  PatchPlace place;
  Rng rng;
};

// The patches of all requests, made on `device` with the same random numbers on every one: on the CPU the bits of augmented_patch, on CUDA
// its values within rounding, where each step runs for the whole batch in one launch. Volumes are on the CPU: of each, the box that its
// patch reaches into is copied to the device. The sizes of patches, the fields and their channels are the same for all requests; the
// targets are the fields behind the first one. Points and boxes are on the CPU, one below the other (Field::offsets), everything else is
// on the device. A patch does not depend on the others of its batch.
Batch augmented_batch(const std::vector<PatchRequest>&, const Augmentation&, Device = {});
// The same as work for a stream of a CUDA device, into its tensors, which fit; points and boxes are replaced. The volumes are not used any
// more on return.
void augmented_batch(Cuda, const std::vector<PatchRequest>&, const Augmentation&, Batch& into);

}  // namespace voxgrad
