#pragma once
#include <string>
#include <vector>

#include "augment/sample.h"
#include "augment/spatial/extract_patch.h"
#include "core/config/options.h"
#include "core/rng.h"

namespace voxgrad {

// How training patches are augmented: which transforms of transform_registry(), in which order, with which options. A value; its copies
// share nothing.
class Augmentation {
 public:
  // nnU-Net's transforms for 3D with its probabilities and ranges (nnUNetTrainer.get_training_transforms).
  Augmentation();

  // A transform that is not listed is off. Those of space come first whatever their place, as one resampling; then the others, as listed.
  std::vector<std::string> order;
  ResampleOptions resample;

  // Options by their keys, without "augment." in front: {"noise": 1, "noise_sigma": [0, 0.2]}. Unknown keys and values out of range are
  // Errors in the name of `where`.
  Augmentation& set(const Json& object, const std::string& where = "augment");
  // The options of one transform as the struct that they are: options<NoiseOptions>("noise").sigma.
  template <class O>
  O& options(const std::string& transform) {
    return options_of(transform).as<O>();
  }
  const Options& options_of(const std::string& transform) const;

  // "order" and the keys of every transform, listed or not, bound to this value, which must outlive the table.
  void add_keys(ConfigTable&);

 private:
  // A transform's options, copied with their values.
  struct Held {
    std::string transform;
    Options options;
    Held(std::string name, Options o) : transform(std::move(name)), options(std::move(o)) {}
    Held(const Held& other) : transform(other.transform), options(other.options.clone()) {}
    Held& operator=(const Held& other) {
      transform = other.transform;
      options = other.options.clone();
      return *this;
    }
  };
  std::vector<Held> held_;  // of all registered transforms
};

// Without any transform.
Augmentation no_augmentation();

struct PatchPlace {
  Double3 centre;  // voxels of the volume; see random_centre and foreground_centre
  Int3 size;
  Double3 spacing = {1, 1, 1};  // between voxels per axis, in any unit: rotations are rigid in space. {1, 1, 1}: in voxels, as nnU-Net does
};

// From a volume to a training patch: the transforms of space in a random pose about the centre, in one resampling of all fields, then
// those of intensities on the network's input. The result is a function of the arguments alone.
Sample augmented_patch(const Sample& volume, const PatchPlace&, const Augmentation&, Rng);

// The voxels of a volume of that size that augmented_patch of the same arguments may read: it gives the same where only they are there.
VoxelBox augmented_reach(Int3 volume, int64_t channels, const PatchPlace&, const Augmentation&, Rng);

// The whole sample as one patch.
Sample augment(const Sample&, const Augmentation&, Rng);

}  // namespace voxgrad
