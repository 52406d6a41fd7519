#include "tasks/predictor.h"

#include <thread>

#include "models/model_registry.h"
#include "core/config/json.h"
#include "io/json_file.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"
#include "train/plan.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// A U-Net of three classes at half the spacing of noise_of.
Model model() {
  Dataset d;
  d.channel_names = {"MRI"};
  d.labels = {"background", "one", "two"};
  TrainConfig config;
  apply_assignments(config, {"network.base_features=4", "train.patch=[8,8,8]"});
  ModelDescription m = plan(d, {.extents = {{12, 12, 12}}, .spacings = {{0.5, 0.5, 0.5}}}, config, d.labels);
  m.spacing = {0.5, 0.5, 0.5};
  m.mirror = true;
  m.overlap = 0.25;
  Rng rng(1);
  return {build_network(parse_json(m.network, "plan"), rng), m};
}

Volume noise_of(uint64_t seed) {
  Volume v{Tensor::zeros({7, 6, 8, 1}), {}};
  Rng noise(seed);
  for (float& x : v.data.mutable_data<float>()) x = float(noise.normal());
  return v;
}

}  // namespace

TEST_CASE("a predictor gives what the program writes, and from several threads at a time the bits of one after the other") {
  const Predictor predict(model());
  CHECK(predict.description().labels.size() == 3);
  std::vector<std::vector<double>> one_by_one, together(4);
  for (uint64_t i = 0; i < 4; ++i) one_by_one.push_back(predict(noise_of(i)).volume.data.values());
  const Model m = model();
  const Preprocessed p = preprocess(noise_of(2), m.description, "scan");
  CHECK(one_by_one[2] == predict_labels(m.net, m.description, p, predict_options(m.description)).data.values());
  CHECK(one_by_one[2] == predict(predict.prepare(noise_of(2), "scan"), predict.options()).volume.data.values());
  CHECK(one_by_one[0] != one_by_one[1]);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) together[i] = predict(noise_of(i)).volume.data.values();
    });
  for (std::thread& t : threads) t.join();
  for (size_t i = 0; i < 4; ++i) CHECK(together[i] == one_by_one[i]);
}

TEST_CASE("a predictor refuses what its model cannot take") {
  const Predictor predict(model());
  Volume two{Tensor::zeros({4, 4, 4, 2}), {}};
  CHECK_THROWS_WITH(predict(two, "scan 7"), Contains("scan 7") && Contains("2 channels") && Contains("takes 1"));
  CHECK_THROWS_WITH(Predictor("/no/such/model"), Contains("/no/such/model"));
}
