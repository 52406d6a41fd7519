// Where a structure is: boxes around its two parts, and the points where it ends, in volumes like those of the hippocampus.
//   localisation_3d [STEPS [FOLDER]]     FOLDER: a data set with label files, such as the hippocampi of the Medical Segmentation Decathlon
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstdlib>

using namespace voxgrad;
namespace fs = std::filesystem;

// A bent, tapered rod, brighter than most of what is around it, of which the front (1) and the back (2) are labelled.
void write_rod(const DatasetCase& files, const Int3& size, Rng rng) {
  const Tensor clutter = smooth_noise(size, {size.d / 4.0, size.h / 4.0, size.w / 4.0}, rng.split());
  const Tensor image = clutter.reshape({size.d, size.h, size.w, 1}) * 0.5;
  const Tensor label = Tensor::zeros({size.d, size.h, size.w, 1}, DType::u8);
  const double length = size.h * rng.uniform(0.28, 0.36), bend = rng.uniform(0.1, 0.25) * size.d, tilt = rng.uniform(-0.3, 0.3);
  const double middle[3] = {size.d * rng.uniform(0.4, 0.6), size.h * rng.uniform(0.4, 0.6), size.w * rng.uniform(0.4, 0.6)};
  const double thick = size.w * rng.uniform(0.11, 0.15);
  size_t i = 0;
  for (int d = 0; d < size.d; ++d)
    for (int h = 0; h < size.h; ++h)
      for (int w = 0; w < size.w; ++w, ++i) {
        const double t = (h - middle[1]) / length;  // along the rod, from -1 to 1
        const double radius = thick * (1 + 0.3 * t) * std::sqrt(std::max(0.0, 1 - t * t * t * t));
        const bool inside = std::hypot(d - middle[0] - bend * (t * t - 0.4), w - middle[2] - tilt * t * length) < radius;
        if (inside) label.mutable_data<uint8_t>()[i] = t > 0.2 ? 1 : 2;
        image.mutable_data<float>()[i] += float((inside ? 2 : 0) + 0.5 * rng.normal());
      }
  write_volume(files.images[0], {image, Affine::scaling({1, 1, 1})});
  write_volume(files.label, {label, Affine::scaling({1, 1, 1})});
}

void write_rods(const fs::path& folder, const Int3& size, int cases) {
  fs::create_directories(folder);
  Dataset data{.name = "rods", .root = folder, .channel_names = {"MR"}, .labels = {"background", "front", "back"}};
  for (int i = 0; i < cases; ++i) {
    DatasetCase one{.id = "rod_" + std::to_string(100 + i)};
    one.images = {folder / (one.id + ".nii.gz")};
    one.label = folder / (one.id + "_label.nii.gz");
    write_rod(one, size, Rng(3).at(uint64_t(i)));
    data.cases.push_back(one);
  }
  write_dataset_json(data);
}

// The cases of a data set, of which `held_out` do not train.
struct Cases {
  fs::path folder;
  Dataset data;
  std::vector<DatasetCase> learned, held_out;
};

Cases cases_in(const fs::path& folder, const DataConfig& config) {
  Cases out{.folder = folder, .data = read_dataset(folder), .learned = {}, .held_out = {}};
  const Split split = split_cases(ids_of(out.data), config.fold, config.folds);
  for (const DatasetCase& c : out.data.cases) {
    const bool holds = std::find(split.validation.begin(), split.validation.end(), c.id) != split.validation.end();
    (holds ? out.held_out : out.learned).push_back(c);
  }
  return out;
}

