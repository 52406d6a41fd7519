#include "kernels/projection/projection.h"

#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

double hat_of(double x) { return std::fmax(0, 1 - std::abs(x)); }

// f(weight, index of the voxel) for all voxels that the ray of a view, detector row and column meets, in mm.
void for_ray(const ProjectionGeometry& g, int64_t view, int64_t row, int64_t column, const std::function<void(double, const Index&)>& f) {
  const double t = g.angles[size_t(view)], u = g.column_at(double(column)), c = std::cos(t), s = std::sin(t);
  const double source = g.source_distance, detector = g.detector_distance;
  const bool parallel = g.beam == Beam::parallel, cone = g.beam == Beam::cone;
  // From one point in mm to another, in the order z, y, x.
  const double from[3] = {0, parallel ? u * s : -source * c, parallel ? u * c : source * s};
  const double to[3] = {cone ? g.row_at(double(row)) : 0, u * s + (parallel ? 1 : detector) * c, u * c - (parallel ? 1 : detector) * s};
  const Int3& v = g.volume;
  const int axis = std::abs(to[1] - from[1]) / g.voxel[1] >= std::abs(to[2] - from[2]) / g.voxel[2] ? 1 : 2;
  const double whole = std::hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  const double length = whole * g.voxel[axis] / std::abs(to[axis] - from[axis]);
  for (int j = 0; j < v[axis]; ++j) {
    const double along = ((j - (v[axis] - 1) / 2.0) * g.voxel[axis] - from[axis]) / (to[axis] - from[axis]);
    for_each_index({v.d, v.h, v.w}, [&](const Index& i) {
      if (i[size_t(axis)] != j || (!cone && i[0] != row)) return;
      double weight = length;
      for (int k = 0; k < 3; ++k)
        if (k != axis && (k != 0 || cone))
          weight *= hat_of((from[k] + along * (to[k] - from[k])) / g.voxel[k] + (v[k] - 1) / 2.0 - double(i[size_t(k)]));
      if (weight > 0) f(weight, i);
    });
  }
}

HostArray project_reference(const ProjectionGeometry& g, const HostArray& from, bool adjoint) {
  const Shape shape = adjoint ? g.images_of(from.shape) : g.projections_of(from.shape);
  HostArray into = host_zeros(shape);
  for_each_index(adjoint ? from.shape : shape, [&](const Index& r) {
    for_ray(g, r[2], r[1], r[3], [&](double weight, const Index& v) {
      const Index voxel{r[0], v[0], v[1], v[2], r[4]};
      adjoint ? into[voxel] += weight * from[r] : into[r] += weight * from[voxel];
    });
  });
  return into;
}

}  // namespace

OP_CASES(project) {
  const auto add = [&](const char* name, const ProjectionGeometry& g, int64_t n, int64_t channels, bool bench = false) {
    const Shape images = g.images_of({n, 1, 1, 1, channels}), projections = g.projections_of(images);
    for (const bool adjoint : {false, true})
      cases.push_back({.op = adjoint ? "project_adjoint" : "project", .name = name, .inputs = {{adjoint ? projections : images}},
                       .run =
                           [=](const Tensors& in) {
                             const Projector p(g, in[0].dtype(), in[0].device());
                             return adjoint ? p.adjoint(in[0]) : p(in[0]);
                           },
                       .reference = [=](const HostArrays& in) { return HostArrays{project_reference(g, in[0], adjoint)}; },
                       // A place between voxels is rounded to a few thousandths of a voxel's 1000th; sums cancel.
                       .terms = adjoint ? g.views() * 4 : 64, .dtypes = {DType::f32}, .slack = 8, .bench = bench});
  };
  const std::vector<double> angles = {0, 0.3, 0.8, 1.5707963267948966, 2.2, 3.0, 4.4, 5.6};
  add("parallel", {.volume = {1, 9, 9}, .angles = angles, .columns = 13}, 1, 1);
  add("parallel slices of two images with channels", {.volume = {2, 6, 9}, .voxel = {1, 0.8, 1.3}, .angles = angles, .columns = 21,
                                                     .column_spacing = 0.7, .column_offset = 0.25}, 2, 3);
  add("fan", {.beam = Beam::fan, .volume = {2, 8, 7}, .angles = angles, .columns = 19, .column_spacing = 1.5, .source_distance = 14,
              .detector_distance = 9}, 1, 1);
  add("a wide fan of more rays than lanes", {.beam = Beam::fan, .volume = {1, 5, 6}, .angles = angles, .columns = 40, .column_spacing = 0.5,
                                             .source_distance = 6, .detector_distance = 2}, 1, 1);
  add("cone", {.beam = Beam::cone, .volume = {6, 7, 8}, .voxel = {1.2, 1, 0.9}, .angles = {0.1, 1.2, 2.5, 4.0}, .columns = 9,
               .column_spacing = 1.6, .rows = 5, .row_spacing = 2.1, .source_distance = 20, .detector_distance = 8}, 1, 2);
  ProjectionGeometry large = parallel_geometry(512, 512, 180);
  add("512 x 512, 180 views", large, 1, 1, true);
  ProjectionGeometry broken = large;
  broken.columns = 0;
  rejects.push_back({"project", "no columns", [=] { Projector{broken}; }, {"project", "0 columns"}});
  rejects.push_back({"project", "a source within the volume",
                     [] { Projector({.beam = Beam::fan, .volume = {1, 8, 8}, .angles = {0}, .columns = 4, .source_distance = 5}); },
                     {"project", "source is 5", "5.6"}});
  rejects.push_back({"project", "an image of another size", [] { Projector(parallel_geometry(8, 8, 4))(Tensor::zeros({1, 1, 8, 9, 1})); },
                     {"project", "{1, 1, 8, 8, 1}", "{1, 1, 8, 9, 1}"}});
  rejects.push_back({"project_adjoint", "views that are not there",
                     [] { Projector(parallel_geometry(8, 8, 4)).adjoint(Tensor::zeros({1, 1, 3, 12, 1})); },
                     {"project_adjoint", "{1, 1, 4, 12, 1}", "{1, 1, 3, 12, 1}"}});
}

