#include "data/fingerprint.h"

#include <cmath>

#include "io/image.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;

namespace {

// Voxels below 5000 in the first channel are foreground, where there are labels at all.
struct BelowFiveThousand : TargetSource {
  bool labelled = true;
  int ignored = -1;  // what lies above has this label
  int ignored_label() const override { return ignored; }
  std::vector<Field> targets(const DatasetCase& c, const Geometry&, const std::vector<std::string>&) const override {
    if (!labelled) return {};
    const Volume v = read_volume(c.images[0]);
    const Tensor label = Tensor::zeros({v.data.dim(0), v.data.dim(1), v.data.dim(2)}, DType::u8);
    const auto x = v.data.data<float>();
    for (size_t i = 0; i < x.size(); ++i) label.mutable_data<uint8_t>()[i] = x[i] < 5000 ? 1 : ignored < 0 ? 0 : uint8_t(ignored);
    return {{"label", DataKind::labels, label}};
  }
};

// Of two channels, x and 3 x + 7. Every other voxel counts up from `first`, the rest is 9999.
DatasetCase case_of(const TemporaryFolder& folder, const std::string& id, const Shape& extents, int first) {
  DatasetCase c{.id = id};
  for (int channel = 0; channel < 2; ++channel) {
    std::vector<double> values;
    for (int64_t v = 0; v < extents.count(); ++v) {
      const double x = v % 2 ? 9999 : first + double(v / 2);
      values.push_back(channel ? 3 * x + 7 : x);
    }
    c.images.push_back(folder / (id + "_" + std::to_string(channel) + ".nii"));
    write_volume(c.images.back(), {Tensor::from(values, extents), Affine::scaling({2, 1, 0.5})});
  }
  return c;
}

// 0 to 400 are the foreground of the cases a and b together.
Dataset two_channels(const TemporaryFolder& folder) {
  return {.channel_names = {"CT", "CT"},
          .labels = {"background", "organ"},
          .cases = {case_of(folder, "a", {8, 10, 5, 1}, 0), case_of(folder, "b", {3, 67, 2, 1}, 200),
                    case_of(folder, "c", {2, 2, 2, 1}, 4000)}};
}

}  // namespace

TEST_CASE("fingerprint: percentiles, mean and deviation of the foreground of the training cases, channel by channel") {
  const TemporaryFolder folder;
  const Fingerprint print = fingerprint(two_channels(folder), {"a", "b"}, {}, BelowFiveThousand(), {"background", "organ"});
  CHECK(print.extents == std::vector<Int3>{{8, 10, 5}, {3, 67, 2}});
  CHECK(print.spacings == std::vector<std::array<double, 3>>{{2, 1, 0.5}, {2, 1, 0.5}});
  REQUIRE(print.foreground.size() == 2);
  // The n numbers 0 to n - 1 have the mean (n - 1) / 2 and the variance (n^2 - 1) / 12.
  const double deviation = std::sqrt((401. * 401 - 1) / 12);
  for (int channel = 0; channel < 2; ++channel) {
    CAPTURE(channel);
    const Normalization& n = print.foreground[size_t(channel)];
    const double scale = channel ? 3 : 1, shift = channel ? 7 : 0;
    CHECK(close(n.mean, scale * 200 + shift, 1e-9));
    CHECK(close(n.std, scale * deviation, 1e-9));
    CHECK(close(n.low, scale * 2 + shift, 1e-9));
    CHECK(close(n.high, scale * 398 + shift, 1e-9));
  }
}

TEST_CASE("fingerprint: voxels of an ignored label are no foreground") {
  const TemporaryFolder folder;
  BelowFiveThousand some;
  some.ignored = 7;
  const Fingerprint print = fingerprint(two_channels(folder), {"c"}, {}, some, {"background", "organ"});
  CHECK(close(print.foreground.at(0).mean, (4000 + 4001 + 4002 + 4003) / 4., 1e-9));
}

TEST_CASE("fingerprint: where a task labels nothing, all voxels count") {
  const TemporaryFolder folder;
  BelowFiveThousand none;
  none.labelled = false;
  const Fingerprint print = fingerprint(two_channels(folder), {"c"}, {}, none, {"y"});
  CHECK(close(print.foreground.at(0).mean, (4000 + 4001 + 4002 + 4003 + 4 * 9999) / 8., 1e-9));
  CHECK(close(print.foreground[0].high, 9999, 1e-9));
}
