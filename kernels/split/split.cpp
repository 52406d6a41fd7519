#include "kernels/split/split.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {

// f(part, copy from x of the shape `whole` into the part) for each part along axis k.
template <class F>
void for_parts(const Shape& whole, int k, const std::vector<int64_t>& extents, F&& f) {
  const int64_t inner = whole.count(k + 1, whole.rank), width = whole[k] * inner;
  int64_t begin = 0;
  for (size_t i = 0; i < extents.size(); ++i) {
    const int64_t run = extents[i] * inner;
    f(i, StridedCopy{.rank = 2, .extent = {whole.count(0, k), run}, .from_stride = {width, 1}, .into_stride = {run, 1},
                     .from_offset = begin});
    begin += run;
  }
}

std::vector<int64_t> even_parts(int64_t extent, int64_t part) {
  std::vector<int64_t> extents;
  for (int64_t done = 0; done < extent; done += part) extents.push_back(std::min(part, extent - done));
  if (extents.empty()) extents.push_back(0);
  return extents;
}

}  // namespace

std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& extents, int axis) {
  check(bool(x), "split: a tensor is wanted, not ", x);
  const int k = axis_of("split", x.shape(), axis);
  int64_t total = 0;
  std::vector<Tensor> parts;
  for (int64_t e : extents) {
    check(e >= 0, "split: a part of the extent ", e, ", not negative is wanted");
    parts.push_back(Tensor::empty(x.shape().with(k, e), x.dtype(), x.device()));
    total += e;
  }
  check(!extents.empty() && total == x.dim(k), "split: ", extents.size(), " parts of ", total, " elements together, axis ", axis, " of ", x,
        " has ", x.dim(k));
  on_device(x.device(), [&](auto on) {
    for_parts(x.shape(), k, extents, [&](size_t i, const StridedCopy& p) { strided_copy(on, p, x.view(), parts[i].view()); });
  });
  return record({"split", {{"axis", k}, {"extents", extents}}}, {x}, parts,
                [k, extents, shape = x.shape(), t = x.dtype(), d = x.device()](const Grads& of_parts, Needs) {
                  const Tensor gx = Tensor::empty(shape, t, d);
                  on_device(d, [&](auto on) {
                    for_parts(shape, k, extents, [&](size_t i, const StridedCopy& p) {
                      const Tensor g = of_parts[i] ? of_parts[i] : Tensor::zeros(shape.with(k, extents[i]), t, d);
                      StridedCopy back = p;
                      std::swap(back.from_stride, back.into_stride);
                      std::swap(back.from_offset, back.into_offset);
                      strided_copy(on, back, g.view(), gx.view());
                    });
                  });
                  return Grads{gx};
                });
}

std::vector<Tensor> split(const Tensor& x, int64_t extent, int axis) {
  check(x && extent > 0, "split: parts of the extent ", extent, " of ", x, ", a positive one is wanted");
  return split(x, even_parts(x.dim(axis_of("split", x.shape(), axis)), extent), axis);
}

std::vector<Tensor> chunk(const Tensor& x, int64_t count, int axis) {
  check(x && count > 0, "chunk: ", count, " parts of ", x, ", a positive number is wanted");
  const int64_t extent = x.dim(axis_of("chunk", x.shape(), axis));
  return split(x, even_parts(extent, std::max<int64_t>(1, (extent + count - 1) / count)), axis);
}

}  // namespace voxgrad
