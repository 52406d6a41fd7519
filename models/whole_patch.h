#pragma once
#include "core/config/config_table.h"
#include "models/model_registry.h"

// What networks with values per image have in common when they are planned: they see the whole case.
namespace voxgrad {

// The median case, or where it has more voxels than that, all extents that are not asked for shrunk alike; at least 1 each.
Int3 whole_patch(const PlanRequest&, double most_voxels = 128. * 128 * 128);

// The key "stem": auto, large or small. At full resolution a volume of 28^3 takes eight times as long as behind a large stem, and learned
// less in the same time (tasks/classification/README.md).
constexpr int kSmallPatch = 64, kSmallVolume = 16;
void add_stem_key(ConfigTable&, std::string& stem, int small = kSmallPatch);
// Whether a network starts at full resolution: "auto" does for patches of up to `small` voxels along each axis, volumes of kSmallVolume.
bool starts_small(const std::string& stem, const Int3& patch, int small = kSmallPatch);

}  // namespace voxgrad
