#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "augment/batch_plan.h"
#include "augment/spatial/moved_places.h"
#include "core/cuda/runtime.h"
#include "core/cuda/scratch.h"
#include "core/cuda/staging.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Copies of boxes of volumes on the device, for as long as this lives.
class DeviceBoxes {
 public:
  explicit DeviceBoxes(Cuda on) : on_(on) {}

  // The box of a volume of which x {there.size, channels} is in memory.
  template <class T>
  const T* copy_of(const T* x, const VoxelBox& there, int64_t channels, const VoxelBox& box) {
    const int64_t row = box.size.w * channels, rows = int64_t(box.size.d) * box.size.h;
    const int64_t bytes = rows * row * int64_t(sizeof(T));
    const cuda::Staging staging(on_, size_t(bytes));
    T* const cut = staging.as<T>();
    parallel_for(rows, std::max<int64_t>(1, (1 << 16) / row), [&](int64_t r) {
      const int64_t d = box.begin.d - there.begin.d + r / box.size.h, h = box.begin.h - there.begin.h + r % box.size.h;
      std::copy_n(x + ((d * there.size.h + h) * there.size.w + box.begin.w - there.begin.w) * channels, row, cut + r * row);
    });
    copies_.push_back(std::make_unique<Scratch>(on_, cut, bytes));
    return copies_.back()->template as<const T>();
  }

 private:
  Cuda on_;
  std::vector<std::unique_ptr<Scratch>> copies_;
};

// The memory of field i of a batch whose samples have the fields of a volume.
const Tensor& field_of(const Batch& b, int i) { return i == 0 ? b.image : b.targets[size_t(i - 1)].data; }

void resample(Cuda on, const std::vector<PatchPlan>& plans, const ResamplePass& pass, const Batch& out) {
  DeviceBoxes boxes(on);
  std::vector<ResampleProblem> patches;
  const int64_t voxels = out.image.shape().count(1, 4);
  for (size_t i = 0; i < plans.size(); ++i) {
    const VoxelBox box = reach_of(plans[i].geometry), there = plans[i].volume.box();
    ResampleProblem p = held_in(plans[i].geometry, box).problem;
    for (int a = 0; a < 3 && plans[i].geometry.whole; ++a) p.origin[a] = std::round(p.origin[a]);
    const std::vector<Field>& fields = plans[i].volume.fields;
    p.channels = 0;
    if (pass.image >= 0) {
      const Tensor& image = fields[size_t(pass.image)].data;
      p.channels = image.dim(3);
      p.image = boxes.copy_of(image.view().as<const float>(), there, p.channels, box);
      p.out_image = field_of(out, pass.image).view().as<float>() + int64_t(i) * voxels * p.channels;
    }
    if (pass.labels >= 0) {
      p.label = boxes.copy_of(fields[size_t(pass.labels)].data.view().as<const uint8_t>(), there, 1, box);
      p.out_label = field_of(out, pass.labels).view().as<uint8_t>() + int64_t(i) * voxels;
    }
    patches.push_back(p);
  }
  batch_resample(on, patches.data(), int64_t(patches.size()));
}

// On the stream, from memory of the host.
void put(Cuda on, const Tensor& to, const void* from, size_t offset, size_t bytes) {
  const cuda::Staging staging(on, bytes);
  std::memcpy(staging.as<char>(), from, bytes);
  cuda::copy(on, to.view().as<char>() + offset, staging.as<char>(), bytes);
}

// Turns the vectors of field i and copies values.
void finish_field(Cuda on, const std::vector<PatchPlan>& plans, int i, const Tensor& to) {
  const DataKind kind = plans[0].volume.fields[size_t(i)].kind;
  const int64_t n = int64_t(plans.size());
  if (kind == DataKind::vectors) {
    std::vector<float> matrices;
    for (const PatchPlan& p : plans)
      for (const Double3& row : patch_map("augmented_batch", p.geometry).inverse)
        for (double v : row) matrices.push_back(float(v));
    batch_vectors(on, to.view().as<float>(), n, to.count() / (3 * n), matrices.data());
  }
  for (size_t k = 0; k < plans.size() && kind == DataKind::values; ++k) {
    const Tensor& from = plans[k].volume.fields[size_t(i)].data;
    put(on, to, from.view().as<const char>(), k * from.bytes(), from.bytes());
  }
}

}  // namespace

void make_batch(Cuda on, const Pipeline& pipeline, const std::vector<PatchPlan>& plans, const Batch& out) {
  const std::vector<Field>& fields = plans[0].volume.fields;
  for (const ResamplePass& pass : resample_passes(fields)) resample(on, plans, pass, out);
  for (size_t i = 1; i < fields.size(); ++i) finish_field(on, plans, int(i), field_of(out, int(i)));
  const Shape& s = out.image.shape();
  const BatchImage image = {out.image.view().as<float>(), s[0], {s[1], s[2], s[3]}, s[4]};
  for (size_t step = 0; step < pipeline.intensities().size(); ++step) {
    std::vector<const void*> drawn;
    for (const PatchPlan& p : plans) drawn.push_back(p.intensities[step].get());
    const bool any = std::any_of(drawn.begin(), drawn.end(), [](const void* p) { return p != nullptr; });
    if (any) pipeline.intensities()[step].transform->apply_cuda(on, image, drawn);
  }
}

void copy_batch(Cuda on, const Batch& from, const Batch& to) {
  put(on, to.image, from.image.view().as<const char>(), 0, from.image.bytes());
  for (size_t i = 0; i < from.targets.size(); ++i)
    if (!is_placed(from.targets[i].kind))
      put(on, to.targets[i].data, from.targets[i].data.view().as<const char>(), 0, from.targets[i].data.bytes());
}

}  // namespace voxgrad
