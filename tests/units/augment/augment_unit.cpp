#include <algorithm>
#include <cmath>
#include <map>

#include "tests/sample_helpers.h"

using namespace voxgrad;

namespace {

// The definition of extract_patch, voxel by voxel in double.
Sample reference_patch(const Sample& v, const PatchPose& pose, Int3 patch, const ResampleOptions& o) {
  const Int3 size = volume_size(v.image());
  const int64_t channels = v.image().dim(3);
  const Sample out = sample_of(Tensor::empty({patch.d, patch.h, patch.w, channels}), Tensor::empty({patch.d, patch.h, patch.w}, DType::u8));
  const auto x = v.image().data<float>();
  const auto l = v.at("label").data<uint8_t>();
  int64_t at = 0;
  for (int i = 0; i < patch.d; ++i)
    for (int j = 0; j < patch.h; ++j)
      for (int k = 0; k < patch.w; ++k, ++at) {
        const int index[3] = {i, j, k};
        double place[3], f[3];
        int64_t low[3];
        for (int a = 0; a < 3; ++a) {
          place[a] = pose.centre[size_t(a)];
          for (int b = 0; b < 3; ++b) {
            const int m = pose.mirror[size_t(b)] ? patch[b] - 1 - index[b] : index[b];
            place[a] += pose.matrix[size_t(a)][size_t(b)] * (m - (patch[b] - 1) / 2.0);
          }
          low[a] = int64_t(std::floor(place[a]));
          f[a] = place[a] - double(low[a]);
        }
        std::vector<double> value(size_t(channels), 0.0);
        std::map<int, double> votes;
        int nearest = 0;
        double heaviest = -1;
        for (int tap = 0; tap < 8; ++tap) {
          double weight = 1;
          bool outside = false;
          int64_t source = 0;
          for (int a = 0; a < 3; ++a) {
            const int upper = tap >> (2 - a) & 1;
            weight *= upper ? f[a] : 1 - f[a];
            const int64_t p = low[a] + upper;
            outside |= p < 0 || p >= size[a];
            source = source * size[a] + std::clamp<int64_t>(p, 0, size[a] - 1);
          }
          for (int64_t c = 0; c < channels; ++c)
            if (!outside || o.border == Border::edge) value[size_t(c)] += weight * double(x[size_t(source * channels + c)]);
          const int label = outside ? o.outside_label : l[size_t(source)];
          votes[label] += weight;
          if (weight > heaviest) heaviest = weight, nearest = label;
        }
        for (int64_t c = 0; c < channels; ++c) out.image().mutable_data<float>()[size_t(at * channels + c)] = float(value[size_t(c)]);
        int best = votes.begin()->first;
        for (const auto& [label, weight] : votes)
          if (weight > votes[best]) best = label;
        out.at("label").mutable_data<uint8_t>()[size_t(at)] = uint8_t(o.label == LabelSampling::nearest ? nearest : best);
      }
  return out;
}

PatchPose rotated(const Double3& centre, uint64_t seed) {
  return random_pose(centre, {.rotation_probability = 1, .scaling_probability = 1, .same_scale_on_all_axes = false}, Rng(seed));
}

}  // namespace

TEST_CASE("extract_patch follows its definition for rotated poses, borders, channels and every instruction set") {
  for (Isa i : isas()) {
    const IsaScope scope(i);
    for (int channels : {1, 2, 3, 4}) {
      const Sample v = random_sample({13, 17, 21}, channels, 5);
      int poses = 0;
      for (uint64_t seed = 0; seed < 6; ++seed) {
        PatchPose pose = rotated({6.3 + 2.0 * double(seed), 8.1, 10.7 - 3.0 * double(seed)}, seed);
        pose.mirror = {seed % 2 == 0, seed % 3 == 0, seed % 3 == 1};
        const ResampleOptions o{.border = seed % 2 ? Border::edge : Border::zeros,
                                .label = seed % 3 == 2 ? LabelSampling::nearest : LabelSampling::linear,
                                .outside_label = seed == 4 ? 255 : 0};
        const Sample got = extract_patch(v, pose, {9, 12, 19}, o), want = reference_patch(v, pose, {9, 12, 19}, o);
        // Coordinates carry 2^-23 of a row's extent, about 3e-6 voxels; values differ by a few units between neighbours.
        CHECK(!(difference(got.image(), want.image()) > 5e-5));
        int64_t differ = 0;
        for (int64_t k = 0; k < got.at("label").count(); ++k)
          differ += got.at("label").data<uint8_t>()[size_t(k)] != want.at("label").data<uint8_t>()[size_t(k)];
        CHECK(differ <= 2);  // ties within rounding
        ++poses;
      }
      CHECK(poses == 6);
    }
  }
}

