#include "tasks/image_results.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "io/image.h"
#include "io/json_file.h"
#include "tasks/case_picture.h"
#include "tasks/file_pairs.h"

namespace voxgrad {

namespace fs = std::filesystem;

double psnr(const Tensor& image, const Tensor& reference) {
  check(image.shape() == reference.shape(), "psnr: the image is ", image, ", the reference ", reference);
  const std::vector<double> a = image.values(), b = reference.values();
  double square = 0;
  for (size_t i = 0; i < a.size(); ++i) square += (a[i] - b[i]) * (a[i] - b[i]);
  const auto [low, high] = std::minmax_element(b.begin(), b.end());
  return 20 * std::log10((*high - *low) / std::sqrt(square / double(a.size())));
}

uint64_t number_of(const std::string& name) {
  uint64_t out = 0;
  for (char letter : name) out = out * 131 + uint8_t(letter);
  return out;
}

Volume image_in_file(const Tensor& given, const Preprocessed& p) {
  const Tensor image = at_file_spacing(given, p.geometry);
  const Tensor out = Tensor::empty_like(image);
  const auto from = image.view().as<float>();
  const auto to = out.view().as<float>();
  const int64_t channels = image.dim(3);
  for (int64_t i = 0; i < image.count(); ++i) {
    const Standardization& s = p.intensity[size_t(i % channels)];
    to[i] = float(double(from[i]) / s.scale + s.shift);
  }
  return in_file_axes(out, p.geometry);
}

std::vector<fs::path> ImageTask::files(const fs::path& stem, const std::string& ending) const { return {stem.string() + ending}; }

void ImageTask::write(const Result& r, const fs::path& stem, const std::string& ending) const {
  write_volume(files(stem, ending)[0], r.volume);
}

Picture ImageTask::picture(const Volume& image, const Result& result, const Volume& reference, const std::string& title,
                             const ModelDescription& d) const {
  std::vector<Picture> rows;
  const auto add = [&](const std::string& what, const Volume& v) {
    if (v.data)
      rows.push_back(case_picture(
          {.image = v, .prediction = {}, .reference = {}, .title = title + ", " + what, .label_names = {}, .window = window_for(d)}));
  };
  add("as it was", image);
  add("as predicted", result.volume);
  add("reference", reference);
  return stack_pictures(rows);
}

Task::Evaluated ImageTask::evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) const {
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
