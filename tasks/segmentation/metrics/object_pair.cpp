#include "core/device/parallel.h"
#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

// The object within the box: u8 0 or 1.
Tensor mask_of(const Tensor& labels, uint8_t label, const Box& box) {
  if (box.empty()) return Tensor::zeros({0, 0, 0}, DType::u8);
  const int64_t d = box.end[0] - box.begin[0], h = box.end[1] - box.begin[1], w = box.end[2] - box.begin[2];
  const Tensor out = Tensor::empty({d, h, w}, DType::u8);
  const uint8_t* from = labels.view().as<uint8_t>();
  uint8_t* to = out.view().as<uint8_t>();
  parallel_for(d * h, std::max<int64_t>(1, (1 << 16) / w), [&](int64_t i) {
    const uint8_t* p = from + ((box.begin[0] + i / h) * labels.dim(1) + box.begin[1] + i % h) * labels.dim(2) + box.begin[2];
    for (int64_t x = 0; x < w; ++x) to[i * w + x] = p[x] == label;
  });
  return out;
}

}  // namespace

const SurfaceDistances& ObjectPair::surface() const {
  if (!surface_) surface_ = surface_distances(facts_.prediction, facts_.reference, facts_.label, facts_.box, facts_.spacing);
  return *surface_;
}

const SurfaceElements& ObjectPair::elements() const {
  if (!elements_)
    elements_ = surface_elements(mask_of(facts_.prediction, facts_.label, facts_.box), mask_of(facts_.reference, facts_.label, facts_.box),
                                 facts_.spacing);
  return *elements_;
}

const ObjectPair::Lesions& ObjectPair::lesions() const {
  if (lesions_) return *lesions_;
  Lesions l{.predicted = connected_components(mask_of(facts_.prediction, facts_.label, facts_.box), facts_.connectivity),
            .real = connected_components(mask_of(facts_.reference, facts_.label, facts_.box), facts_.connectivity)};
  l.shared = overlaps(l.predicted, l.real);
  auto touches = std::vector<bool>(size_t(l.predicted.count())), touched = std::vector<bool>(size_t(l.real.count()));
  for (const Overlap& o : l.shared) touches[size_t(o.a - 1)] = touched[size_t(o.b - 1)] = true;
  for (bool t : touched) l.found += t;
  for (bool t : touches) l.false_positives += !t;
  return lesions_.emplace(std::move(l));
}

}  // namespace voxgrad
