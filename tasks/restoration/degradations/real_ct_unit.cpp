// What makes CT worse, on slices of a patient.
#include <algorithm>
#include <cmath>

#include "augment/sample.h"
#include "core/autograd.h"
#include "io/image.h"
#include "kernels/binary/binary.h"
#include "kernels/slice/slice.h"
#include "tasks/predictor.h"
#include "tests/catch.h"
#include "tests/outside_data.h"

using namespace voxgrad;

namespace {

// Adds nothing.
struct NoChange {
  FIELDS()
  Tensor operator()(const Tensor& x) const { return x * 0; }
};

double median_of(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + std::ptrdiff_t(v.size() / 2), v.end());
  return v[v.size() / 2];
}
// The median of the voxels of `image` where `before` is within.
double median_where(const Tensor& before, double low, double high, const Tensor& image) {
  const std::vector<double> b = before.values(), x = image.values();
  std::vector<double> out;
  for (size_t i = 0; i < b.size(); ++i)
    if (b[i] >= low && b[i] <= high) out.push_back(x[i]);
  REQUIRE(out.size() > 100);
  return median_of(out);
}

}  // namespace

TEST_CASE("a patient's CT keeps its Hounsfield units where it is made worse, and where it is restored") {
  const std::filesystem::path folder = outside_data("totalsegmentator");
  if (folder.empty()) return;
  const Volume ct = to_canonical(read_volume(folder / "example_ct.nii.gz"));
  const int64_t first = ct.data.dim(0) / 2;
  const Volume slices{ct.data.to(DType::f32).reshape({ct.data.dim(0), ct.data.dim(1), ct.data.dim(2), 1}).rows(first, first + 2).clone(),
                      ct.affine};
  ModelDescription d;
  d.patch = {2, 32, 32};
  d.spacing = {0, 0, 0};
  d.channels = d.labels = {"CT"};
  d.normalization = {{.kind = "hounsfield"}};
  d.task = R"({"kind": "restoration"})";
  const Predictor predict(Model{.net = Network(NoChange{}, {}, "{}"), .description = d});
  CHECK(max(abs(predict(slices).volume.data - slices.data)).item() < 1e-3);

  const Preprocessed p = predict.prepare(slices, "ct");
  CHECK(std::abs(median_where(slices.data, 0, 100, p.image) - 1.04) < 0.03);  // soft tissue, a little more than water
  CHECK(std::abs(median_where(slices.data, -1100, -950, p.image)) < 0.05);   // air
  struct Row {
    const char* kind;
    double strength, most;  // root mean square difference
  };
  for (const auto& [kind, strength, most] : {Row{"sparse_views", 90, 400}, Row{"low_dose", 1e5, 400}, Row{"metal", 3, 1000}}) {
    CAPTURE(kind);
    const Tensor worse = degraded(p.image, {{.kind = kind, .strength = {strength, strength}}}, Rng(3));
    const Tensor hu = image_in_file(worse, p).data;
    CHECK(std::abs(median_where(slices.data, 0, 100, hu) - median_where(slices.data, 0, 100, slices.data)) < 30);
    CHECK(std::abs(median_where(slices.data, -1100, -950, hu) + 1000) < 60);
    const double off = std::sqrt(mean(square(hu - slices.data)).item());
    CHECK(off > 5);
    CHECK(off < most);
  }
}
