#include "augment/synthesis/synthesis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <unordered_map>

#include "augment/phantom/phantom_canvas.h"
#include "augment/pose.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

bool holds(const std::vector<int>& labels, int label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

struct LabelBox {
  Int3 first = {0, 0, 0}, last = {-1, -1, -1};
  bool empty() const { return last.d < first.d; }
};

LabelBox box_of_label(const Tensor& labels, int label) {
  const Shape s = labels.shape();
  const int32_t* v = labels.view().as<int32_t>();
  LabelBox box{.first = {int(s[0]), int(s[1]), int(s[2])}};
  for (int d = 0; d < s[0]; ++d)
    for (int h = 0; h < s[1]; ++h) {
      const int32_t* row = v + (int64_t(d) * s[1] + h) * s[2];
      const int32_t* const end = row + s[2];
      const int32_t* at = std::find(row, end, label);
      if (at == end) continue;
      const int32_t* from = end;
      while (*(from - 1) != label) --from;
      const int low[3] = {d, h, int(at - row)}, high[3] = {d, h, int(from - row) - 1};
      for (int a = 0; a < 3; ++a) {
        box.first[a] = std::min(box.first[a], low[a]);
        box.last[a] = std::max(box.last[a], high[a]);
      }
    }
  return box;
}

Matrix3 rotation(const Double3& radians) {
  Matrix3 r = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  for (int a = 0; a < 3; ++a) {
    const int i = (a + 1) % 3, j = (a + 2) % 3;
    const double c = std::cos(radians[size_t(a)]), s = std::sin(radians[size_t(a)]);
    Matrix3 m = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    m[size_t(i)][size_t(i)] = m[size_t(j)][size_t(j)] = c;
    m[size_t(i)][size_t(j)] = -s;
    m[size_t(j)][size_t(i)] = s;
    r = product(r, m);
  }
  return r;
}

double drawn(const Range& r, Rng& rng) { return rng.uniform(r.low, r.high); }

// What an image shows of a map: `size` voxels about `centre`, a step of one of them being the matrix's columns in voxels of the map.
struct Shown {
  Int3 size;
  Double3 centre;
  Matrix3 matrix;
};

Shown draw_pose(const LabelVolume& map, const LabelBox& box, const SynthesisOptions& o, Rng rng) {
  const double scale = drawn(o.scale, rng);
  Double3 radians, factor;
  for (size_t a = 0; a < 3; ++a) radians[a] = rng.uniform(-1, 1) * o.rotation_degrees * std::numbers::pi / 180;
  for (size_t a = 0; a < 3; ++a) factor[a] = scale * std::exp(o.stretch * rng.normal());
  Shown s{.matrix = rotation(radians)};
  for (int a = 0; a < 3; ++a) {
    const size_t i = size_t(a);
    double before = 0, after = 0;
    if (!o.objects.empty()) {
      before = drawn(o.margin_mm, rng) / map.spacing_mm[i];
      after = drawn(o.margin_mm, rng) / map.spacing_mm[i];
    }
    const double extent = (box.last[a] - box.first[a] + 1) * (o.objects.empty() ? 1 : factor[i]);
    s.size[a] = std::max(1, int(std::lround(extent + before + after)));
    s.centre[i] = 0.5 * (box.first[a] + box.last[a]) + 0.5 * (after - before) / factor[i];
  }
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) s.matrix[i][j] *= map.spacing_mm[j] / (map.spacing_mm[i] * factor[j]);
  return s;
}

// The labels at the places of a smoothly deformed grid, 0 outside the map.
std::vector<int32_t> deformed_labels(const LabelVolume& map, const Shown& shown, const SynthesisOptions& o, Rng rng) {
  const Int3 n = shown.size;
  const Shape s = map.labels.shape();
  Double3 cells;
  for (int a = 0; a < 3; ++a) cells[size_t(a)] = std::clamp(n[a] * map.spacing_mm[size_t(a)] / o.deformation_reach_mm, 1.0, 64.0);
  Tensor fields[3];
  const float* moved[3];
  for (int a = 0; a < 3; ++a) {
    fields[a] = smooth_noise(n, cells, rng.split());
    moved[a] = fields[a].view().as<float>();
  }
  const int32_t* from = map.labels.view().as<int32_t>();
  std::vector<int32_t> out(size_t(n.d) * size_t(n.h) * size_t(n.w));
  parallel_for(n.d, 1, [&](int64_t d) {
    for (int64_t h = 0; h < n.h; ++h)
      for (int64_t w = 0; w < n.w; ++w) {
        const int64_t i = (d * n.h + h) * n.w + w;
        Double3 g = {double(d) - 0.5 * (n.d - 1), double(h) - 0.5 * (n.h - 1), double(w) - 0.5 * (n.w - 1)};
        for (size_t a = 0; a < 3; ++a) g[a] += o.deformation_mm / map.spacing_mm[a] * double(moved[a][i]);
        const Double3 p = product(shown.matrix, g);
        int64_t at[3];
        bool inside = true;
        for (int a = 0; a < 3; ++a) {
          at[a] = std::llround(p[size_t(a)] + shown.centre[size_t(a)]);
          inside = inside && at[a] >= 0 && at[a] < s[a];
        }
        out[size_t(i)] = inside ? from[(at[0] * s[1] + at[1]) * s[2] + at[2]] : 0;
      }
  });
  return out;
}

