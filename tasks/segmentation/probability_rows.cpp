#include "tasks/segmentation/probability_rows.h"

#include <algorithm>
#include <cmath>

#include "core/device/parallel.h"
#include "infer/resampled_rows.h"

namespace voxgrad {
namespace {

constexpr int64_t kSlab = int64_t(32) << 20;  // bytes
constexpr const char* kArray = "probabilities";

// As softmax_to.
void sigmoid_to(const float* x, int64_t channels, float* to, int64_t stride) {
  for (int64_t k = 0; k < channels; ++k) to[k * stride] = 1 / (1 + std::exp(-x[k]));
}

}  // namespace

ProbabilityRows::ProbabilityRows(const std::filesystem::path& npz, const Geometry& g, const LabelMap& map, bool ready)
    : path_(npz), geometry_(g), regions_(!map.regions.empty()), ready_(ready) {}

void ProbabilityRows::operator()(int64_t first, int64_t rows, const float* values, int64_t channels) {
  const Geometry& g = geometry_;
  if (!file_) {
    const Grid grid = file_grid(g);
    file_ = std::make_shared<NumpyPlanesWriter>(path_, kArray, Shape{channels, grid.size[0], grid.size[1], grid.size[2]}, g.affine);
    if (!regions_ && g.box != g.canonical) file_->fill(0, 1);
  }
  const int64_t row = int64_t(g.box.h) * g.box.w * channels, at_once = std::max<int64_t>(1, kSlab / (row * int64_t(sizeof(float))));
  for (int64_t r = 0; r < rows; r += at_once) put(first + r, std::min(at_once, rows - r), values + r * row, channels);
}

void ProbabilityRows::put(int64_t first, int64_t rows, const float* values, int64_t channels) {
  const Geometry& g = geometry_;
  const int64_t voxels = rows * g.box.h * g.box.w;
  const Tensor planes = Tensor::empty({channels, rows, g.box.h, g.box.w});
  float* to = planes.view().as<float>();
  parallel_for(voxels, 1 << 12, [&](int64_t v) {
    if (ready_)
      for (int64_t k = 0; k < channels; ++k) to[k * voxels + v] = values[v * channels + k];
    else if (regions_) sigmoid_to(values + v * channels, channels, to + v, voxels);
    else softmax_to(values + v * channels, channels, to + v, voxels);
  });
  // Where the slab lies in the file: axis a of the network is axis[a] of it, which may run the other way.
  const Int3 begin = {int(g.box_begin.d + first), g.box_begin.h, g.box_begin.w}, size = {int(rows), g.box.h, g.box.w};
  Int3 place;
  for (int a = 0; a < 3; ++a) {
    const bool flip = g.orientation.flip[size_t(a)];
    place[g.orientation.axis[size_t(a)]] = flip ? g.canonical[a] - begin[a] - size[a] : begin[a];
  }
  for (int64_t k = 0; k < channels; ++k)
    file_->put(k, place, from_canonical(planes.rows(k, k + 1).reshape({rows, g.box.h, g.box.w}), g.orientation));
}

}  // namespace voxgrad
