#include "augment/batch.h"
#include "tests/sample_helpers.h"

using namespace voxgrad;

namespace {

// An image whose voxel (d, h, w) is a smooth function of the place, its gradient as vectors, and the places of a few voxels.
float f_at(double d, double h, double w) { return float(0.3 * d - 0.2 * h + 0.1 * w); }

Sample rich_sample(Int3 size) {
  Sample s = random_sample(size, 1, 3);
  Tensor vectors = Tensor::empty({size.d, size.h, size.w, 6});
  auto v = vectors.mutable_data<float>();
  for (size_t i = 0; i < v.size(); ++i) v[i] = std::array<float, 6>{1, 2, -3, 0, 0.5f, 4}[i % 6];
  s.fields.push_back({"second", DataKind::image, random_sample(size, 2, 8).image()});
  s.fields.push_back({"organ", DataKind::labels, random_sample(size, 1, 9).at("label")});
  s.fields.push_back({"flow", DataKind::vectors, vectors});
  s.fields.push_back({"landmarks", DataKind::points, Tensor::from({2, 3, 4, 7, 100, 0, 0, 8}, {2, 4})});
  s.fields.push_back({"lesions", DataKind::boxes, Tensor::from({1.5, 2.5, 3.5, 3.5, 4.5, 5.5, 1, 50, 50, 50, 60, 60, 60, 2}, {2, 7})});
  s.fields.push_back({"age", DataKind::values, Tensor::from({61}, {1})});
  return s;
}

// What is where it is in the volume: the place of a patch's voxel i.
Double3 place_in_volume(const PatchPose& pose, Int3 patch, const Double3& i) {
  Double3 x = pose.centre;
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 3; ++b) {
      const double m = pose.mirror[b] ? patch[int(b)] - 1 - i[b] : i[b];
      x[a] += pose.matrix[a][b] * (m - (patch[int(b)] - 1) / 2.0);
    }
  return x;
}

}  // namespace

TEST_CASE("space acts on every kind of field: whole voxels by hand") {
  const Sample s = rich_sample({6, 7, 8});
  // A patch of 4 x 5 x 6 from (1, 1, 1) on, mirrored along D: voxel i of the patch is voxel 4 - i of the volume along D.
  const PatchPose pose{.centre = {2.5, 3, 3.5}, .mirror = {true, false, false}};
  const Sample got = extract_patch(s, pose, {4, 5, 6});
  CHECK(got.fields.size() == s.fields.size());
  CHECK(same(got.at("second"), extract_patch(sample_of(s.at("second")), pose, {4, 5, 6}).image()));
  CHECK(same(got.at("organ"), extract_patch(sample_of(s.image(), s.at("organ")), pose, {4, 5, 6}).at("label")));
  CHECK(!same(got.at("organ"), got.at("label")));
  const auto v = got.at("flow").values();
  for (size_t i = 0; i < v.size(); ++i) REQUIRE(v[i] == std::array<double, 6>{-1, 2, -3, 0, 0.5, 4}[i % 6]);
  CHECK(got.at("landmarks").values() == std::vector<double>{2, 2, 3, 7, -96, -1, -1, 8});
  // The second box is outside; the first one is 1.5 to 3.5 along D, mirrored 0.5 to 2.5.
  CHECK(got.at("lesions").shape() == Shape{1, 7});
  CHECK(got.at("lesions").values() == std::vector<double>{0.5, 1.5, 2.5, 2.5, 3.5, 4.5, 1});
  CHECK(got.at("age").item() == 61);
  // Cut off at the border of a patch of two voxels, [-1/2, 3/2]; of a box that only touches it nothing is left.
  const Sample small = extract_patch(s, {.centre = {3.5, 4.5, 5.5}}, {2, 2, 2});
  CHECK(small.at("lesions").values() == std::vector<double>{-0.5, -0.5, -0.5, 0.5, 0.5, 0.5, 1});
  CHECK(extract_patch(s, {.centre = {4.5, 4.5, 5.5}}, {2, 2, 2}).at("lesions").dim(0) == 0);
}

