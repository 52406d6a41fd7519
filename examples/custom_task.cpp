// A task of your own: where the middle of what is labelled lies, learned from label maps. It is there by name in configurations, trains,
// predicts and resumes like those of the library, and with run_program (cli/program.h) on the command line too.
//   custom_task [STEPS]
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;
namespace fs = std::filesystem;

constexpr Int3 kSize = {24, 24, 24};

struct MiddleOptions {
  double scale = 10;  // voxels that count as 1
};

// Mean place (d, h, w) of the labelled voxels in voxels from the middle of the volume.
std::vector<double> middle_of(const Tensor& label) {
  const auto v = label.to_vector<uint8_t>();
  std::vector<double> sum(3);
  double n = 0;
  for (int64_t i = 0; i < label.count(); ++i) {
    if (!v[size_t(i)]) continue;
    const int64_t at[] = {i / label.dim(2) / label.dim(1), i / label.dim(2) % label.dim(1), i % label.dim(2)};
    for (size_t a = 0; a < 3; ++a) sum[a] += double(at[a]) - double(label.dim(int(a)) - 1) / 2;
    ++n;
  }
  for (double& s : sum) s /= std::max(n, 1.0);
  return sum;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) { return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]); }

class MiddleMeter : public Meter {
 public:
  void add(const Case& c, const std::vector<Field>& prediction) override {
    sum_ += distance(prediction.at(0).data.values(), c.sample.at("middle").values());
    ++cases_;
  }
  Scores scores() const override {
    return {.name = "distance", .text = "mean distance in voxels", .value = sum_ / cases_, .larger_is_better = false};
  }

 private:
  double sum_ = 0;
  int cases_ = 0;
};

class Middle : public ValuesTask {
 public:
  explicit Middle(const MiddleOptions& o) : options_(o) {}

  std::vector<std::string> outputs(const Dataset&) const override { return {"d", "h", "w"}; }
  std::vector<Field> targets(const DatasetCase& c, const Geometry&, const std::vector<std::string>&) const override {
    check(!c.label.empty(), "middle: the case ", c.id, " has no label");
    const Tensor label = read_volume(c.label).data.to(DType::u8);
    const auto m = middle_of(label.reshape({label.dim(0), label.dim(1), label.dim(2)}));
    return {{"middle", DataKind::values, Tensor::from(m, {3})}};
  }
  Tensor loss(const std::vector<Tensor>& outputs, const Batch& batch) const override {
    return mse_loss(outputs.at(0), batch.at("middle") / options_.scale);
  }
  std::vector<Field> predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const override {
    return {{"middle", DataKind::values, predict_values(net, d, c.sample.image(), o) * options_.scale}};
  }
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override { return std::make_unique<MiddleMeter>(); }
  Result apply(const Model& m, const Preprocessed& p, const PredictOptions& o) const override {
    const auto y = (predict_values(m.net, m.description, p.image, o) * options_.scale).values();
    return {.volume = {}, .json = Json{{"d", y[0]}, {"h", y[1]}, {"w", y[2]}}.dump()};
  }
  Evaluated evaluate(const fs::path& predictions, const fs::path&, const EvaluateOptions&) const override {
    fail(predictions.string(), ": the validation of the training is all there is");
  }

 protected:
  std::vector<std::pair<std::string, std::string>> columns(const Json& r) const override {
    return {{"d", r.at("d").dump()}, {"h", r.at("h").dump()}, {"w", r.at("w").dump()}};
  }
  std::string in_words(const Json& r) const override { return r.dump(); }

 private:
  MiddleOptions options_;
};

int main(int argc, char** argv) {
  const std::string steps = argc > 1 ? argv[1] : "300";
  task_registry().add({.name = "middle",
                       .summary = "where the middle of what is labelled lies",
                       .defaults = R"({"network": {"kind": "resnet", "depth": 10, "base_features": 8},
                                       "augment": {"mirror": 0, "rotation": 0, "scaling": 0}})",
                       .options = [] {
                         return Options::of<MiddleOptions>([](ConfigTable& t, MiddleOptions& o) {
                           t.number("scale", o.scale, 0.1, 1000, "voxels that count as 1");
                         });
                       },
                       .make = [](const Options& o) { return std::make_shared<Middle>(o.as<MiddleOptions>()); }});
  Dataset data{.name = "shapes", .root = "middle_data", .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  fs::create_directories(data.root);
  for (int i = 0; i < 20; ++i) {
    const Phantom p = make_phantom(PhantomKind::shapes, {.size = kSize, .seed = uint64_t(i)});
    DatasetCase one{.id = "case_" + std::to_string(100 + i)};
    one.images = {data.root / (one.id + ".nii.gz")};
    one.label = data.root / (one.id + "_label.nii.gz");
    write_volume(one.images[0], {p.image, Affine::scaling({1, 1, 1})});
    write_volume(one.label, {p.label.reshape({kSize.d, kSize.h, kSize.w, 1}), Affine::scaling({1, 1, 1})});
    data.cases.push_back(one);
  }
  write_dataset_json(data);

  fs::remove_all("middle_run");
  TrainConfig config;
  apply_assignments(config, {"task=middle", "middle.scale=5", "train.optimizer=adamw", "train.learning_rate=0.002", "train.batch=4",
                             "train.oversample_foreground=0", "train.validate_every=100", "train.steps=" + steps});
  const TrainResult result = train(data.root, "middle_run", config, Device{});
  std::printf("%s: %.2f\n", result.score.c_str(), result.final_score);
  return std::isfinite(result.final_score) ? 0 : 1;
}
