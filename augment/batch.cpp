#include "augment/batch.h"

#include <type_traits>

#include "augment/batch_plan.h"
#include "core/parallel.h"

namespace voxgrad {

PatchBatch augmented_batch(const std::vector<PatchRequest>& requests, const AugmentOptions& o, Device device) {
  check(!requests.empty(), "augmented_batch: no patches are asked for");
  check_options(o);
  const PatchRequest& first = requests[0];
  for (const PatchRequest& r : requests) {
    check_sample("augmented_batch", r.volume);
    check(r.place.size == first.place.size && r.volume.image.dim(3) == first.volume.image.dim(3) &&
              bool(r.volume.label) == bool(first.volume.label),
          "augmented_batch: a patch of ", r.place.size, " voxels of ", r.volume.image, r.volume.label ? " with" : " without",
          " a label, beside one of ", first.place.size, " of ", first.volume.image, first.volume.label ? " with" : " without", " one");
  }
  const int64_t n = int64_t(requests.size()), channels = first.volume.image.dim(3);
  const Int3 size = first.place.size;
  check(size.d >= 1 && size.h >= 1 && size.w >= 1, "augmented_batch: a patch of ", size, " voxels");
  PatchBatch out{Tensor::empty({n, size.d, size.h, size.w, channels}, DType::f32, device), {}};
  if (first.volume.label) out.label = Tensor::empty({n, size.d, size.h, size.w}, DType::u8, device);
  on_device(device, [&](auto on) {
    if constexpr (std::is_same_v<decltype(on), Cpu>) {
      parallel_for(n, 1, [&](int64_t i) {
        const PatchRequest& r = requests[size_t(i)];
        const Sample patch = augmented_patch(r.volume, r.place, o, r.rng);
        out.image.rows(i, i + 1).reshape(patch.image.shape()).copy_from(patch.image);
        if (patch.label) out.label.rows(i, i + 1).reshape(patch.label.shape()).copy_from(patch.label);
      });
    } else {
      std::vector<PatchPlan> plans;
      for (const PatchRequest& r : requests)
        plans.push_back({r.volume, patch_geometry("augmented_batch", r.volume.image, draw_pose(o, r.place.centre, r.rng), size, o.resample),
                         draw_intensities(o, channels, r.rng)});
      make_batch(on, plans, out);
    }
  });
  return out;
}

}  // namespace voxgrad
