#pragma once
#include "data/data_config.h"
#include "data/target_source.h"

namespace voxgrad {

// What a plan needs to know of the training cases.
struct Fingerprint {
  std::vector<Int3> extents;                    // canonical, at the file's spacing
  std::vector<std::array<double, 3>> spacings;  // mm
  // Foreground voxels (all of them where the task labels none), per channel: for ct normalisation.
  std::vector<Normalization> foreground;
};

// Reads every training case once. Refuses what `targets` refuses and voxels that are not finite (unless they are to be taken as 0), each by
// the name of its file. labels: names of what the network's outputs stand for.
Fingerprint fingerprint(const Dataset&, const std::vector<std::string>& ids, const DataConfig&, const TargetSource& targets,
                        const std::vector<std::string>& labels);

}  // namespace voxgrad
