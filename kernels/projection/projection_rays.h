#pragma once
#include <vector>

#include "kernels/projection/projection_geometry.h"

namespace voxgrad {

// The tables of ProjectionRays (projection_kernels.h) for a geometry.
struct RayTables {
  std::vector<double> a, b, p, q;  // {views, columns}
  std::vector<int32_t> axes;       // the same
  std::vector<int32_t> segments;   // {.., 5}
  std::vector<int32_t> firsts;     // {views + 1}
};
RayTables ray_tables(const ProjectionGeometry&);

// Error in the name of `op` where a geometry means nothing.
void check_geometry(const char* op, const ProjectionGeometry&);

}  // namespace voxgrad
