#include "tasks/restoration/restoration.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "augment/sample.h"
#include "core/autograd.h"
#include "core/config/json_values.h"
#include "data/resample/resample_nnunet.h"
#include "io/image.h"
#include "kernels/binary/binary.h"

namespace voxgrad {
namespace {

constexpr const char* kClean = "clean";
constexpr const char *kHidden = "hidden", *kSpacing = "spacing";

Tensor sample_of(const Tensor& batch, int64_t n) {
  const Shape s = batch.shape();
  return batch.rows(n, n + 1).reshape({s[1], s[2], s[3], s[4]});
}

// PSNR at hidden voxels alone.
double psnr_at(const Tensor& hidden, const Tensor& image, const Tensor& reference) {
  std::vector<double> a, b;
  const std::vector<double> h = hidden.values(), x = image.values(), y = reference.values();
  const size_t channels = x.size() / h.size();
  for (size_t i = 0; i < x.size(); ++i) {
    if (h[i / channels] == 0) continue;
    a.push_back(x[i]);
    b.push_back(y[i]);
  }
  const Shape s{int64_t(a.size())};
  return psnr(Tensor::from(a, s), Tensor::from(b, s));
}

class RestorationMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    const Field* paired = c.sample.find(kClean);
    const Tensor reference = paired ? paired->data : c.sample.image();
    for (size_t i = 0; i < 2; ++i) {
      const Tensor& image = prediction.at(i).data;
      if (prediction.size() > 2) {
        psnr_[i].push_back(psnr_at(prediction[2].data, image, reference));
        continue;
      }
      const ImageScores s = image_scores(image, reference, {.all = false});
      psnr_[i].push_back(s.psnr), ssim_[i].push_back(s.ssim);
    }
  }
  Scores scores() const override {
    Scores out{.name = "psnr", .text = "PSNR", .value = mean_of(psnr_[0]), .others = {{"psnr_of_input", mean_of(psnr_[1])}}};
    if (!ssim_[0].empty()) out.others.insert(out.others.end(), {{"ssim", mean_of(ssim_[0])}, {"ssim_of_input", mean_of(ssim_[1])}});
    return out;
  }

 private:
  static double mean_of(const std::vector<double>& v) {
    double sum = 0;
    for (double x : v) sum += x;
    return v.empty() ? NAN : sum / double(v.size());
  }
  std::vector<double> psnr_[2], ssim_[2];  // of the restored image and of what the network saw
};

// One for each factor above 1, along the axes that have it.
std::vector<Degradation> low_resolution_by(const std::vector<double>& factors) {
  std::vector<Degradation> out;
  for (int a = 0; a < 3; ++a) {
    const double f = factors[size_t(a)];
    const auto same = std::find_if(out.begin(), out.end(), [&](const Degradation& d) { return d.strength.low == f; });
    if (f == 1) continue;
    if (same != out.end()) same->axes.push_back(a);
    else out.push_back({.kind = "low_resolution", .strength = {f, f}, .axes = {a}});
  }
  return out;
}

// The two images of each sample change places as a coin says.
Batch exchanged(const Batch& batch, const Rng& rng) {
  const Tensor a = batch.image.clone(), b = batch.at(kClean).clone();
  for (int64_t n = 0; n < a.dim(0); ++n) {
    if (!rng.at(uint64_t(n)).coin(0.5)) continue;
    a.rows(n, n + 1).copy_from(batch.at(kClean).rows(n, n + 1));
    b.rows(n, n + 1).copy_from(batch.image.rows(n, n + 1));
  }
  return {a, {{kClean, DataKind::image, b}}};
}

}  // namespace

Restoration::Restoration(const RestorationOptions& options) : options_(options) {
  if (options_.upscale.empty()) options_.upscale = {1, 1, 1};
  check(options_.upscale.size() == 3 && std::all_of(options_.upscale.begin(), options_.upscale.end(), [](double f) { return f >= 1; }),
        "restoration.upscale: three factors from 1 are wanted, [depth, height, width]");
  check(finer().empty() || options_.learns == "degraded" || options_.learns == "pairs", "restoration.upscale: ", options_.learns,
        " learns on the grid of the files; degraded and pairs can learn finer ones");
  if (options_.degradations.empty()) options_.degradations = low_resolution_by(options_.upscale);
  if (options_.degradations.empty()) options_.degradations = {{.kind = "gaussian", .strength = options_.noise}};
  check(!blind() || is_of_voxels(options_.loss), "restoration.loss: ", options_.learns, " learns from a few voxels by themselves, for ",
        "which l1, l2 and charbonnier are possible");
}

// "restoration.upscale=[2,2,2]"; empty without one.
std::string Restoration::finer() const {
  std::ostringstream o;
  for (double f : options_.upscale) o << (o.tellp() > 0 ? "," : "") << f;
  return o.str() == "1,1,1" ? "" : "restoration.upscale=[" + o.str() + "]";
}

std::string Restoration::decides_targets() const {
  if (in_mm()) return Json(kSpacing).dump();
  return !paired() ? "" : Json(finer().empty() ? "pairs" : "pairs, " + finer()).dump();
}

std::vector<std::string> Restoration::outputs(const Dataset& d) const {
  for (const DatasetCase& c : d.cases)
    check(!paired() || !c.label.empty(), "restoration.learns=", options_.learns, ": the case ", c.id, " has no second image, as its label");
  return d.channel_names;
}

