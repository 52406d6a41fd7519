#include "kernels/projection/projection.h"

#include <cmath>

#include "core/autograd.h"
#include "kernels/projection/projection_kernels.h"
#include "kernels/projection/projection_rays.h"

namespace voxgrad {

struct ProjectorParts {
  template <class T>
  static ProjectionRays<T> rays(const Projector& of, const Shape& images) {
    const ProjectionGeometry& g = of.geometry_;
    const int64_t count = g.views() * g.columns;
    const T* const table = of.rays_.view().as<const T>();
    const auto integers = [](const Tensor& t) { return t.view().as<const int32_t>(); };
    const bool cone = g.beam == Beam::cone;
    ProjectionRays<T> r{.images = images[0], .channels = images[4], .depth = g.volume.d, .extent = {g.volume.h, g.volume.w},
                        .views = g.views(), .rows = g.detector_rows(), .columns = g.columns, .cone = cone,
                        .step = {T(g.voxel[1]), T(g.voxel[2])}, .depth_step = T(g.voxel[0]), .row_centre = T(double(g.rows - 1) / 2),
                        .row_step = T(g.row_spacing / g.voxel[0]), .depth_centre = T((g.volume.d - 1) / 2.0), .a = table,
                        .b = table + count, .p = table + 2 * count, .q = table + 3 * count, .segments = integers(of.segments_),
                        .axes = integers(of.axes_), .firsts = integers(of.firsts_), .segment_count = of.segments_.dim(0)};
    for (int axis = 0; axis < 2; ++axis) {
      r.width[axis] = r.extent[1 - axis] + 3;
      r.plane[axis] = (r.depth + (cone ? 3 : 0)) * r.width[axis];
    }
    return r;
  }
  static Tensor apply(const Projector& of, bool adjoint, const Tensor& from) {
    const Shape shape = adjoint ? of.geometry_.images_of(from.shape()) : of.geometry_.projections_of(from.shape());
    const Tensor into = Tensor::empty(shape, from.dtype(), from.device());
    if (into.count() == 0) return into;
    const auto run = [&]<class T>(T* to) {
      const ProjectionRays<T> r = rays<T>(of, adjoint ? shape : from.shape());
      on_device(from.device(), [&](auto on) {
        const T* const values = from.view().as<const T>();
        adjoint ? spread_rays(on, r, values, to) : project_rays(on, r, values, to);
      });
    };
    from.dtype() == DType::f64 ? run(into.view().as<double>()) : run(into.view().as<float>());
    return into;
  }
  static void check_operand(const Projector& of, const char* op, const Tensor& x, const Shape& wanted) {
    check(x && x.dtype() == of.rays_.dtype() && x.device() == of.rays_.device() && x.shape().rank == 5 && x.shape() == wanted, op,
          ": the geometry is for ", name_of(of.rays_.dtype()), " ", wanted, " on ", of.rays_.device(), ", not for ", x);
  }
  static Tensor recorded(const Projector& of, bool adjoint, const Tensor& from) {
    return record(adjoint ? "project_adjoint" : "project", {from}, apply(of, adjoint, from),
                  [of, adjoint](const Tensor& g, Needs) { return Grads{apply(of, !adjoint, g)}; });
  }
};

Projector::Projector(ProjectionGeometry g, DType dtype, Device device) : geometry_(std::move(g)) {
  check(dtype == DType::f32 || dtype == DType::f64, "project: rays in ", name_of(dtype), ", f32 or f64 is wanted");
  check_geometry("project", geometry_);
  RayTables t = ray_tables(geometry_);
  std::vector<double> all = std::move(t.a);
  for (const auto* part : {&t.b, &t.p, &t.q}) all.insert(all.end(), part->begin(), part->end());
  const int64_t views = geometry_.views(), columns = geometry_.columns;
  rays_ = Tensor::from(all, {4, views, columns}, dtype, device);
  segments_ = Tensor::from(t.segments, {int64_t(t.segments.size() / 5), 5}, device);
  axes_ = Tensor::from(t.axes, {views, columns}, device);
  firsts_ = Tensor::from(t.firsts, {views + 1}, device);
}

Tensor Projector::operator()(const Tensor& images) const {
  check(images && images.shape().rank == 5, "project: images {N, D, H, W, C} are wanted, not ", images);
  const Shape& s = images.shape();
  ProjectorParts::check_operand(*this, "project", images, geometry_.images_of({s[0], 1, 1, 1, s[4]}));
  return ProjectorParts::recorded(*this, false, images);
}

Tensor Projector::adjoint(const Tensor& projections) const {
  check(projections && projections.shape().rank == 5, "project_adjoint: projections {N, rows, views, columns, C} are wanted, not ",
        projections);
  const Shape& s = projections.shape();
  ProjectorParts::check_operand(*this, "project_adjoint", projections, geometry_.projections_of({s[0], 1, 1, 1, s[4]}));
  return ProjectorParts::recorded(*this, true, projections);
}

Tensor backproject(const Tensor& projections, const ProjectionGeometry& g, double scale) {
  check_geometry("backproject", g);
  check(projections && (projections.dtype() == DType::f32 || projections.dtype() == DType::f64) && projections.shape().rank == 5 &&
            projections.shape() == g.projections_of({projections.dim(0), 1, 1, 1, projections.dim(4)}),
        "backproject: the geometry is for f32 or f64 ", g.projections_of({1, 1, 1, 1, 1}), ", not for ", projections);
  const bool cone = g.beam == Beam::cone;
  const double magnified = g.beam == Beam::parallel ? 1 : (g.source_distance + g.detector_distance) / g.source_distance;
  const Shape shape = g.images_of(projections.shape());
  Backprojection b{.images = shape[0], .channels = shape[4], .extent = {shape[1], shape[2], shape[3]}, .views = g.views(),
                   .rows = g.detector_rows(), .columns = g.columns, .cone = cone, .centre = {}, .voxel = {},
                   .source = g.beam == Beam::parallel ? 0 : g.source_distance, .column_scale = magnified / g.column_spacing,
                   .column_centre = double(g.columns - 1) / 2 - g.column_offset / g.column_spacing,
                   .row_scale = magnified / g.row_spacing, .row_centre = double(g.rows - 1) / 2, .scale = scale};
  std::vector<double> cosines;
  for (double t : g.angles) cosines.insert(cosines.end(), {std::cos(t), std::sin(t)});
  for (int k = 0; k < 3; ++k) b.centre[k] = double(b.extent[k] - 1) / 2, b.voxel[k] = g.voxel[k];
  const Tensor table = Tensor::from(cosines, {g.views(), 2}, DType::f64, projections.device());
  const Tensor x = Tensor::empty(shape, projections.dtype(), projections.device());
  on_device(x.device(), [&](auto on) { backproject_views(on, b, table.view().as<const double>(), projections.view(), x.view()); });
  return x;
}

}  // namespace voxgrad
