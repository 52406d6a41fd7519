#include "kernels/roi_align/roi_align.h"

#include <cmath>
#include <memory>

#include "core/autograd.h"
#include "kernels/roi_align/roi_align_kernels.h"

namespace voxgrad {
namespace {

struct OwnedTables {
  std::vector<int64_t> image, voxel;
  std::vector<double> weight;
  RoiTables view() const { return {image.data(), voxel.data(), weight.data()}; }
};

// The two voxels beside a place, and what they count.
void add_taps(OwnedTables& t, double at, int64_t size, double weight) {
  const bool outside = !(at >= -1 && at <= double(size));
  const double inside = std::min(std::max(outside ? 0 : at, 0.0), double(size - 1));
  const int64_t low = int64_t(inside), high = std::min(low + 1, size - 1);
  const double part = inside - double(low);
  t.voxel.push_back(low);
  t.weight.push_back(outside ? 0 : weight * (1 - part));
  t.voxel.push_back(high);
  t.weight.push_back(outside ? 0 : weight * part);
}

OwnedTables tables_of(const RoiAlign& p, const std::vector<double>& boxes, const std::vector<double>& images, int samples) {
  OwnedTables t;
  for (int64_t r = 0; r < p.rois; ++r) {
    const double image = images[size_t(r)];
    check(image >= 0 && image < double(p.n), "roi_align: the box ", r, " is in the image ", image, ", there are ", p.n);
    t.image.push_back(int64_t(image));
    for (int a = 0; a < 3; ++a) {
      const double low = boxes[size_t(6 * r + a)], step = (boxes[size_t(6 * r + 3 + a)] - low) / double(p.bins[a] * samples);
      check(std::isfinite(low) && std::isfinite(step), "roi_align: the box ", r, " is not finite");
      for (int64_t s = 0; s < p.bins[a] * samples; ++s) add_taps(t, low + (double(s) + 0.5) * step, p.size[a], 1.0 / samples);
    }
  }
  return t;
}

}  // namespace

Tensor roi_align(const Tensor& x, const Tensor& boxes, const Tensor& of, const RoiAlignOptions& o) {
  check(x && is_floating(x.dtype()) && x.shape().rank == 5 && x.count() > 0, "roi_align: x {N, D, H, W, C} is wanted, not ", x);
  check(boxes && boxes.shape().rank == 2 && boxes.dim(1) == 6 && boxes.dtype() == accum_of(x.dtype()), "roi_align: boxes {R, 6} of ",
        name_of(accum_of(x.dtype())), " are wanted, not ", boxes);
  check(of && of.shape() == Shape{boxes.dim(0)} && !is_floating(of.dtype()), "roi_align: the images of ", boxes.dim(0),
        " boxes are wanted, integers, not ", of);
  check(o.size.d > 0 && o.size.h > 0 && o.size.w > 0 && o.samples > 0 && o.samples <= 64, "roi_align: bins ", o.size, " with ", o.samples,
        " samples");
  const RoiAlign p = {x.dim(0), {x.dim(1), x.dim(2), x.dim(3)}, x.dim(4), boxes.dim(0), {o.size.d, o.size.h, o.size.w}, 2 * o.samples};
  const auto tables = std::make_shared<const OwnedTables>(tables_of(p, boxes.values(), of.values(), o.samples));
  const Tensor y = Tensor::empty({p.rois, p.bins[0], p.bins[1], p.bins[2], p.channels}, x.dtype(), x.device());
  if (y.count() > 0) on_device(x.device(), [&](auto on) { roi_align(on, p, tables->view(), x.view(), y.view()); });
  return record("roi_align", {x}, y, [p, tables, shape = x.shape()](const Tensor& gy, Needs) {
    const Tensor gx = Tensor::empty(shape, gy.dtype(), gy.device());
    on_device(gy.device(), [&](auto on) { roi_align_backward(on, p, tables->view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace voxgrad
