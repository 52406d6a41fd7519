#include "tasks/image_results.h"

#include "io/image.h"
#include "tasks/case_picture.h"
#include "tasks/image_scores/evaluate_images.h"

namespace voxgrad {

namespace fs = std::filesystem;

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
  return evaluate_images(predictions, references, o, range());
}

}  // namespace voxgrad
