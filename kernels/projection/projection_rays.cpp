#include "kernels/projection/projection_rays.h"

#include <cmath>

namespace voxgrad {
namespace {

// 1 or -1 where the places of ray i + 1 lie on one side of those of ray i in both outer planes, else 0.
int order_of(const RayTables& t, size_t i, int64_t planes) {
  const double first = t.a[i + 1] - t.a[i], last = first + (t.b[i + 1] - t.b[i]) * double(planes - 1);
  return first > 0 && last > 0 ? 1 : first < 0 && last < 0 ? -1 : 0;
}

void add_segments(RayTables& t, const ProjectionGeometry& g, int64_t view) {
  for (int64_t k = 0; k < g.columns;) {
    const size_t i = size_t(view * g.columns + k);
    const int axis = t.axes[i];
    const int64_t planes = axis == 0 ? g.volume.h : g.volume.w;
    int64_t count = 1;
    int sign = 0;
    for (; k + count < g.columns && t.axes[i + size_t(count)] == axis; ++count) {
      const int order = order_of(t, i + size_t(count - 1), planes);
      if (order == 0 || (sign != 0 && order != sign)) break;
      sign = order;
    }
    t.segments.insert(t.segments.end(), {axis, int32_t(view), int32_t(k), int32_t(count), sign == 0 ? 1 : sign});
    k += count;
  }
  t.firsts.push_back(int32_t(t.segments.size() / 5));
}

}  // namespace

std::vector<double> equal_angles(int64_t n, double range, double start) {
  std::vector<double> angles;
  for (int64_t i = 0; i < n; ++i) angles.push_back(start + range * double(i) / double(n));
  return angles;
}

ProjectionGeometry parallel_geometry(int64_t h, int64_t w, int64_t views, int64_t slices) {
  return {.beam = Beam::parallel, .volume = {int(slices), int(h), int(w)}, .angles = equal_angles(views),
          .columns = int64_t(std::ceil(std::hypot(double(h), double(w))))};
}

void check_geometry(const char* op, const ProjectionGeometry& g) {
  check(!g.angles.empty() && g.columns >= 1 && g.volume.d >= 1 && g.volume.h >= 1 && g.volume.w >= 1, op, ": a geometry of ", g.views(),
        " views, ", g.columns, " columns and a volume of ", g.volume, ", at least 1 of each is wanted");
  check(g.column_spacing > 0 && g.voxel[0] > 0 && g.voxel[1] > 0 && g.voxel[2] > 0, op, ": spacings of ", g.column_spacing, " and ",
        g.voxel[0], " x ", g.voxel[1], " x ", g.voxel[2], " mm, positive ones are wanted");
  check(int64_t(g.angles.size()) * g.columns < (int64_t(1) << 31), op, ": ", g.views(), " views of ", g.columns,
        " columns are too many rays");
  for (double t : g.angles) check(std::isfinite(t), op, ": an angle is ", t);
  if (g.beam == Beam::parallel) return;
  const double radius = std::hypot(g.volume.h * g.voxel[1], g.volume.w * g.voxel[2]) / 2;
  check(g.source_distance > radius && g.detector_distance >= 0, op, ": the source is ", g.source_distance,
        " mm before the axis, the detector ", g.detector_distance, " mm behind it; more than ", radius,
        " mm, half of the volume's diagonal, and 0 or more are wanted");
  check(g.beam == Beam::fan || (g.rows >= 1 && g.row_spacing > 0), op, ": ", g.rows, " detector rows ", g.row_spacing, " mm apart");
}

RayTables ray_tables(const ProjectionGeometry& g) {
  RayTables t;
  t.firsts.push_back(0);
  const double middle_h = (g.volume.h - 1) / 2.0, middle_w = (g.volume.w - 1) / 2.0;
  for (int64_t view = 0; view < g.views(); ++view) {
    const double c = std::cos(g.angles[size_t(view)]), s = std::sin(g.angles[size_t(view)]);
    for (int64_t k = 0; k < g.columns; ++k) {
      const double u = g.column_at(double(k));
      double x = u * c, y = u * s, dx = -s, dy = c;
      if (g.beam != Beam::parallel) {
        const double far = g.source_distance + g.detector_distance;
        x = g.source_distance * s, y = -g.source_distance * c, dx = u * c - far * s, dy = u * s + far * c;
      }
      const double place[2] = {y / g.voxel[1] + middle_h, x / g.voxel[2] + middle_w}, step[2] = {dy / g.voxel[1], dx / g.voxel[2]};
      const int axis = std::abs(step[0]) >= std::abs(step[1]) ? 0 : 1;
      const double slope = step[1 - axis] / step[axis];
      t.axes.push_back(axis);
      t.a.push_back(place[1 - axis] - slope * place[axis]);
      t.b.push_back(slope);
      t.p.push_back(g.beam == Beam::cone ? -place[axis] / step[axis] : 0);
      t.q.push_back(g.beam == Beam::cone ? 1 / step[axis] : 0);
    }
    add_segments(t, g, view);
  }
  return t;
}

}  // namespace voxgrad
