#include "tasks/reconstruction/projections.h"

#include <cmath>

#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/projection/projection.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

ProjectionGeometry scan_of(const char* json, const Shape& projections) {
  return geometry_from(Json::parse(json), projections, "scan.json");
}

// A ball of 1 with a soft rim in voxels of 2 mm.
Tensor soft_ball(int64_t depth) {
  std::vector<float> v;
  for (int64_t i = 0; i < depth * 32 * 32; ++i) {
    const double z = double(i / 1024) - double(depth - 1) / 2, y = double(i / 32 % 32) - 17, x = double(i % 32) - 14;
    v.push_back(float(0.5 * (1 + std::tanh(9 - std::sqrt(x * x + y * y + z * z)))));
  }
  return Tensor::from(v, {1, depth, 32, 32, 1});
}

}  // namespace

TEST_CASE("projections of parallel, fan and cone beams become images in the units and voxels of their geometry") {
  struct Scan {
    const char* geometry;
    int64_t depth, rows, columns;
    int iterations;
    double most;  // root mean square difference from the image
  };
  const Scan scans[] = {
      {R"({"volume": [2, 32, 32], "voxel": [3, 2, 2], "column_spacing": 2})", 2, 2, 46, 60, 0.05},
      {R"({"beam": "fan", "volume": [1, 32, 32], "voxel": [3, 2, 2], "column_spacing": 3, "source_distance": 150,
           "detector_distance": 90})",
       1, 1, 60, 60, 0.05},
      {R"({"beam": "cone", "volume": [8, 32, 32], "voxel": [2, 2, 2], "column_spacing": 3, "row_spacing": 3, "source_distance": 300,
           "detector_distance": 90})",
       8, 14, 50, 45, 0.08}};
  for (const Scan& s : scans) {
    CAPTURE(s.geometry);
    const Shape shape{s.rows, 60, s.columns, 1};
    const ProjectionGeometry g = scan_of(s.geometry, shape);
    const Tensor image = soft_ball(s.depth), y = Projector(g)(image).reshape(shape);
    for (const char* method : {"fbp", "sirt", "cg", "total_variation"}) {
      CAPTURE(method);
      const Volume x = reconstruct_projections(y, g, {.method = method, .weight = -1, .iterations = s.iterations, .non_negative = true});
      CHECK(x.data.shape() == Shape{s.depth, 32, 32, 1});
      CHECK(x.spacing() == Vec3{g.voxel[0], g.voxel[1], g.voxel[2]});
      CHECK(std::sqrt(mean(square(x.data.reshape(image.shape()) - image)).item()) < s.most);
    }
    const Volume sharp = reconstruct_projections(y, g, {.window = "ramp"}), soft = reconstruct_projections(y, g, {.window = "hann"});
    CHECK(max(abs(sharp.data - soft.data)).item() > 0.01);
    const Volume flat = reconstruct_projections(y, g, {.method = "cg", .weight = 10, .iterations = 30});
    CHECK(max(flat.data).item() < 0.5);
  }
}

TEST_CASE("a geometry of a scan in JSON is held against the projections") {
  const Shape shape{1, 4, 9, 1};
  const ProjectionGeometry g = scan_of(R"({"volume": [1, 6, 6], "angles": [0, 30, 90, 180], "column_offset": 0.5})", shape);
  CHECK(close(g.angles[1], 0.5235987756, 1e-9));
  CHECK(close(g.angles[3], 3.1415926536, 1e-9));
  CHECK(close(scan_of(R"({"volume": [1, 6, 6], "start": 10, "range": -360})", shape).angles[1], -80 * 0.01745329252, 1e-9));
  CHECK(close(scan_of(R"({"beam": "fan", "volume": [1, 6, 6]})", shape).angles[1], 1.5707963268, 1e-9));
  const auto error = [&](const char* json) { return error_of([&] { scan_of(json, shape); }); };
  CHECK_THAT(error(R"({})"), Contains("scan.json") && Contains("no \"volume\""));
  CHECK_THAT(error(R"([1])"), Contains("an object"));
  CHECK_THAT(error(R"({"volume": [2, 6, 6]})"), Contains("1 slices") && Contains("has 2"));
  CHECK_THAT(error(R"({"volume": [1, 6, 6], "angles": [0, 1]})"), Contains("2 angles") && Contains("4 views"));
  CHECK_THAT(error(R"({"volume": [1, 6, 6], "colum_spacing": 2})"), Contains("column_spacing"));
  CHECK_THAT(error(R"({"volume": [1, 6, 6], "voxel": [1, -1, 1]})"), Contains("above 0"));
  CHECK_THAT(error(R"({"volume": [1, 6, 6], "angles": "all"})"), Contains("degrees"));
  CHECK_THAT(error(R"({"volume": [1, 32768, 32769]})"), Contains("32768"));
  CHECK_THAT(error(R"({"volume": [2, 32768, 32768]})"), Contains("voxels"));
  const Tensor y = Tensor::zeros(shape);
  CHECK(max(reconstruct_projections(y, g, {.method = "total_variation"}).data).item() == 0);
  CHECK_THROWS_WITH(reconstruct_projections(y, g, {.method = "art"}), Contains("no method \"art\""));
  CHECK_THROWS_WITH(reconstruct_projections(y, g, {.window = "tukey"}), Contains("no window \"tukey\""));
  CHECK_THROWS_WITH(reconstruct_projections(y, scan_of(R"({"beam": "fan", "volume": [1, 6, 6]})", shape)), Contains("source"));
}
