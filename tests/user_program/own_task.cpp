#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;
namespace fs = std::filesystem;

namespace {

struct FractionOptions {
  std::string loss = "squared";
};

// The part of a volume that is not background.
double fraction_in(const fs::path& label_map) {
  const Tensor x = read_volume(label_map).data.to(DType::f32);
  return mean(clamp(x, 0, 1)).item();
}

class FractionMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    sum_ += std::abs(prediction.at(0).data.item() - c.sample.at("fraction").item());
    ++cases_;
  }
  Scores scores() const override {
    return {.name = "error", .text = "mean error", .value = sum_ / cases_, .larger_is_better = false};
  }

 private:
  double sum_ = 0;
  int cases_ = 0;
};

// Learns the fraction of foreground, one number an image, from the label maps of a data set for segmentation.
class Fraction : public Task {
 public:
  explicit Fraction(const FractionOptions& o) : options_(o) {}

  std::vector<std::string> outputs(const Dataset&) const override { return {"fraction"}; }
  bool dense() const override { return false; }
  std::vector<Field> targets(const DatasetCase& c, const Geometry&, const std::vector<std::string>&) const override {
    check(!c.label.empty(), "fraction: the case ", c.id, " has no label");
    return {{"fraction", DataKind::values, Tensor::from({fraction_in(c.label)}, {1})}};
  }
  Tensor loss(const std::vector<Tensor>& outputs, const Batch& batch) const override {
    const Tensor error = outputs.at(0) - batch.at("fraction");
    return mean(options_.loss == "squared" ? square(error) : abs(error));
  }
  std::vector<Field> predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const override {
    return {{"fraction", DataKind::values, predict_values(net, d, c.sample.image(), o)}};
  }
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override { return std::make_unique<FractionMeter>(); }

  Result apply(const Model& m, const Preprocessed& p, const PredictOptions& o) const override {
    const Tensor y = predict_values(m.net, m.description, p.image, o);
    return {.volume = {}, .json = Json{{"fraction", y.item()}}.dump()};
  }
  const char* product() const override { return "fractions"; }
  std::vector<fs::path> files(const fs::path& stem, const std::string&) const override { return {stem.string() + ".json"}; }
  void write(const Result& r, const fs::path& stem, const std::string& ending) const override {
    write_json(files(stem, ending)[0], parse_json(r.json, "result"));
  }
  Picture picture(const Volume& image, const Result& r, const Volume&, const std::string& title, const ModelDescription&) const override {
    return case_picture({.image = image, .prediction = {}, .reference = {}, .title = title + r.json, .label_names = {}, .window = {}});
  }
  // Predictions CASE.json against label maps CASE.nii.gz.
  Evaluated evaluate(const fs::path& predictions, const fs::path& references, const EvaluateOptions&) const override {
    double sum = 0;
    int cases = 0;
    for (auto& entry : fs::directory_iterator(references)) {
      const fs::path file = predictions / (case_name(entry.path()) + ".json");
      if (!fs::exists(file)) continue;
      sum += std::abs(read_json(file).at("fraction").get<double>() - fraction_in(entry.path()));
      ++cases;
    }
    check(cases > 0, predictions.string(), ": holds no prediction for a file of ", references.string());
    return {std::to_string(cases) + " cases, mean error " + std::to_string(sum / cases) + "\n", Json{{"error", sum / cases}}.dump()};
  }

 private:
  FractionOptions options_;
};

void add_keys(ConfigTable& t, FractionOptions& o) { t.choice("loss", o.loss, {"squared", "absolute"}, "of the error"); }

}  // namespace

TaskEntry own_task() {
  return {.name = "fraction",
          .summary = "the part of the volume that is not background",
          .defaults = R"({"network": {"kind": "tiny"}, "train": {"optimizer": "sign", "learning_rate": 0.003,
                          "oversample_foreground": 0}})",
          .options = [] { return Options::of<FractionOptions>(add_keys); },
          .make = [](const Options& o) { return std::make_shared<Fraction>(o.as<FractionOptions>()); }};
}