TEST_CASE("extract_patch copies whole voxels exactly, mirrored or not, also beyond the volume") {
  const Sample v = random_sample({7, 9, 11}, 2, 1);
  for (int m = 0; m < 8; ++m)
    for (Int3 patch : {Int3{4, 5, 6}, Int3{10, 5, 16}, Int3{8, 12, 11}}) {
      PatchPose pose{.mirror = {(m & 1) != 0, (m & 2) != 0, (m & 4) != 0}};
      for (int a = 0; a < 3; ++a) pose.centre[size_t(a)] = 1 + a + (patch[a] - 1) / 2.0;
      for (Border border : {Border::zeros, Border::edge}) {
        const ResampleOptions o{.border = border, .outside_label = 7};
        const Sample got = extract_patch(v, pose, patch, o), want = reference_patch(v, pose, patch, o);
        CHECK(same(got.image(), want.image()));
        CHECK(same(got.at("label"), want.at("label")));
      }
    }
  // Far away there is nothing.
  CHECK(same(extract_patch(v, {.centre = {1e6, 0, 0}}, {2, 2, 2}).image(), Tensor::zeros({2, 2, 2, 2})));
}

TEST_CASE("extract_patch takes flat volumes, fractions of a voxel and samples without a label") {
  const Sample flat = random_sample({1, 20, 24}, 1, 2);
  const PatchPose turned = random_pose(
      {0, 9.5, 11.5},
      [] {
        SpatialOptions o = spatial_options_for({1, 16, 16});
        o.rotation_probability = o.scaling_probability = 1;
        return o;
      }(),
      Rng(3));
  const Sample got = extract_patch(flat, turned, {1, 16, 16}), want = reference_patch(flat, turned, {1, 16, 16}, {});
  CHECK(!(difference(got.image(), want.image()) > 5e-5));
  CHECK(!(difference(got.image(), Tensor::zeros({1, 16, 16, 1})) < 1));

  const Sample v = random_sample({6, 6, 6}, 1, 4);
  const PatchPose half{.centre = {2.5, 3, 3.25}};
  CHECK(!(difference(extract_patch(v, half, {3, 3, 3}).image(), reference_patch(v, half, {3, 3, 3}, {}).image()) > 1e-6));
  const Sample bare = extract_patch(sample_of(v.image()), half, {3, 3, 3});
  CHECK(!bare.find("label"));
  CHECK(same(bare.image(), extract_patch(v, half, {3, 3, 3}).image()));
}

TEST_CASE("a label is interpolated as its one-hot images, the largest wins") {
  // Along W: 1 1 2 3. Between 1 and 2 at fraction 0.4 label 1 has 0.6; of equals the lower label is taken.
  const Sample v = sample_of(Tensor::zeros({1, 1, 4, 1}), Tensor::from({1, 1, 2, 3}, {1, 1, 4}, DType::u8));
  const auto at = [&](double w) { return int(extract_patch(v, {.centre = {0, 0, w}}, {1, 1, 1}).at("label").item()); };
  CHECK(at(1.4) == 1);
  CHECK(at(1.6) == 2);
  CHECK(at(2.5) == 2);
  CHECK(at(2.75) == 3);
  CHECK(at(3.25) == 3);
  CHECK(at(3.75) == 0);
}

TEST_CASE("random poses: probabilities, ranges, rigid rotations, slices") {
  int rotations = 0, scalings = 0, both = 0;
  double least = 9, most = 0;
  for (uint64_t k = 0; k < 4000; ++k) {
    const PatchPose p = random_pose({1, 2, 3}, {}, Rng(k));
    const auto& m = p.matrix;
    double norm[3];
    for (size_t b = 0; b < 3; ++b) norm[b] = std::sqrt(m[0][b] * m[0][b] + m[1][b] * m[1][b] + m[2][b] * m[2][b]);
    CHECK(std::abs(norm[0] - norm[1]) < 1e-12);
    CHECK(std::abs(norm[0] - norm[2]) < 1e-12);
    CHECK(std::abs(m[0][0] * m[0][1] + m[1][0] * m[1][1] + m[2][0] * m[2][1]) < 1e-12);
    const bool scales = std::abs(norm[0] - 1) > 1e-9, rotates = m[0][1] != 0;
    rotations += rotates, scalings += scales, both += rotates && scales;
    least = std::min(least, norm[0]), most = std::max(most, norm[0]);
  }
  // Binomial with p = 0.2: a standard deviation of 25.3; five of them.
  CHECK(std::abs(rotations - 800) < 127);
  CHECK(std::abs(scalings - 800) < 127);
  CHECK(std::abs(both - 160) < 62);
  CHECK((least >= 0.7 && least < 0.71 && most <= 1.4 && most > 1.39));

  // In a space with voxels of 1 x 1 x 3 the matrix, seen in millimetres, is a rotation.
  const PatchPose p = random_pose({0, 0, 0}, {.rotation_probability = 1, .scaling_probability = 0, .spacing = {3, 1, 1}}, Rng(1));
  const double mm[3] = {3, 1, 1};
  for (size_t b = 0; b < 3; ++b) {
    double squared = 0;
    for (size_t a = 0; a < 3; ++a) squared += std::pow(mm[a] * p.matrix[a][b] / mm[b], 2);
    CHECK(std::abs(squared - 1) < 1e-12);
  }

  SpatialOptions o = spatial_options_for({16, 128, 112});
  CHECK(o.slice_axis == 0);
  CHECK(o.rotation_degrees == Double3{180, 0, 0});
  o.rotation_probability = o.scaling_probability = 1;
  const auto slices = random_pose({0, 0, 0}, o, Rng(2)).matrix;
  CHECK((slices[0] == Double3{1, 0, 0} && slices[1][0] == 0 && slices[2][0] == 0 && slices[1][2] != 0));
  CHECK(spatial_options_for({128, 40, 120}).slice_axis == 1);
  CHECK(spatial_options_for({40, 56, 40}).slice_axis == -1);
  CHECK(spatial_options_for({1, 256, 256}).rotation_degrees[0] == 180);
  CHECK(spatial_options_for({1, 256, 128}).rotation_degrees[0] == 15);
}

