#include "augment/batch.h"

#include "augment/batch_plan.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Of the image: {N, D, H, W, C}.
Shape checked_shape(const std::vector<PatchRequest>& requests, const AugmentOptions& o) {
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
  const Int3 size = first.place.size;
  check(size.d >= 1 && size.h >= 1 && size.w >= 1, "augmented_batch: a patch of ", size, " voxels");
  return {int64_t(requests.size()), size.d, size.h, size.w, first.volume.image.dim(3)};
}

void make(Cpu, const std::vector<PatchRequest>& requests, const AugmentOptions& o, const PatchBatch& out) {
  parallel_for(int64_t(requests.size()), 1, [&](int64_t i) {
    const PatchRequest& r = requests[size_t(i)];
    const Sample patch = augmented_patch(r.volume, r.place, o, r.rng);
    out.image.rows(i, i + 1).reshape(patch.image.shape()).copy_from(patch.image);
    if (patch.label) out.label.rows(i, i + 1).reshape(patch.label.shape()).copy_from(patch.label);
  });
}

void make([[maybe_unused]] Cuda on, const std::vector<PatchRequest>& requests, const AugmentOptions& o, const PatchBatch& out) {
  std::vector<PatchPlan> plans;
  for (const PatchRequest& r : requests) {
    const PatchPose pose = draw_pose(o, r.place.centre, r.rng);
    plans.push_back({r.volume, patch_geometry("augmented_batch", r.volume.image, pose, r.place.size, o.resample),
                     draw_intensities(o, out.image.dim(4), r.rng)});
  }
  if constexpr (kCuda) make_batch(on, plans, out);
}

}  // namespace

PatchBatch augmented_batch(const std::vector<PatchRequest>& requests, const AugmentOptions& o, Device device) {
  const Shape s = checked_shape(requests, o);
  PatchBatch out{Tensor::empty(s, DType::f32, device), {}};
  if (requests[0].volume.label) out.label = Tensor::empty({s[0], s[1], s[2], s[3]}, DType::u8, device);
  on_device(device, [&](auto on) { make(on, requests, o, out); });
  return out;
}

void augmented_batch(Cuda on, const std::vector<PatchRequest>& requests, const AugmentOptions& o, const PatchBatch& into) {
  const Shape s = checked_shape(requests, o);
  check(into.image.shape() == s && into.image.dtype() == DType::f32 && !into.image.device().is_cpu(), "augmented_batch: patches of ", s,
        " do not fit ", into.image, " on ", into.image.device());
  check(bool(into.label) == bool(requests[0].volume.label), "augmented_batch: ", into.label, " for volumes ",
        requests[0].volume.label ? "with" : "without", " labels");
  check(!into.label || (into.label.shape() == Shape{s[0], s[1], s[2], s[3]} && into.label.dtype() == DType::u8 &&
                        into.label.device() == into.image.device()),
        "augmented_batch: labels of ", s, " do not fit ", into.label, " on ", into.label.device());
  make(on, requests, o, into);
}

}  // namespace voxgrad