TEST_CASE("rotated and scaled: points stay on what they mark, vectors are the gradient's, boxes hold their content") {
  const Int3 patch = {9, 10, 11};
  for (uint64_t seed = 0; seed < 5; ++seed) {
    PatchPose pose =
        random_pose({10, 11, 12}, {.rotation_probability = 1, .scaling_probability = 1, .same_scale_on_all_axes = false}, Rng(seed));
    pose.mirror = {seed % 2 == 0, seed % 3 == 0, true};
    Sample s = sample_of(Tensor::empty({21, 23, 25, 1}));
    auto x = s.image().mutable_data<float>();
    for (int d = 0, at = 0; d < 21; ++d)
      for (int h = 0; h < 23; ++h)
        for (int w = 0; w < 25; ++w, ++at) x[size_t(at)] = f_at(d, h, w);
    // A step from one voxel to another, as a vector field: it must join the same two points afterwards.
    const Double3 from = {9, 12, 13}, to = {11, 10.5, 12.25};
    Tensor steps = Tensor::empty({21, 23, 25, 3});
    for (int64_t i = 0; i < steps.count(); ++i) steps.mutable_data<float>()[size_t(i)] = float(to[size_t(i % 3)] - from[size_t(i % 3)]);
    s.fields.push_back({"steps", DataKind::vectors, steps});
    s.fields.push_back({"ends", DataKind::points, Tensor::from({from[0], from[1], from[2], to[0], to[1], to[2]}, {2, 3})});
    s.fields.push_back({"box", DataKind::boxes, Tensor::from({9.5, 10, 11, 10.5, 12, 13}, {1, 6})});
    const Sample got = extract_patch(s, pose, patch);
    const auto ends = got.at("ends").values();
    for (size_t p = 0; p < 2; ++p) {
      const Double3 back = place_in_volume(pose, patch, {ends[3 * p], ends[3 * p + 1], ends[3 * p + 2]});
      for (size_t a = 0; a < 3; ++a) CHECK(std::abs(back[a] - (p == 0 ? from : to)[a]) < 1e-5);
    }
    const auto step = got.at("steps").values();
    const size_t middle = size_t((4 * 10 + 5) * 11 + 5) * 3;
    for (size_t a = 0; a < 3; ++a) CHECK(std::abs(step[middle + a] - (ends[3 + a] - ends[a])) < 1e-4);
    // Every corner of the box lies in the hull, which is no larger than their extremes.
    const auto box = got.at("box").values();
    Double3 low = {1e9, 1e9, 1e9}, high = {-1e9, -1e9, -1e9};
    for (double d = 0; d < patch.d - 0.75; d += 0.25)
      for (double h = 0; h < patch.h - 0.75; h += 0.25)
        for (double w = 0; w < patch.w - 0.75; w += 0.25) {
          const Double3 at = place_in_volume(pose, patch, {d, h, w});
          const bool inside = at[0] > 9.5 && at[0] < 10.5 && at[1] > 10 && at[1] < 12 && at[2] > 11 && at[2] < 13;
          for (size_t a = 0; a < 3 && inside; ++a) {
            low[a] = std::min(low[a], Double3{d, h, w}[a]);
            high[a] = std::max(high[a], Double3{d, h, w}[a]);
          }
        }
    for (size_t a = 0; a < 3; ++a) {
      CHECK(box[a] <= low[a]);
      CHECK(box[3 + a] >= high[a]);
      CHECK((low[a] - box[a] < 0.75 && box[3 + a] - high[a] < 0.75));  // a grid of quarter voxels meets corners within a voxel's diagonal
    }
  }
}

