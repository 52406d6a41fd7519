#include "augment/batch.h"

#include <algorithm>

#include "augment/batch_plan.h"
#include "augment/spatial/moved_places.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Whether samples of both can lie side by side in a batch.
bool alike(const Field& a, const Field& b) {
  const Shape &s = a.data.shape(), &t = b.data.shape();
  if (a.name != b.name || a.kind != b.kind || a.data.dtype() != b.data.dtype() || s.rank != t.rank) return false;
  if (a.kind == DataKind::values) return s == t;
  return a.kind == DataKind::labels || s[-1] == t[-1];
}

// Of field i of a batch, of dense kind or values.
Shape shape_of(const std::vector<PatchRequest>& requests, size_t i) {
  const Int3 size = requests[0].place.size;
  const Field& f = requests[0].volume.fields[i];
  const int64_t n = int64_t(requests.size());
  if (f.kind == DataKind::labels) return {n, size.d, size.h, size.w};
  if (is_dense(f.kind)) return {n, size.d, size.h, size.w, f.data.dim(3)};
  Shape s = f.data.shape();
  check(s.rank < Shape::kMaxRank, "augmented_batch: the field \"", f.name, "\" ", f.data, " has no room for another axis");
  for (int a = s.rank++; a > 0; --a) s[a] = s[a - 1];
  s[0] = n;
  return s;
}

void check_requests(const std::vector<PatchRequest>& requests) {
  check(!requests.empty(), "augmented_batch: no patches are asked for");
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

// The rows of all samples, one below the other.
void stack(Field& field, const std::vector<Tensor>& samples) {
  int64_t rows = 0;
  field.offsets = {0};
  for (const Tensor& t : samples) field.offsets.push_back(rows += t.dim(0));
  field.data = Tensor::empty({rows, samples[0].dim(1)}, samples[0].dtype());
  for (size_t i = 0; i < samples.size(); ++i)
    if (samples[i].dim(0) > 0) field.data.rows(field.offsets[i], field.offsets[i + 1]).copy_from(samples[i]);
}

// The batch of n samples, its points and boxes yet without memory.
Batch empty_batch(const std::vector<PatchRequest>& requests, Device device) {
  const auto memory = [&](size_t i) {
    const Field& f = requests[0].volume.fields[i];
    return is_placed(f.kind) ? Tensor() : Tensor::empty(shape_of(requests, i), f.data.dtype(), device);
  };
  Batch out{memory(0), {}};
  const std::vector<Field>& fields = requests[0].volume.fields;
  for (size_t i = 1; i < fields.size(); ++i) out.targets.push_back({fields[i].name, fields[i].kind, memory(i)});
  return out;
}

void make(Cpu, const std::vector<PatchRequest>& requests, const Augmentation& a, Batch& out) {
  const Pipeline pipeline(a);
  std::vector<Sample> patches(requests.size());
  parallel_for(int64_t(requests.size()), 1, [&](int64_t i) {
    const PatchRequest& r = requests[size_t(i)];
    Sample& patch = patches[size_t(i)];
    patch = pipeline.patch(r.volume, r.place, r.rng);
    for (size_t f = 0; f < patch.fields.size(); ++f) {
      Tensor& from = patch.fields[f].data;
      if (is_placed(patch.fields[f].kind)) continue;
      const Tensor& to = f == 0 ? out.image : out.targets[f - 1].data;
      to.rows(i, i + 1).reshape(from.shape()).copy_from(from);
      from = {};
    }
  });
  for (size_t f = 0; f < out.targets.size(); ++f) {
    if (!is_placed(out.targets[f].kind)) continue;
    std::vector<Tensor> samples;
    for (const Sample& patch : patches) samples.push_back(patch.fields[f + 1].data);
    stack(out.targets[f], samples);
  }
}

void make([[maybe_unused]] Cuda on, const std::vector<PatchRequest>& requests, const Augmentation& a, Batch& out) {
  const Pipeline pipeline(a);
  if (!pipeline.runs_on_cuda()) {
    Batch here = empty_batch(requests, {});
    make(Cpu{}, requests, a, here);
    for (size_t f = 0; f < out.targets.size(); ++f)
      if (is_placed(out.targets[f].kind)) out.targets[f] = here.targets[f];
    if constexpr (kCuda) copy_batch(on, here, out);
    return;
  }
  std::vector<PatchPlan> plans;
  for (const PatchRequest& r : requests) {
    const PatchFacts facts = facts_of(r.place, out.image.dim(4));
    const PatchPose pose = pipeline.pose(r.place, facts, r.rng);
    const PatchGeometry geometry = patch_geometry("augmented_batch", r.volume.size(), pose, r.place.size, a.resample);
    check_reach("augmented_batch", r.volume, geometry);
    plans.push_back({r.volume, geometry, pipeline.draw(facts, r.rng)});
  }
  for (size_t f = 0; f < out.targets.size(); ++f) {
    if (!is_placed(out.targets[f].kind)) continue;
    std::vector<Tensor> samples;
    for (const PatchPlan& p : plans)
      samples.push_back(moved(p.volume.fields[f + 1], patch_map("augmented_batch", p.geometry), requests[0].place.size));
    stack(out.targets[f], samples);
  }
  if constexpr (kCuda) make_batch(on, pipeline, plans, out);
}

}  // namespace

Batch augmented_batch(const std::vector<PatchRequest>& requests, const Augmentation& a, Device device) {
  check_requests(requests);
  Batch out = empty_batch(requests, device);
  on_device(device, [&](auto on) { make(on, requests, a, out); });
  return out;
}

void augmented_batch(Cuda on, const std::vector<PatchRequest>& requests, const Augmentation& a, Batch& into) {
  check_requests(requests);
  const std::vector<Field>& fields = requests[0].volume.fields;
  check(into.targets.size() + 1 == fields.size(), "augmented_batch: samples of ", fields.size(), " fields for a batch of ",
        into.targets.size() + 1);
  for (size_t i = 0; i < fields.size(); ++i) {
    check(i == 0 || (into.targets[i - 1].name == fields[i].name && into.targets[i - 1].kind == fields[i].kind),
          "augmented_batch: the field \"", fields[i].name, "\" of kind ", name_of(fields[i].kind), " where another one is kept");
    if (is_placed(fields[i].kind)) continue;
    const Tensor& to = i == 0 ? into.image : into.targets[i - 1].data;
    const Shape wanted = shape_of(requests, i);
    check(to.shape() == wanted && to.dtype() == fields[i].data.dtype() && !to.device().is_cpu(), "augmented_batch: the field \"",
          fields[i].name, "\" of ", wanted, " does not fit ", to, " on ", to.device());
  }
  make(on, requests, a, into);
}

}  // namespace voxgrad
