#include "data/fingerprint.h"

#include <algorithm>
#include <cmath>

#include "data/case_store.h"
#include "data/cases_in_parallel.h"
#include "data/normalize.h"
#include "io/image.h"

namespace voxgrad {
namespace {

constexpr int64_t kVoxelsPerCase = 10000;

// At most about kVoxelsPerCase foreground values of a channel, evenly spread over the foreground of the case, without what is ignored.
// Without labels, of the whole case.
void sample_foreground(const Tensor& image, const Field* label, int ignore, int64_t channel, std::vector<float>& into) {
  const auto x = image.data<float>();
  const int64_t channels = image.dim(3), voxels = image.count() / channels;
  const uint8_t* l = label ? label->data.data<uint8_t>().data() : nullptr;
  const auto counts = [&](int64_t v) { return !l || (l[v] != 0 && l[v] != ignore); };
  int64_t foreground = 0;
  for (int64_t v = 0; v < voxels; ++v) foreground += counts(v);
  const int64_t step = std::max<int64_t>(1, foreground / kVoxelsPerCase);
  int64_t seen = 0;
  for (int64_t v = 0; v < voxels; ++v)
    if (counts(v) && seen++ % step == 0) into.push_back(x[size_t(v * channels + channel)]);
}

float voxels_of(const Int3& v) { return float(v.d) * float(v.h) * float(v.w); }

const Field* labels_in(const std::vector<Field>& targets) {
  for (auto& f : targets)
    if (f.kind == DataKind::labels) return &f;
  return nullptr;
}

// nnU-Net's CTNormalization: the 0.5 and 99.5 percentiles, mean and standard deviation of the foreground of all cases.
Normalization statistics(std::vector<float> v, Fingerprint::Spread& spread) {
  Normalization n;
  if (v.empty()) return n;
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  spread = {.min = *low, .max = *high};
  double sum = 0, square = 0;
  for (float x : v) sum += x;
  n.mean = sum / double(v.size());
  for (float x : v) square += (x - n.mean) * (x - n.mean);
  n.std = std::sqrt(square / double(v.size()));
  n.low = quantile(v, 0.005), n.high = quantile(v, 0.995);
  spread.median = quantile(v, 0.5);
  return n;
}

}  // namespace

Fingerprint fingerprint(const Dataset& dataset, const std::vector<std::string>& ids, const DataConfig& config, const TargetSource& source,
                        const std::vector<std::string>& labels) {
  Fingerprint out;
  ModelDescription raw;  // no normalisation, the file's own spacing
  raw.channels = dataset.channel_names;
  raw.labels = labels;
  raw.nan = config.nan;
  raw.normalization.assign(raw.channels.size(), {.kind = "none"});
  struct Read {
    Int3 extents, cropped;
    Vec3 spacing;
    std::vector<std::vector<float>> foreground;  // by channel
  };
  std::vector<const DatasetCase*> cases;
  std::vector<std::string> names;
  CaseWork work{.what = "reading", .limit = size_t(config.cache_gb * 1e9)};
  for (auto& c : dataset.cases) {
    if (std::find(ids.begin(), ids.end(), c.id) == ids.end()) continue;
    cases.push_back(&c);
    names.push_back(c.id);
    work.bytes.push_back(bytes_to_prepare(c, {0, 0, 0}));
  }
  std::vector<Read> read(cases.size());
  for_cases(names, work, [&](size_t i) {
    const DatasetCase& c = *cases[i];
    const Volume v = source.training_image(read_case_image(c), raw);
    ModelDescription as_it_is = raw;
    as_it_is.spacing = to_canonical(v).spacing();
    const Preprocessed p = preprocess(v, as_it_is, c.images[0].string());
    const std::vector<Field> targets = source.targets(c, p.geometry, labels);
    read[i] = {p.geometry.canonical, box_of_nonzero(p.image).second, as_it_is.spacing, {}};
    read[i].foreground.resize(raw.channels.size());
    for (size_t k = 0; k < raw.channels.size(); ++k)
      sample_foreground(p.image, labels_in(targets), source.ignored_label(), int64_t(k), read[i].foreground[k]);
  });
  std::vector<std::vector<float>> foreground(raw.channels.size());
  std::vector<float> kept;
  for (const Read& r : read) {
    out.extents.push_back(r.extents);
    out.spacings.push_back(r.spacing);
    out.cropped.push_back(r.cropped);
    kept.push_back(voxels_of(r.cropped) / voxels_of(r.extents));
    for (size_t k = 0; k < foreground.size(); ++k)
      foreground[k].insert(foreground[k].end(), r.foreground[k].begin(), r.foreground[k].end());
  }
  for (auto& values : foreground) {
    out.spread.emplace_back();
    out.foreground.push_back(statistics(std::move(values), out.spread.back()));
  }
  if (!kept.empty()) out.relative_size = quantile(kept, 0.5);
  return out;
}

}  // namespace voxgrad