// Beside the boxes that are found, a guess: the mean box of each part in the volumes that train.
void find_boxes(const Cases& cases, TrainConfig config) {
  apply_assignments(config, {"task=detection", "detection.objects=labels"});
  fs::remove_all("boxes_run");
  train(cases.folder, "boxes_run", config, Device{});

  const std::vector<std::string> parts = box_classes(cases.data);
  const auto boxes_of = [&](const DatasetCase& c) { return case_boxes(c, image_grid(c), parts, {.objects = "labels"}); };
  std::vector<ObjectBox> guess(parts.size());
  std::vector<double> count(parts.size());
  for (const DatasetCase& c : cases.learned)
    for (const ObjectBox& b : boxes_of(c)) {
      const size_t k = size_t(b.label);
      guess[k].label = b.label;
      ++count[k];
      for (size_t a = 0; a < 3; ++a) guess[k].low[a] += (b.low[a] - guess[k].low[a]) / count[k];
      for (size_t a = 0; a < 3; ++a) guess[k].high[a] += (b.high[a] - guess[k].high[a]) / count[k];
    }

  const Predictor find("boxes_run");
  std::vector<JudgedBoxes> found, guessed;
  for (const DatasetCase& c : cases.held_out) {
    const Volume image = read_case_image(c);
    const Result r = find(image, c.id);
    const auto boxes = listed_boxes(parse_json(r.json, c.id)["boxes"], parts, {}, c.id);
    found.push_back({.found = boxes, .real = boxes_of(c), .spacing = image.affine.spacing()});
    guessed.push_back({.found = guess, .real = boxes_of(c), .spacing = image.affine.spacing()});
    if (found.size() == 1) write_png("boxes.png", find.task().picture(image, r, {}, c.id, find.description()));
  }
  for (const auto& [name, images] : {std::pair{"boxes that are found", found}, {"the mean boxes", guessed}}) {
    const BoxJudge judge(images, parts);
    const std::vector<std::string> keys = judge.keys();
    const auto score = [&](const char* key) { return judge.scores()[size_t(std::find(keys.begin(), keys.end(), key) - keys.begin())]; };
    std::printf("%-24s mAP@0.5 %.3f  errors of centres %.2f mm\n", name, score("ap_50"), score("centre_error"));
  }
}

// Beside the ends that are found, a guess: their mean places in the volumes that train.
void find_ends(const Cases& cases, TrainConfig config) {
  apply_assignments(config, {"task=landmarks", "landmarks.from=ends"});
  fs::remove_all("ends_run");
  train(cases.folder, "ends_run", config, Device{});

  const PointSource ends{.from = "ends"};
  const std::vector<std::string> names = landmark_names(cases.data, ends);
  std::vector<Vec3> guess(names.size());
  for (const DatasetCase& c : cases.learned) {
    const std::vector<Landmark> known = case_landmarks(c, names, ends);
    for (size_t k = 0; k < names.size(); ++k)
      for (size_t a = 0; a < 3; ++a) guess[k][a] += known[k].mm[a] / double(cases.learned.size());
  }

  const Predictor find("ends_run");
  LandmarkErrors found(names), guessed(names);
  for (const DatasetCase& c : cases.held_out) {
    const Volume image = read_case_image(c);
    const Result r = find(image, c.id);
    const std::vector<Landmark> here = landmarks_from(parse_json(r.json, c.id), c.id), real = case_landmarks(c, names, ends);
    std::vector<double> of_found, of_guess;
    for (size_t k = 0; k < names.size(); ++k) {
      const auto distance = [&](const Vec3& p) { return std::hypot(p[0] - real[k].mm[0], p[1] - real[k].mm[1], p[2] - real[k].mm[2]); };
      const auto named = std::find_if(here.begin(), here.end(), [&](const Landmark& l) { return l.name == names[k]; });
      of_found.push_back(named == here.end() ? NAN : distance(named->mm));
      of_guess.push_back(distance(guess[k]));
    }
    found.add(of_found), guessed.add(of_guess);
    if (&c == &cases.held_out[0]) write_png("ends.png", find.task().picture(image, r, {}, c.id, find.description()));
  }
  std::printf("%-24s median error %.2f mm\n%-24s median error %.2f mm\n", "ends that are found", found.scores()[1], "their mean places",
              guessed.scores()[1]);
}

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  const bool quick = std::atoi(steps.c_str()) < 20;
  const fs::path folder = argc > 2 ? argv[2] : "rods";
  if (argc <= 2) write_rods(folder, quick ? Int3{16, 24, 16} : Int3{32, 48, 32}, quick ? 5 : 40);

  TrainConfig config;
  apply_assignments(config, {"network.base_features=12", "network.max_features=96", "train.validate_every=100", "train.steps=" + steps});
  if (quick) apply_assignments(config, {"network.base_features=4", "network.stages=3", "train.batch=1"});
  const Cases cases = cases_in(folder, config.data);
  find_boxes(cases, config);
  find_ends(cases, config);
  return 0;
}
