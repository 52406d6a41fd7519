#include <cmath>

#include "io/checkpoint.h"
#include "tests/catch.h"
#include "tests/units/train/fake_task.h"
#include "train/trainer.h"

using namespace voxgrad;

TEST_CASE("training: what learns a difference to its input begins near it") {
  const TemporaryFolder folder;
  const auto data = write_ramps(folder, 2);
  // The deviation of the last layer's weights behind a step that changes nothing.
  const auto deviation = [&](const std::string& learns) {
    TrainConfig c;
    apply_assignments(c, {"task=restoration", "restoration.learns=" + learns, "network.kind=dncnn", "network.depth=3", "network.features=8",
                          "train.steps=1", "train.learning_rate=1e-12", "train.patch=[8,8,8]", "data.folds=2"});
    train(data, folder / learns, c);
    double squares = 0;
    const Checkpoint saved = load_checkpoint(folder / learns / "best.safetensors");
    const std::vector<double> weights = saved.find("net.head.weight")->values();
    for (double w : weights) squares += w * w;
    return std::sqrt(squares / double(weights.size()));
  };
  const double whole = deviation("noise2void");  // whose output is the image itself
  CHECK(whole > 0.05);
  CHECK(std::abs(deviation("degraded") - 0.01 * whole) < 1e-6);
}