TEST_CASE("augment is a function of its arguments: no threads, no changes to what it is given") {
  const Sample v = random_sample({40, 44, 52}, 2, 8);
  const Sample before = copy_of(v);
  Augmentation all;
  for (const char* key : {"rotation", "scaling", "noise", "blur", "brightness", "contrast", "low_resolution", "inverted_gamma", "gamma"})
    all.set({{key, 1}});
  const PatchPlace place{{19.5, 21.5, 25.5}, {32, 36, 40}};
  std::vector<Sample> patches, augmented;
  for (int n : {1, 2, 3}) {
    const Threads scope(n);
    patches.push_back(augmented_patch(v, place, all, Rng(3)));
    augmented.push_back(augment(v, all, Rng(4)));
  }
  for (int n : {1, 2}) {
    CHECK(same(patches[0].image(), patches[size_t(n)].image()));
    CHECK(same(patches[0].at("label"), patches[size_t(n)].at("label")));
    CHECK(same(augmented[0].image(), augmented[size_t(n)].image()));
  }
  CHECK(same(v.image(), before.image()));
  CHECK(same(v.at("label"), before.at("label")));
  CHECK(!same(patches[0].image(), augmented_patch(v, place, all, Rng(5)).image()));
  for (double x : patches[0].image().values()) REQUIRE(std::isfinite(x));

  // Everything off: the very patch.
  const Sample plain = augmented_patch(v, place, no_augmentation(), Rng(3));
  CHECK(same(plain.image(), extract_patch(v, {.centre = place.centre}, place.size).image()));
  CHECK(same(augment(v, no_augmentation(), Rng(3)).image(), v.image()));
}

TEST_CASE("augment mirrors image and label alike, half the time on each axis") {
  const Sample v = random_sample({3, 4, 5}, 1, 9);
  Augmentation o;
  o.order = {"mirror"};
  int seen[8] = {};
  for (uint64_t k = 0; k < 400; ++k) {
    const Sample got = augment(v, o, Rng(k));
    int matches = 0;
    for (int m = 0; m < 8; ++m) {
      const Sample want = mirror(v, {(m & 1) != 0, (m & 2) != 0, (m & 4) != 0});
      if (same(got.image(), want.image()) && same(got.at("label"), want.at("label"))) ++seen[m], ++matches;
    }
    REQUIRE(matches == 1);
  }
  for (int m = 0; m < 8; ++m) CHECK(std::abs(seen[m] - 50) < 34);  // binomial, standard deviation 6.6
  o.options<MirrorOptions>("mirror").axes = {false, false, true};
  for (uint64_t k = 0; k < 20; ++k) {
    const Sample got = augment(v, o, Rng(k));
    CHECK((same(got.image(), v.image()) || same(got.image(), mirror(v, {false, false, true}).image())));
  }
}

TEST_CASE("bad options and samples are named") {
  const Sample v = random_sample({4, 4, 4}, 1, 1);
  Augmentation o;
  o.options<GammaCurveOptions>("gamma").probability = 1.5;
  CHECK(refuses([&] { augment(v, o, Rng(0)); }, {"gamma", "1.5"}));
  o = {};
  o.options<NoiseOptions>("noise").sigma = {0.2, 0.1};
  CHECK(refuses([&] { augment(v, o, Rng(0)); }, {"noise_sigma"}));
  CHECK(refuses([&] { extract_patch(sample_of(v.image(), Tensor::zeros({4, 4, 5}, DType::u8)), {}, {2, 2, 2}); }, {"4x4x4", "4x4x5"}));
  CHECK(refuses([&] { extract_patch(sample_of(Tensor::zeros({4, 4, 4})), {}, {2, 2, 2}); }, {"{4, 4, 4}"}));
  CHECK(refuses([&] { extract_patch(v, {}, {0, 2, 2}); }, {"0x2x2"}));
  CHECK(refuses([&] { extract_patch(v, {.centre = {NAN, 0, 0}}, {2, 2, 2}); }, {"nan"}));
  CHECK(refuses([&] { gaussian_blur(v.image(), 1, {1, 1, 1}); }, {"channel 1"}));
  CHECK(refuses([&] { adjust_gamma(v.image(), 0, {.gamma = 0}); }, {"gamma"}));
}
