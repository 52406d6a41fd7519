// Probabilities of voxels: written beside masks, averaged, evaluated.
#include <cmath>

#include "core/rng.h"
#include "io/image.h"
#include "io/zip.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/random/random.h"
#include "kernels/softmax/softmax.h"
#include "tasks/segmentation/ensemble_files.h"
#include "tasks/segmentation/evaluate_files.h"
#include "tasks/segmentation/probability_rows.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Of a file {6, 5, 4} whose axes run to the left, up and back, of which the network sees a part.
Geometry turned_geometry() {
  Geometry g;
  g.affine.m = {{{-1, 0, 0, 5}, {0, 0, -2, 6}, {0, 3, 0, 7}, {0, 0, 0, 1}}};
  g.orientation = orientation_of(g.affine);
  const int64_t file[3] = {6, 5, 4};
  for (int a = 0; a < 3; ++a) g.canonical[a] = int(file[g.orientation.axis[size_t(a)]]);
  g.box = g.working = {g.canonical.d - 1, g.canonical.h - 2, g.canonical.w};
  g.box_begin = {1, 1, 0};
  return g;
}

// {D, H, W} of channel k, in the file's axes.
std::vector<double> plane(const Tensor& of_box, const Geometry& g, int64_t k, float outside) {
  Tensor one = Tensor::empty({g.box.d, g.box.h, g.box.w, 1});
  for (int64_t v = 0; v < one.count(); ++v) one.view().as<float>()[v] = of_box.view().as<float>()[v * of_box.dim(3) + k] - outside;
  std::vector<double> out = in_file_axes(one, g).data.values();
  for (double& x : out) x += outside;
  return out;
}

fs::path write_planes(const fs::path& file, const std::vector<double>& values, const Shape& shape, const Affine& affine) {
  NumpyPlanesWriter w(file, "probabilities", shape, affine);
  const Tensor all = Tensor::from(values, shape);
  for (int64_t k = 0; k < shape[0]; ++k) w.put(k, {0, 0, 0}, all.rows(k, k + 1).reshape({shape[1], shape[2], shape[3]}));
  w.commit();
  return file;
}

}  // namespace

TEST_CASE("probabilities are the softmax or sigmoid of logits in the axes of the file; beyond the box is background") {
  const TemporaryFolder folder;
  const Geometry g = turned_geometry();
  const Tensor logits = randn({g.box.d, g.box.h, g.box.w, 3}, Rng(1), {.deviation = 2});
  LabelMap regions;
  regions.regions = {{"a", {1}, 1}, {"b", {2}, 2}, {"c", {3}, 3}};
  for (const LabelMap& map : {LabelMap{}, regions}) {
    const bool classes = map.regions.empty();
    ProbabilityRows rows(folder / "p.npz", g, map);
    const int64_t row = int64_t(g.box.h) * g.box.w * 3;
    rows(0, 2, logits.view().as<float>(), 3);
    rows(2, g.box.d - 2, logits.view().as<float>() + 2 * row, 3);
    rows.file()->commit();
    const Tensor wanted = classes ? softmax(logits) : sigmoid(logits);
    NumpyPlanes got(folder / "p.npz");
    CHECK(got.size() == Int3{6, 5, 4});
    CHECK(got.affine() == g.affine);
    for (int64_t k = 0; k < 3; ++k) {
      const std::vector<double> p = got.next().values(), q = plane(wanted, g, k, classes && k == 0 ? 1 : 0);
      for (size_t i = 0; i < p.size(); ++i) CHECK(close(p[i], q[i], 1e-6));
    }
    // The mask is what the probabilities say.
    const Volume mask = ensemble_files({folder / "p.npz"}, map), direct = restore_labels(logits, g, map);
    CHECK(mask.data.values() == direct.data.values());
    CHECK(mask.affine == direct.affine);
  }
}