OP_CASES(backproject) {
  const auto add = [&](const char* name, const ProjectionGeometry& g, int64_t n, int64_t channels) {
    const Shape projections = g.projections_of({n, 1, 1, 1, channels});
    cases.push_back({.op = "backproject", .name = name, .inputs = {{projections}},
                     .run = [=](const Tensors& in) { return backproject(in[0], g, 0.5); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(g.images_of(projections), [&](const Index& i) {
                             const auto mm = [&](int k) { return (double(i[size_t(k) + 1]) - (g.volume[k] - 1) / 2.0) * g.voxel[k]; };
                             double sum = 0;
                             for (int64_t view = 0; view < g.views(); ++view) {
                               const double t = g.angles[size_t(view)], u = mm(2) * std::cos(t) + mm(1) * std::sin(t);
                               const double depth = mm(1) * std::cos(t) - mm(2) * std::sin(t), r = g.source_distance;
                               const bool parallel = g.beam == Beam::parallel;
                               const double far = parallel ? 1 : (r + depth) / r,
                                            larger = parallel ? 1 : (r + g.detector_distance) / (r + depth);
                               for (int64_t row = 0; row < projections[1]; ++row)
                                 for (int64_t k = 0; k < g.columns; ++k) {
                                   double weight = hat_of((u * larger - g.column_at(double(k))) / g.column_spacing) / (far * far);
                                   if (g.beam != Beam::cone) weight *= row == i[1];
                                   else weight *= hat_of((mm(0) * larger - g.row_at(double(row))) / g.row_spacing);
                                   sum += 0.5 * weight * in[0][{i[0], row, view, k, i[4]}];
                                 }
                             }
                             return sum;
                           })};
                         },
                     .terms = 32, .differentiable = false, .dtypes = {DType::f32}, .slack = 8});
  };
  const std::vector<double> angles = {0.2, 1.1, 2.6, 4.5};
  add("parallel", {.volume = {2, 5, 19}, .voxel = {1, 1, 0.7}, .angles = angles, .columns = 17, .column_offset = 0.3}, 2, 2);
  add("fan", {.beam = Beam::fan, .volume = {1, 7, 8}, .angles = angles, .columns = 41, .column_spacing = 0.8, .source_distance = 15,
              .detector_distance = 5}, 1, 1);
  add("cone", {.beam = Beam::cone, .volume = {4, 5, 6}, .angles = angles, .columns = 19, .column_spacing = 0.8, .rows = 7,
               .row_spacing = 0.9, .source_distance = 12, .detector_distance = 6}, 1, 1);
  rejects.push_back({"backproject",
                     "another number of columns",
                     [] {
                       backproject(Tensor::zeros({1, 1, 4, 9, 1}), parallel_geometry(8, 8, 4));
                     },
                     {"backproject", "{1, 1, 4, 12, 1}", "{1, 1, 4, 9, 1}"}});
}
