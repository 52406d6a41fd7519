#include "kernels/interpolate3d/interpolate3d.h"

#include <algorithm>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// What output o of an axis of `out` takes from an axis of `in`: voxels and their weights.
std::vector<std::pair<int64_t, double>> sources(int64_t o, int64_t in, int64_t out, const Interpolate3dOptions& options) {
  if (options.mode == Interpolation::nearest) return {{o * in / out, 1}};
  if (options.mode == Interpolation::nearest_exact) return {{(2 * o + 1) * in / (2 * out), 1}};
  double at = std::max(0.0, (double(o) + 0.5) * double(in) / double(out) - 0.5);
  if (options.align_corners) at = out > 1 ? double(o * (in - 1)) / double(out - 1) : 0;
  const int64_t below = std::min(int64_t(at), in - 1);
  return {{below, 1 - (at - double(below))}, {std::min(below + 1, in - 1), at - double(below)}};
}

HostArray resized(const HostArray& x, const Int3& size, const Interpolate3dOptions& o) {
  return host_array({x.dim(0), size.d, size.h, size.w, x.dim(4)}, [&](const Index& i) {
    double sum = 0;
    for (auto [d, of_d] : sources(i[1], x.dim(1), size.d, o))
      for (auto [h, of_h] : sources(i[2], x.dim(2), size.h, o))
        for (auto [w, of_w] : sources(i[3], x.dim(3), size.w, o)) sum += of_d * of_h * of_w * x.at(i[0], d, h, w, i[4]);
    return sum;
  });
}

}  // namespace

OP_CASES(interpolate3d) {
  const auto add = [&](const std::string& name, const Shape& s, const Int3& size, const Interpolate3dOptions& o, bool bench = false) {
    cases.push_back({.op = "interpolate3d",
                     .name = name,
                     .inputs = {{s}},
                     .run = [=](const Tensors& in) { return interpolate3d(in[0], size, o); },
                     .reference = [=](const HostArrays& in) { return HostArrays{resized(in[0], size, o)}; },
                     .terms = o.mode == Interpolation::trilinear ? 8 : 1,
                     .saved_bytes = bench ? -1 : 0,
                     .bench = bench});
  };
  const Interpolate3dOptions nearest{}, exact{.mode = Interpolation::nearest_exact}, linear{.mode = Interpolation::trilinear},
      aligned{.mode = Interpolation::trilinear, .align_corners = true};
  const struct {
    const char* name;
    Interpolate3dOptions options;
  } modes[] = {{"nearest", nearest}, {"nearest_exact", exact}, {"trilinear", linear}, {"trilinear, align_corners", aligned}};
  for (const auto& [mode, options] : modes) {
    const std::string name = mode;
    add(name + ", doubled", {2, 3, 2, 4, 3}, {6, 4, 8}, options);
    add(name + ", down and up by odd factors", {1, 7, 5, 4, 5}, {3, 9, 7}, options);
    add(name + ", one channel", {2, 4, 3, 5, 1}, {5, 6, 5}, options);
    add(name + ", from one voxel", {1, 1, 1, 1, 2}, {3, 2, 1}, options);
    add(name + ", to one voxel", {1, 4, 3, 2, 17}, {1, 1, 1}, options);
    add(name + ", same size", {1, 4, 3, 2, 2}, {4, 3, 2}, options);
  }
  add("nearest, 32x64^3 doubled", {2, 64, 64, 64, 32}, {128, 128, 128}, nearest, true);
  add("trilinear, 32x64^3 doubled", {2, 64, 64, 64, 32}, {128, 128, 128}, linear, true);
  add("trilinear, 1x128^3 to 160^3", {1, 128, 128, 128, 1}, {160, 160, 160}, linear, true);
  rejects.push_back({"interpolate3d",
                     "rank 4",
                     [] {
                       interpolate3d(Tensor::zeros({4, 4, 4, 1}), {2, 2, 2});
                     },
                     {"interpolate3d", "{4, 4, 4, 1}"}});
  rejects.push_back({"interpolate3d",
                     "size zero",
                     [] {
                       interpolate3d(Tensor::zeros({1, 4, 4, 4, 1}), {2, 0, 2});
                     },
                     {"interpolate3d", "2x0x2"}});
  rejects.push_back({"interpolate3d",
                     "no voxels",
                     [] {
                       interpolate3d(Tensor::zeros({1, 0, 4, 4, 1}), {2, 2, 2});
                     },
                     {"interpolate3d", "no voxel"}});
  rejects.push_back({"interpolate3d",
                     "aligned corners of nearest",
                     [] {
                       interpolate3d(Tensor::zeros({1, 4, 4, 4, 1}), {2, 2, 2}, {.align_corners = true});
                     },
                     {"interpolate3d", "align_corners", "trilinear"}});
  rejects.push_back({"interpolate3d", "trilinear labels",
                     [] { interpolate3d(Tensor::zeros({1, 4, 4, 4, 1}, DType::u8), {2, 2, 2}, {.mode = Interpolation::trilinear}); },
                     {"interpolate3d", "floating", "u8"}});
}