// The second image in the units of the first one, as the network sees it; of what is made worse in mm, those between its voxels.
std::vector<Field> Restoration::fields(const DatasetCase& c, const Preprocessed& p, const ModelDescription& d) const {
  const Vec3& mm = p.geometry.spacing;
  if (in_mm()) return {{kSpacing, DataKind::values, Tensor::from(std::vector<float>(mm.begin(), mm.end()), {3})}};
  if (!paired()) return {};
  const std::string name = c.label.string();
  const Volume read = read_volume(c.label, {.series = c.series});
  const std::string first = c.images[0].string() + (finer().empty() ? "" : " after " + finer());
  if (const GridComparison g = compare_grids(file_grid(p.geometry), grid_of(read)); !g.same() && !c.resample)
    fail(grid_difference(g, file_grid(p.geometry), first, grid_of(read), name),
         "; restoration.upscale says how much finer it is over the same field of view, data.other_grid=resample brings it to that grid");
  const Volume other = on_grid(read, name, file_grid(p.geometry), first, OtherGrid::resample_linear);
  ModelDescription plain = d;
  plain.crop = plain.crop_positive = false;
  plain.previous_labels.clear();
  for (Normalization& n : plain.normalization) n = {.kind = "none"};
  const Tensor image = preprocess(other, plain, name).image.clone();
  check(image.shape() == p.image.shape(), name, ": is ", image, " as a network sees it, its pair ", p.image);
  const auto values = image.mutable_data<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const Standardization& s = p.intensity[i % p.intensity.size()];
    values[i] = float((double(values[i]) - s.shift) * s.scale);
  }
  return {{kClean, DataKind::image, image}};
}

Tensor Restoration::hide(const Tensor& image, const Rng& rng) const {
  return options_.learns == "noise2self" ? hide_grid(image, options_.grid, rng)
                                         : hide_voxels(image, options_.masked, options_.neighbours, rng);
}

Batch Restoration::prepare(const Batch& batch, const Rng& rng) const {
  if (options_.learns == "noise2noise") return exchanged(batch, rng);
  if (paired()) return batch;
  const Device device = batch.image.device();
  const Tensor clean = batch.image.to(Device{});
  const Shape s = clean.shape();
  const Field* const spacing = batch.find(kSpacing);
  const std::vector<double> mm = spacing ? spacing->data.values() : std::vector<double>(size_t(3 * s[0]), 1.0);
  const Tensor seen = clean.clone(), hidden = Tensor::empty({blind() ? s[0] : 0, s[1], s[2], s[3], 1});
  for (int64_t n = 0; n < s[0]; ++n) {
    const Tensor one = sample_of(seen, n);
    if (blind()) {
      const Tensor h = hide(one, rng.at(uint64_t(n)));
      hidden.rows(n, n + 1).copy_from(h.reshape({1, s[1], s[2], s[3], 1}));
    } else {
      const size_t at = size_t(3 * n);
      one.copy_from(degraded(one, options_.degradations, rng.at(uint64_t(n)), {mm[at], mm[at + 1], mm[at + 2]}));
    }
  }
  Batch out{seen.to(device), {{kClean, DataKind::image, batch.image}}};
  if (blind()) out.targets.push_back({kHidden, DataKind::image, hidden.to(device)});
  return out;
}

Tensor Restoration::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor& y = outputs.at(0);
  if (blind()) return image_loss(options_.loss, {.image = y, .reference = batch.at(kClean).to(y.dtype()), .mask = batch.at(kHidden)});
  const Tensor difference = sub(batch.at(kClean), batch.image).to(y.dtype());
  return image_loss(options_.loss, {.image = y, .reference = difference, .base = batch.image});
}

Tensor Restoration::restored(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) const {
  PredictOptions with_margin = o;
  with_margin.margin = options_.margin;
  const Tensor y = predict_volume(net, d, image, with_margin);
  return blind() ? y : add(image, y);
}

std::vector<Field> Restoration::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const Rng rng(number_of(c.id));
  if (!blind()) {
    const Tensor& image = c.sample.image();
    const Tensor seen = paired() ? image : degraded_in_the_middle(image, options_.degradations, rng, c.geometry.spacing);
    return {{"restored", DataKind::image, restored(net, d, seen, o)}, {"seen", DataKind::image, seen}};
  }
  const Tensor seen = c.sample.image().clone();
  const Tensor hidden = hide(seen, rng);
  return {{"restored", DataKind::image, restored(net, d, seen, o)}, {"seen", DataKind::image, seen}, {"hidden", DataKind::image, hidden}};
}

std::unique_ptr<Meter> Restoration::meter(const std::vector<std::string>&) const { return std::make_unique<RestorationMeter>(); }

Volume Restoration::refined(const Volume& image, const ModelDescription& d) const {
  const Shape s = image.data.shape();
  Int3 size{int(s[0]), int(s[1]), int(s[2])};
  const Orientation o = d.orientation == "file" ? Orientation{} : orientation_of(image.affine);
  Vec3 larger = {1, 1, 1};
  for (int a = 0; a < 3; ++a) {
    const int axis = o.axis[size_t(d.axis_order[size_t(a)])];  // of the file
    size[axis] = int(std::lround(double(s[axis]) * options_.upscale[size_t(a)]));
    larger[size_t(axis)] = double(s[axis]) / size[axis];
  }
  if (larger == Vec3{1, 1, 1}) return image;
  const Tensor voxels = image.data.to(DType::f32).reshape({s[0], s[1], s[2], s.rank == 4 ? s[3] : 1});
  return {resample_nnunet(voxels, size, {}), image.affine.resampled(larger), image.unit};
}

Result Restoration::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const Inference quiet;
  return {.volume = image_in_file(restored(model.net, model.description, p.image, o), p), .json = {}};
}

}  // namespace voxgrad