// The axis of a direction and whether its numbers grow that way.
std::pair<int, bool> axis_of(const std::string& towards) {
  constexpr std::array<const char*, 6> names = {"superior", "inferior", "anterior", "posterior", "right", "left"};
  const auto at = std::find(names.begin(), names.end(), towards) - names.begin();
  check(at < 6, "SynthesisTarget: towards is \"", towards, "\", superior, inferior, anterior, posterior, right or left is wanted");
  return {int(at / 2), at % 2 == 0};
}

// The places between which all but a two-hundredth at either end lies, since maps have stray voxels.
std::pair<int, int> extent_of(const std::vector<int64_t>& voxels, int64_t all) {
  const int64_t stray = all / 200;
  size_t low = 0, high = voxels.size() - 1;
  for (int64_t n = voxels[low]; n <= stray && low < high; n += voxels[low]) ++low;
  for (int64_t n = voxels[high]; n <= stray && high > low; n += voxels[high]) --high;
  return {int(low), int(high)};
}

// Marks voxels of a target with its number.
void mark_target(const SynthesisTarget& t, int number, const SynthesisOptions& o, int object, double moved,
                 const std::vector<int32_t>& labels, const Int3& size, uint8_t* out) {
  const auto counts = [&](int32_t l) { return holds(t.labels, l) && (l == object || !holds(o.objects, l)); };
  const auto [axis, grows] = t.towards.empty() ? std::pair{0, true} : axis_of(t.towards);
  const int64_t strides[] = {int64_t(size.h) * size.w, size.w, 1};
  const auto place = [&](size_t i) { return int(int64_t(i) / strides[axis] % size[axis]); };
  std::vector<int64_t> voxels(static_cast<size_t>(size[axis]));
  int64_t all = 0;
  for (size_t i = 0; i < labels.size(); ++i)
    if (counts(labels[i])) ++voxels[size_t(place(i))], ++all;
  const auto [low, high] = extent_of(voxels, all);
  const auto boundary = [&](double v) { return v == 0 || v == 1 ? v : v + moved; };
  const double from = boundary(t.from), to = boundary(t.to);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!counts(labels[i])) continue;
    const double part = std::clamp((place(i) - low + 0.5) / (high - low + 1), 0.0, 1.0), along = grows ? part : 1 - part;
    if (along >= from && (along < to || to == 1)) out[i] = uint8_t(number);
  }
}

// Every label's own mean and deviation, drawn when it is first met: in the order of the labels, not of the voxels.
struct Look {
  float mean, deviation;
};
std::unordered_map<int32_t, Look> draw_looks(const std::vector<int32_t>& labels, const SynthesisOptions& o, const Rng& rng) {
  std::vector<int32_t> present = labels;
  std::sort(present.begin(), present.end());
  present.erase(std::unique(present.begin(), present.end()), present.end());
  std::unordered_map<int32_t, Look> out;
  for (const int32_t label : present) {
    Rng own = rng.at(1, uint64_t(label));
    size_t k = 0;
    while (k < o.tissues.size() && !holds(o.tissues[k].labels, label)) ++k;
    const bool other = k == o.tissues.size();
    const SynthesisTissue& tissue = other ? o.others : o.tissues[k];
    Rng shared = rng.at(0, k);
    const double mean = drawn(tissue.mean, other ? own : shared);
    out[label] = {float(mean + o.label_variation * own.normal()), float(drawn(tissue.deviation, own))};
  }
  return out;
}

}  // namespace

SyntheticImage synthesize(const LabelVolume& map, const SynthesisOptions& o, Rng rng) {
  check(map.labels && map.labels.dtype() == DType::i32 && map.labels.shape().rank == 3 && map.labels.count() > 0,
        "synthesize: labels i32 {D, H, W} are wanted, not ", map.labels);
  int object = -1;
  LabelBox box{.last = {int(map.labels.dim(0)) - 1, int(map.labels.dim(1)) - 1, int(map.labels.dim(2)) - 1}};
  Rng choice = rng.at(0), look = rng.at(3);
  std::vector<int> open = o.objects;
  while (!open.empty()) {
    const auto at = open.begin() + choice.below(int64_t(open.size()));
    object = *at;
    box = box_of_label(map.labels, object);
    if (!box.empty()) break;
    open.erase(at);
  }
  check(!box.empty(), "synthesize: a map has none of the ", o.objects.size(), " objects");
  const Shown shown = draw_pose(map, box, o, rng.at(1));
  const std::vector<int32_t> labels = deformed_labels(map, shown, o, rng.at(2));

  const Int3 n = shown.size;
  SyntheticImage out{Tensor::empty({n.d, n.h, n.w, 1}, DType::f32), Tensor::zeros({n.d, n.h, n.w}, DType::u8)};
  const double moved = o.boundary_variation * look.normal();
  for (size_t k = 0; k < o.targets.size(); ++k)
    mark_target(o.targets[k], int(k) + 1, o, object, moved, labels, n, out.label.view().as<uint8_t>());

  const auto looks = draw_looks(labels, o, rng.at(4));
  float* x = out.image.view().as<float>();
  Rng voxels = rng.at(5);
  for (size_t i = 0; i < labels.size(); ++i) {
    const Look& l = looks.at(labels[i]);
    x[i] = l.mean + l.deviation * float(voxels.normal());
  }
  phantom::Imaging imaging{.bias = drawn(o.bias, look), .noise = drawn(o.noise, look)};
  const double sigma = drawn(o.blur_mm, look);
  for (size_t a = 0; a < 3; ++a) imaging.blur[a] = sigma / map.spacing_mm[a];
  phantom::take_image(out.image, imaging, look.split());
  return out;
}

}  // namespace voxgrad
