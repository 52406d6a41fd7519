#include "tasks/image_scores/evaluate_images.h"

#include <cmath>
#include <cstdio>

#include "core/config/json_values.h"
#include "data/readers/csv.h"
#include "io/formats/hdf5/read_hdf5.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/slice/slice.h"
#include "tasks/file_pairs.h"
#include "tasks/statistics/score_table.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct ImageCases {
  std::vector<std::string> ids;
  std::vector<ImageScores> scores;
};

// Files of k-space have images of its middle beside it, as fastMRI's reconstruction_rss: a prediction of all of it is cut to that
// (center_crop).
PairOfVolumes pair_of_images(const FilePair& pair, const EvaluateOptions& o) {
  const OtherGrid otherwise = o.resample ? OtherGrid::resample_linear : OtherGrid::refuse;
  if (o.array.empty()) return read_pair(pair, otherwise, false, o.series);
  const Volume r = read_volume(pair.reference, {.series = o.series, .array = o.array});
  Volume p = read_volume(pair.prediction, {.series = o.series});
  const Int3 size = volume_size(r.data), whole = volume_size(p.data);
  if (is_hdf5(pair.reference) && whole.d == size.d && whole.h >= size.h && whole.w >= size.w) {
    const Tensor all = p.data.reshape({1, whole.d, whole.h, whole.w, p.data.count() / (int64_t(whole.d) * whole.h * whole.w)});
    const Tensor middle = crop3d(all, {0, (whole.h - size.h) / 2, (whole.w - size.w) / 2}, size);
    p = {middle.reshape({size.d, size.h, size.w, all.dim(4)}), r.affine};
  }
  return on_one_grid(pair, p, r, otherwise);
}

ImageCases image_cases(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o, ScoreRange range) {
  ImageCases out;
  for (const FilePair& pair : pair_files(predictions, references, {.partial = o.partial, .what = "images", .series = o.series})) {
    const PairOfVolumes both = pair_of_images(pair, o);
    const Volume &a = both.prediction, &b = both.reference;
    check(a.data.shape() == b.data.shape(), pair.prediction.string(), ": its shape is ", a.data.shape(), ", that of ",
          pair.reference.string(), " is ", b.data.shape());
    out.ids.push_back(pair.id);
    out.scores.push_back(image_scores(a.data, b.data, {.range = range, .all = !o.fast}));
  }
  return out;
}

// Of each score the mean over cases that have it.
CountedScores mean_scores(const ImageCases& all) {
  return [&all](const std::vector<int>& counts) {
    std::vector<double> out;
    for (const ImageScoreKey& k : image_score_keys()) {
      double sum = 0, n = 0;
      for (size_t i = 0; i < counts.size(); ++i) {
        const double v = all.scores[i].*k.value;
        if (counts[i] == 0 || std::isnan(v)) continue;
        sum += counts[i] * v;
        n += counts[i];
      }
      out.push_back(n > 0 ? sum / n : NAN);
    }
    return out;
  };
}

std::string lines_of_cases(const ImageCases& all) {
  std::vector<std::vector<std::string>> rows = {{"case"}};
  for (const ImageScoreKey& k : image_score_keys()) rows[0].push_back(k.name);
  for (size_t i = 0; i < all.ids.size(); ++i) {
    rows.push_back({all.ids[i]});
    for (const ImageScoreKey& k : image_score_keys()) rows.back().push_back(score_text(all.scores[i].*k.value, k.decimals));
  }
  return aligned_table(rows);
}

std::string csv_of_images(const ImageCases& all) {
  std::string out = "case";
  for (const ImageScoreKey& k : image_score_keys()) out += std::string(",") + k.name;
  for (size_t i = 0; i < all.ids.size(); ++i) {
    out += "\n" + csv_field(all.ids[i]);
    for (const ImageScoreKey& k : image_score_keys()) {
      char text[40] = ",";
      if (const double v = all.scores[i].*k.value; !std::isnan(v)) std::snprintf(text, sizeof text, ",%.9g", v);
      out += text;
    }
  }
  return out + "\n";
}

std::vector<ScoreDifference> compared_images(const ImageCases& here, const ImageCases& there, const EvaluateOptions& o) {
  std::vector<ScoreDifference> keys;
  for (const ImageScoreKey& k : image_score_keys()) keys.push_back({.key = k.name, .larger_is_better = k.larger_is_better});
  return score_differences(int64_t(here.ids.size()), keys, mean_scores(here), mean_scores(there),
                           {.resamples = o.resamples ? o.resamples : 10000, .seed = o.seed});
}

}  // namespace

Task::Evaluated evaluate_images(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o, ScoreRange range) {
  const ImageCases here = image_cases(predictions, references, o, range);
  const auto& keys = image_score_keys();
  const auto means = resampled_scores(int64_t(here.ids.size()), mean_scores(here), {.resamples = o.resamples, .seed = o.seed});
  Json json;
  for (size_t i = 0; i < here.ids.size(); ++i)
    for (const ImageScoreKey& k : keys) json["cases"][here.ids[i]][k.name] = finite_or_null(here.scores[i].*k.value);
  std::vector<ScoreRow> rows;
  for (size_t k = 0; k < keys.size(); ++k) {
    json[keys[k].name] = finite_or_null(means[k].interval.value);
    if (o.resamples) json["intervals"][keys[k].name] = json_of_interval(means[k]);
    rows.push_back({std::string("mean ") + keys[k].name, means[k], keys[k].decimals});
  }
  Task::Evaluated out{.table = lines_of_cases(here) + "\n" + score_table(rows), .json = {}, .csv = csv_of_images(here)};
  if (!o.versus.empty()) {
    const ImageCases there = image_cases(o.versus, references, o, range);
    check(there.ids == here.ids, o.versus.string(), ": has not the same cases as ", predictions.string());
    const auto differences = compared_images(here, there, o);
    out.table += "\n" + difference_table(differences);
    json["versus"] = json_of_differences(differences);
  }
  out.json = json_text(json);
  return out;
}

std::string describe_image_scores(ScoreRange range) {
  const std::string l = range == ScoreRange::span ? "largest - least of the reference" : "largest of the reference";
  return "Scores of images, L being the " + l + ":\n"
         "  psnr     20 log10(L / root mean square difference), in dB\n"
         "  ssim     structural similarity of 7 x 7 windows in slices; ssim_3d: of 7 x 7 x 7 windows\n"
         "  ms_ssim  the same of up to five scales, windows of 11 x 11 with Gaussian weights\n"
         "  nmse     |difference|^2 / |reference|^2; nrmse: its root\n"
         "  hfen     |LoG difference| / |LoG reference|, LoG a Laplacian of a Gaussian of 1.5 voxels in slices\n"
         "--no-surface leaves out ssim_3d, ms_ssim and hfen.\n";
}

}  // namespace voxgrad
