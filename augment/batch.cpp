#include "augment/batch.h"

#include "augment/batch_plan.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Whether samples of both can lie side by side in a batch.
bool alike(const Field& a, const Field& b) {
  return a.name == b.name && a.kind == b.kind && a.data.dtype() == b.data.dtype() && a.data.shape().rank == b.data.shape().rank &&
         (a.data.shape().rank < 4 || a.data.dim(3) == b.data.dim(3));
}

// Of field i of a batch.
Shape shape_of(const std::vector<PatchRequest>& requests, size_t i) {
  const Int3 size = requests[0].place.size;
  const Tensor& first = requests[0].volume.fields[i].data;
  Shape s = {int64_t(requests.size()), size.d, size.h, size.w};
  return first.shape().rank == 4 ? Shape{s[0], s[1], s[2], s[3], first.dim(3)} : s;
}

void check_requests(const std::vector<PatchRequest>& requests, const AugmentOptions& o) {
  check(!requests.empty(), "augmented_batch: no patches are asked for");
  check_options(o);
  const PatchRequest& first = requests[0];
  for (const PatchRequest& r : requests) {
    check_sample("augmented_batch", r.volume);
    check(r.place.size == first.place.size, "augmented_batch: a patch of ", r.place.size, " voxels beside one of ", first.place.size);
    const std::vector<Field>&fields = r.volume.fields, &wanted = first.volume.fields;
    check(fields.size() == wanted.size(), "augmented_batch: a sample of ", fields.size(), " fields beside one of ", wanted.size());
    for (size_t i = 0; i < fields.size(); ++i)
      check(alike(fields[i], wanted[i]), "augmented_batch: the field \"", fields[i].name, "\" ", fields[i].data, " beside \"",
            wanted[i].name, "\" ", wanted[i].data);
  }
  const Int3 size = first.place.size;
  check(size.d >= 1 && size.h >= 1 && size.w >= 1, "augmented_batch: a patch of ", size, " voxels");
}

void make(Cpu, const std::vector<PatchRequest>& requests, const AugmentOptions& o, const Batch& out) {
  parallel_for(int64_t(requests.size()), 1, [&](int64_t i) {
    const PatchRequest& r = requests[size_t(i)];
    const Sample patch = augmented_patch(r.volume, r.place, o, r.rng);
    const auto put = [&](const Tensor& from, const Tensor& to) { to.rows(i, i + 1).reshape(from.shape()).copy_from(from); };
    put(patch.image(), out.image);
    for (size_t f = 1; f < patch.fields.size(); ++f) put(patch.fields[f].data, out.targets[f - 1].data);
  });
}

void make([[maybe_unused]] Cuda on, const std::vector<PatchRequest>& requests, const AugmentOptions& o, const Batch& out) {
  std::vector<PatchPlan> plans;
  for (const PatchRequest& r : requests) {
    const PatchPose pose = draw_pose(o, r.place.centre, r.rng);
    plans.push_back({r.volume, patch_geometry("augmented_batch", r.volume.image(), pose, r.place.size, o.resample),
                     draw_intensities(o, out.image.dim(4), r.rng)});
  }
  if constexpr (kCuda) make_batch(on, plans, out);
}

}  // namespace

Batch augmented_batch(const std::vector<PatchRequest>& requests, const AugmentOptions& o, Device device) {
  check_requests(requests, o);
  Batch out{Tensor::empty(shape_of(requests, 0), DType::f32, device), {}};
  const std::vector<Field>& fields = requests[0].volume.fields;
  for (size_t i = 1; i < fields.size(); ++i)
    out.targets.push_back({fields[i].name, fields[i].kind, Tensor::empty(shape_of(requests, i), fields[i].data.dtype(), device)});
  on_device(device, [&](auto on) { make(on, requests, o, out); });
  return out;
}

void augmented_batch(Cuda on, const std::vector<PatchRequest>& requests, const AugmentOptions& o, const Batch& into) {
  check_requests(requests, o);
  const std::vector<Field>& fields = requests[0].volume.fields;
  check(into.targets.size() + 1 == fields.size(), "augmented_batch: samples of ", fields.size(), " fields for a batch of ",
        into.targets.size() + 1);
  for (size_t i = 0; i < fields.size(); ++i) {
    const Tensor& to = i == 0 ? into.image : into.targets[i - 1].data;
    const Shape wanted = shape_of(requests, i);
    check(to.shape() == wanted && to.dtype() == fields[i].data.dtype() && !to.device().is_cpu(), "augmented_batch: the field \"",
          fields[i].name, "\" of ", wanted, " does not fit ", to, " on ", to.device());
    check(i == 0 || (into.targets[i - 1].name == fields[i].name && into.targets[i - 1].kind == fields[i].kind),
          "augmented_batch: the field \"", fields[i].name, "\" of kind ", name_of(fields[i].kind), " where another one is kept");
  }
  make(on, requests, o, into);
}

}  // namespace voxgrad
