#pragma once
#include "core/config/json.h"
#include "data/data_config.h"
#include "data/target_source.h"

namespace voxgrad {

// What a plan needs to know of the training cases.
struct Fingerprint {
  std::vector<Int3> extents;                    // canonical, at the file's spacing
  std::vector<std::array<double, 3>> spacings;  // mm
  std::vector<Int3> cropped;                    // extents of the box of what is not 0 in every channel
  double relative_size = 1;                     // median over the cases: voxels of that box / of all
  // Foreground voxels (all of them where the task labels none), per channel: for ct normalisation.
  std::vector<Normalization> foreground;
  struct Spread {
    double min = 0, median = 0, max = 0;
  };
  std::vector<Spread> spread;  // of the same voxels
};

// Reads every training case once. Refuses what `targets` refuses and voxels that are not finite (unless they are to be taken as 0), each by
// the name of its file. labels: names of what the network's outputs stand for.
Fingerprint fingerprint(const Dataset&, const std::vector<std::string>& ids, const DataConfig&, const TargetSource& targets,
                        const std::vector<std::string>& labels);

// nnU-Net's dataset_fingerprint.json, of which "extents" are those after cropping. Error that names what is missing or wrong.
Fingerprint fingerprint_from_json(const Json&, const std::string& who);
Json to_json(const Fingerprint&);

}  // namespace voxgrad
