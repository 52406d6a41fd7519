#include "kernels/grid_sample3d/grid_sample3d.h"

#include <algorithm>
#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {
Tensor rotated_grid(int n) {
  Tensor grid = Tensor::empty({1, n, n, n, 3});
  float* p = grid.mutable_data<float>().data();
  const auto place = [&](int i) { return (2.f * float(i) + 1) / float(n) - 1; };
  for (int d = 0; d < n; ++d)
    for (int h = 0; h < n; ++h)
      for (int w = 0; w < n; ++w, p += 3)
        p[0] = 0.955f * place(w) - 0.296f * place(h), p[1] = 0.296f * place(w) + 0.955f * place(h), p[2] = place(d);
  return grid;
}

// u mirrored at both ends of [low, high] as often as it takes.
double mirrored(double u, double low, double high) {
  if (low == high) return low;
  const double period = 2 * (high - low), past = std::fmod(std::abs(u - low), period);
  return low + std::min(past, period - past);
}

// The coordinate in voxels of a place u of a grid, along an axis of n voxels.
double coordinate(double u, int64_t n, const GridSample3dOptions& o) {
  const double end = double(n - 1), edge = o.align_corners ? 0 : 0.5;
  double at = (u + 1) / 2 * (end + 2 * edge) - edge;
  if (o.padding == GridPadding::reflection) at = mirrored(at, -edge, end + edge);
  return o.padding == GridPadding::zeros ? at : std::clamp(at, 0.0, end);
}

HostArray sampled(const HostArray& x, const HostArray& grid, const GridSample3dOptions& o) {
  // The weight of voxel k for a coordinate.
  const auto weight = [&](double at, int64_t k) {
    if (o.mode == GridMode::nearest) return std::nearbyint(at) == double(k) ? 1.0 : 0.0;
    return std::max(0.0, 1 - std::abs(at - double(k)));
  };
  return host_array(grid.shape.with(4, x.dim(4)), [&](const Index& i) {
    double at[3];
    for (int a = 0; a < 3; ++a) at[a] = coordinate(grid.at(i[0], i[1], i[2], i[3], 2 - a), x.dim(a + 1), o);
    double sum = 0;
    for_each_index({x.dim(1), x.dim(2), x.dim(3)}, [&](const Index& v) {
      sum += weight(at[0], v[0]) * weight(at[1], v[1]) * weight(at[2], v[2]) * x.at(i[0], v[0], v[1], v[2], i[4]);
    });
    return sum;
  });
}
}  // namespace

OP_CASES(grid_sample3d) {
  // Grids reach beyond the volume, so that each padding has its part. The gradient of the grid sums products of differences of the
  // corners, whose coordinates are rounded at the scale of the extent: slack. A coordinate at the edge of a cell has two one-sided
  // slopes; random grids do not meet one.
  const auto add = [&](const std::string& name, const Shape& x, const Shape& grid, const GridSample3dOptions& o, double reach = 1.7) {
    cases.push_back({.op = "grid_sample3d",
                     .name = name,
                     .inputs = {{x}, {.shape = grid, .role = Role::parameter, .low = -reach, .high = reach}},
                     .run = [=](const Tensors& in) { return grid_sample3d(in[0], in[1], o); },
                     .reference = [=](const HostArrays& in) { return HostArrays{sampled(in[0], in[1], o)}; },
                     .terms = 8,
                     .saved_bytes = (x.count() + grid.count()) * 4,
                     .slack = 8});
  };
  const struct {
    const char* name;
    GridPadding padding;
  } paddings[] = {{"zeros", GridPadding::zeros}, {"border", GridPadding::border}, {"reflection", GridPadding::reflection}};
  for (const auto& [padding_name, padding] : paddings)
    for (bool aligned : {false, true})
      for (GridMode mode : {GridMode::bilinear, GridMode::nearest}) {
        const std::string name =
            std::string(mode == GridMode::nearest ? "nearest, " : "bilinear, ") + padding_name + (aligned ? ", align_corners" : "");
        add(name, {2, 4, 5, 3, 3}, {2, 3, 2, 4, 3}, {.mode = mode, .padding = padding, .align_corners = aligned});
      }
  add("one channel", {1, 7, 5, 6, 1}, {1, 5, 4, 6, 3}, {});
  add("70 channels", {1, 2, 3, 2, 70}, {1, 2, 2, 3, 3}, {});
  add("one voxel", {1, 1, 1, 1, 2}, {1, 2, 2, 2, 3}, {});
  add("far beyond", {1, 9, 3, 3, 2}, {1, 3, 4, 5, 3}, {.padding = GridPadding::reflection}, 9);
  // As augmentation samples: a smooth grid near the identity, here of a rotation by 0.3 about the depth.
  for (int64_t c : {1, 32})
    cases.push_back({.op = "grid_sample3d", .name = std::to_string(c) + "x64^3 rotated", .inputs = {{Shape{1, 64, 64, 64, c}}},
                     .run = [](const Tensors& in) { return grid_sample3d(in[0], rotated_grid(64)); }, .bench = true});
  rejects.push_back({"grid_sample3d",
                     "a grid of another batch",
                     [] {
                       grid_sample3d(Tensor::zeros({2, 2, 2, 2, 1}), Tensor::zeros({1, 2, 2, 2, 3}));
                     },
                     {"grid_sample3d", "{2, Z, P, Q, 3}"}});
  rejects.push_back({"grid_sample3d", "a grid in half precision",
                     [] { grid_sample3d(Tensor::zeros({1, 2, 2, 2, 1}, DType::f16), Tensor::zeros({1, 2, 2, 2, 3}, DType::f16)); },
                     {"grid_sample3d", "f32"}});
  rejects.push_back({"grid_sample3d",
                     "labels",
                     [] {
                       grid_sample3d(Tensor::zeros({1, 2, 2, 2, 1}, DType::u8), Tensor::zeros({1, 2, 2, 2, 3}));
                     },
                     {"grid_sample3d", "floating", "u8"}});
}