TEST_CASE("intensity acts on the network's input alone, and a batch has all fields") {
  const Sample s = rich_sample({8, 9, 10}), other = rich_sample({7, 9, 12});
  Augmentation a = only({"noise", "gamma"});
  const PatchPlace place{{3.5, 4, 4.5}, {4, 5, 6}}, far{{20, 4, 4.5}, {4, 5, 6}};
  const Sample plain = augmented_patch(s, place, no_augmentation(), Rng(1)), changed = augmented_patch(s, place, a, Rng(1));
  CHECK(!same(changed.image(), plain.image()));
  for (size_t i = 1; i < plain.fields.size(); ++i) CHECK(same(changed.fields[i].data, plain.fields[i].data));

  const Batch b = augmented_batch({{s, place, Rng(1)}, {other, far, Rng(2)}, {other, place, Rng(3)}}, a);
  CHECK(b.image.shape() == Shape{3, 4, 5, 6, 1});
  CHECK(same(b.image.rows(0, 1).reshape({4, 5, 6, 1}), changed.image()));
  CHECK(b.at("second").shape() == Shape{3, 4, 5, 6, 2});
  CHECK(b.at("organ").shape() == Shape{3, 4, 5, 6});
  CHECK(b.at("flow").shape() == Shape{3, 4, 5, 6, 6});
  CHECK(b.at("age").shape() == Shape{3, 1});
  CHECK(b.find("landmarks")->offsets == std::vector<int64_t>{0, 2, 4, 6});
  CHECK(same(b.at("landmarks").rows(0, 2), plain.at("landmarks")));
  CHECK(b.find("lesions")->offsets == std::vector<int64_t>{0, 1, 1, 2});  // the second patch is far from any
  CHECK(same(b.at("lesions").rows(0, 1), plain.at("lesions")));
  CHECK(!b.find("image"));
  CHECK(refuses([&] { b.at("mask"); }, {"\"mask\"", "label", "flow"}));
}

TEST_CASE("samples that are not what they should be are named") {
  const auto with = [](const char* name, DataKind kind, const Tensor& data) {
    Sample s = sample_of(Tensor::zeros({4, 4, 4, 1}));
    s.fields.push_back({name, kind, data});
    return s;
  };
  const auto cut = [](const Sample& s) { return [s] { extract_patch(s, {.centre = {1.5, 1.5, 1.5}}, {2, 2, 2}); }; };
  CHECK(refuses(cut({}), {"without an image"}));
  CHECK(refuses(cut(with("a", DataKind::labels, Tensor::zeros({4, 4, 4}))), {"a label u8"}));
  CHECK(refuses(cut(with("a", DataKind::vectors, Tensor::zeros({4, 4, 4, 4}))), {"vectors f32", "{4, 4, 4, 4}"}));
  CHECK(refuses(cut(with("a", DataKind::points, Tensor::zeros({4, 2}))), {"points f32"}));
  CHECK(refuses(cut(with("a", DataKind::boxes, Tensor::zeros({4, 3}))), {"boxes f32"}));
  CHECK(refuses(cut(with("a", DataKind::values, Tensor::zeros({4}, DType::u8))), {"values f32 or i32"}));
  CHECK(refuses(cut(with("image", DataKind::values, Tensor::zeros({4}))), {"two fields", "\"image\""}));
  CHECK(refuses(cut(with("a", DataKind::image, Tensor::zeros({4, 4, 5, 1}))), {"\"a\"", "4x4x5"}));
  const PatchPose flat{.centre = {1, 1, 1}, .matrix = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 0}}}};
  CHECK(refuses([&] { extract_patch(with("a", DataKind::points, Tensor::zeros({1, 3})), flat, {2, 2, 2}); }, {"cannot be undone"}));
  const Sample one = with("a", DataKind::values, Tensor::zeros({3})), two = with("a", DataKind::values, Tensor::zeros({4}));
  CHECK(refuses([&] { augmented_batch({{one, {{1, 1, 1}, {2, 2, 2}}, Rng()}, {two, {{1, 1, 1}, {2, 2, 2}}, Rng()}}, {}); },
                {"\"a\"", "{3}", "{4}"}));
}