TEST_CASE("an ensemble takes the class with the largest mean, the first of equal ones, and regions above one half") {
  const TemporaryFolder folder;
  const Affine affine = Affine::scaling({1, 2, 3});
  fs::create_directories(folder / "a");
  fs::create_directories(folder / "b");
  // Four voxels, two classes and the background.
  const std::vector<double> a = {0.6, 0.2, 0.5, 0.1, 0.4, 0.7, 0.5, 0.2, 0, 0.1, 0, 0.7};
  const std::vector<double> b = {0.2, 0.2, 0.5, 0.8, 0.8, 0.1, 0.5, 0.1, 0, 0.7, 0, 0.1};
  const Shape shape = {3, 1, 1, 4};
  const fs::path first = write_planes(folder / "a/c.npz", a, shape, affine), second = write_planes(folder / "b/c.npz", b, shape, affine);
  // Means: 0.4 0.2 0.5 0.45 | 0.6 0.4 0.5 0.15 | 0 0.4 0 0.4
  const Volume mask = ensemble_files({first, second}, {}, folder / "mean.npz");
  CHECK(mask.data.values() == std::vector<double>{1, 1, 0, 0});
  CHECK(mask.affine == affine);
  NumpyPlanes mean(folder / "mean.npz");
  CHECK(close(mean.next().values()[0], 0.4, 1e-6));
  LabelMap map;
  map.regions = {{"x", {1, 2, 3}, 1}, {"y", {2, 3}, 2}, {"z", {3}, 3}};
  CHECK(ensemble_files({first, second}, map).data.values() == std::vector<double>{2, 0, 0, 0});
  // As nnU-Net writes them: a mask says where they lie.
  write_volume(folder / "a/c.npz", {Tensor::from({0.1, 0.9, 0.9, 0.1}, {1, 1, 2, 2}), affine});
  write_volume(folder / "b/d.npz", {Tensor::from({0.1, 0.9, 0.9, 0.1}, {1, 1, 2, 2}), Affine::scaling({1, 2, 4})});
  CHECK_THROWS_WITH(ensemble_files({folder / "a/c.npz", folder / "b/d.npz"}), Contains("another grid"));
  CHECK_THROWS_WITH(ensemble_files({folder / "a/c.npz", second}), Contains("3 channels of 1x1x4"));
  write_volume(folder / "b/e.npy", {Tensor::from({0.1, 0.9, 0.9, 0.1}, {1, 1, 2, 2}), affine});
  CHECK_THROWS_WITH(ensemble_files({folder / "b/e.npy"}), Contains("no mask of its name"));
  write_volume(folder / "b/e.nii", {Tensor::zeros({1, 1, 2, 1}, DType::u8), affine});
  CHECK(ensemble_files({folder / "b/e.npy"}).data.values() == std::vector<double>{1, 0});
}

TEST_CASE("probabilities beside masks are no masks, and are evaluated where they say or as their mask lies") {
  const TemporaryFolder folder;
  for (const char* name : {"masks", "labels"}) fs::create_directories(folder / name);
  const Affine affine = Affine::scaling({1, 2, 3});
  write_volume(folder / "labels" / "c.nii", {Tensor::from({0, 1, 1, 0}, {1, 1, 4, 1}).to(DType::u8), affine});
  write_volume(folder / "masks" / "c.nii", {Tensor::from({0, 1, 0, 0}, {1, 1, 4, 1}).to(DType::u8), affine});
  const std::vector<double> p = {1, 0.5, 0.75, 1, 0, 0.5, 0.25, 0};
  write_planes(folder / "masks" / "c.npz", p, {2, 1, 1, 4}, affine);
  EvaluateOptions o{.metrics = {"brier"}, .probabilities = folder / "masks"};
  const double wanted = (0.25 + 0.75 * 0.75) / 4;
  const Evaluation e = evaluate_files(folder / "masks", folder / "labels", o);
  CHECK(close(e.cases.at(0).classes.at(0).more.at(0), wanted, 1e-6));
  fs::remove(folder / "masks" / "c.npz");
  write_volume(folder / "c.npy", {Tensor::from({1, 0, 0.5, 0.5, 0.75, 0.25, 1, 0}, {1, 1, 4, 2}), {}});
  ZipWriter zip(folder / "masks" / "c.npz");
  zip.begin("probabilities.npy");
  const std::string bytes = file_bytes(folder / "c.npy");
  zip.write(std::as_bytes(std::span(bytes)));
  zip.commit();
  CHECK(close(evaluate_files(folder / "masks", folder / "labels", o).cases.at(0).classes.at(0).more.at(0), wanted, 1e-6));
}
