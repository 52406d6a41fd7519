#include "tasks/restoration/restoration.h"

#include <algorithm>
#include <cmath>

#include "augment/noise/noise.h"
#include "core/autograd.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "kernels/mse_loss/mse_loss.h"
#include "tasks/case_picture.h"
#include "tasks/file_pairs.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

constexpr const char* kClean = "clean";

// f32 {D, H, W, C} with noise of that strength.
Tensor with_noise(const Tensor& image, double sigma, const Rng& rng) {
  const Tensor noisy = image.clone();
  add_gaussian_noise(noisy, sigma, rng);
  return noisy;
}

Tensor restored(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  return add(image, predict_volume(net, d, image, o));
}

class PsnrMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    restored_.push_back(psnr(prediction.at(0).data, c.sample.image()));
    noisy_.push_back(psnr(prediction.at(1).data, c.sample.image()));
  }
  Scores scores() const override {
    return {.name = "psnr", .text = "PSNR", .value = mean_of(restored_), .others = {{"psnr_of_input", mean_of(noisy_)}}};
  }

 private:
  static double mean_of(const std::vector<double>& v) {
    double sum = 0;
    for (double x : v) sum += x;
    return v.empty() ? NAN : sum / double(v.size());
  }
  std::vector<double> restored_, noisy_;
};

}  // namespace

double psnr(const Tensor& image, const Tensor& reference) {
  check(image.shape() == reference.shape(), "psnr: the image is ", image, ", the reference ", reference);
  const std::vector<double> a = image.values(), b = reference.values();
  double square = 0;
  for (size_t i = 0; i < a.size(); ++i) square += (a[i] - b[i]) * (a[i] - b[i]);
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return 20 * std::log10((*high - *low) / std::sqrt(square / double(a.size())));
}

Batch Restoration::prepare(const Batch& batch, const Rng& rng) const {
  const Device device = batch.image.device();
  const Tensor clean = batch.image.to(Device{});
  const Tensor noisy = Tensor::empty_like(clean);
  for (int64_t n = 0; n < clean.dim(0); ++n) {
    Rng source = rng.at(uint64_t(n));
    const double sigma = source.uniform(options_.noise.low, options_.noise.high);
    const Tensor patch = clean.rows(n, n + 1);
    noisy.rows(n, n + 1).copy_from(
        with_noise(patch.reshape({clean.dim(1), clean.dim(2), clean.dim(3), clean.dim(4)}), sigma, source.split()).reshape(patch.shape()));
  }
  return {noisy.to(device), {{kClean, DataKind::image, batch.image}}};
}

Tensor Restoration::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor difference = sub(batch.at(kClean), batch.image).to(outputs.at(0).dtype());
  if (options_.loss == "l2") return mse_loss(outputs[0], difference);
  return l1_loss(outputs[0], difference);
}

std::vector<Field> Restoration::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  uint64_t name = 0;
  for (char letter : c.id) name = name * 131 + uint8_t(letter);
  const Tensor noisy = with_noise(c.sample.image(), (options_.noise.low + options_.noise.high) / 2, Rng(name));
  return {{"restored", DataKind::image, restored(net, d, noisy, o)}, {"noisy", DataKind::image, noisy}};
}

std::unique_ptr<Meter> Restoration::meter(const std::vector<std::string>&) const { return std::make_unique<PsnrMeter>(); }

Result Restoration::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  Inference quiet;
  const Tensor image = at_file_spacing(restored(model.net, model.description, p.image, o), p.geometry);
  const Tensor out = Tensor::empty_like(image);
  const auto from = image.view().as<float>();
  const auto to = out.view().as<float>();
  const int64_t channels = image.dim(3);
  for (int64_t i = 0; i < image.count(); ++i) {
    const Standardization& s = p.intensity[size_t(i % channels)];
    to[i] = float(double(from[i]) / s.scale + s.shift);
  }
  return {.volume = in_file_axes(out, p.geometry), .json = {}};
}

std::vector<fs::path> Restoration::files(const fs::path& stem, const std::string& ending) const { return {stem.string() + ending}; }

void Restoration::write(const Result& r, const fs::path& stem, const std::string& ending) const {
  write_volume(files(stem, ending)[0], r.volume);
}

Picture Restoration::picture(const Volume& image, const Result& result, const Volume& reference, const std::string& title,
                             const ModelDescription& d) const {
  std::vector<Picture> rows;
  const auto add = [&](const std::string& what, const Volume& v) {
    if (v.data)
      rows.push_back(case_picture(
          {.image = v, .prediction = {}, .reference = {}, .title = title + ", " + what, .label_names = {}, .window = window_for(d)}));
  };
  add("as it was", image);
  add("restored", result.volume);
  add("reference", reference);
  return stack_pictures(rows);
}

Task::Evaluated Restoration::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
  Json json;
  std::string table;
  double sum = 0;
  const std::vector<FilePair> pairs = pair_files(predictions, references, {.partial = o.partial, .what = "images", .series = o.series});
  for (const FilePair& pair : pairs) {
    const PairOfVolumes both = read_pair(pair, o.resample ? OtherGrid::resample_linear : OtherGrid::refuse, false, o.series);
    const Volume &a = both.prediction, &b = both.reference;
    check(a.data.shape() == b.data.shape(), pair.prediction.string(), ": its shape is ", a.data.shape(), ", that of ",
          pair.reference.string(), " is ", b.data.shape());
    const double value = psnr(a.data, b.data);
    sum += value;
    json["cases"][pair.id] = {{"psnr", value}};
    char line[64];
    std::snprintf(line, sizeof line, "  PSNR %.2f dB\n", value);
    table += pair.id + line;
  }
  json["psnr"] = sum / double(pairs.size());
  char line[64];
  std::snprintf(line, sizeof line, "mean  PSNR %.2f dB\n", sum / double(pairs.size()));
  table += line;
  return {table, json_text(json)};
}

}  // namespace voxgrad
