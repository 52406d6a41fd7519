#include "tasks/detection/tile_boxes.h"

#include <algorithm>
#include <cmath>

namespace voxgrad {
namespace {

constexpr double kInnerPart = 0.5;  // of a patch, where boxes count fully

ObjectBox in_image(ObjectBox b, const SeenTile& tile, const Int3& patch, const Int3& size) {
  for (int axis : tile.mirrored) {
    const size_t a = size_t(axis - 1);
    const double low = patch[axis - 1] - 1 - b.high[a];
    b.high[a] = patch[axis - 1] - 1 - b.low[a];
    b.low[a] = low;
  }
  for (int a = 0; a < 3; ++a) {
    b.low[size_t(a)] += tile.begin[a], b.high[size_t(a)] += tile.begin[a];
    if (size[a] == 1) b.low[size_t(a)] = -0.5, b.high[size_t(a)] = 0.5;
  }
  return b;
}

bool centred_in(const ObjectBox& b, const Int3& size) {
  const Double3 c = b.centre();
  for (int a = 0; a < 3; ++a)
    if (!(c[size_t(a)] >= -0.5 && c[size_t(a)] <= size[a] - 0.5)) return false;
  return true;
}

// By the axis along which the centre is farthest out.
double weight_in(const ObjectBox& b, const SeenTile& tile, const Int3& patch) {
  double out = 0;
  const Double3 c = b.centre();
  for (int a = 0; a < 3; ++a) out = std::max(out, std::abs(c[size_t(a)] - tile.begin[a] - (patch[a] - 1) / 2.0) / (patch[a] / 2.0));
  return out <= kInnerPart ? 1 : std::max(0.5, 1 + kInnerPart - out);
}

}  // namespace

std::vector<ObjectBox> predict_boxes(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o,
                               const TileDecoder& decode, const TileBoxOptions& how) {
  const Int3 patch = patch_of(d, o), size = volume_size(image);
  const auto places = tile_places(d, size, o);
  std::vector<VotedBox> votes;
  int64_t poses = 0, all = 0;
  predict_tiles(net, d, image, o, [&](const std::vector<Tensor>& outputs, const SeenTile& tile) {
    all = tile.count;
    poses = tile.count / int64_t(places[0].size() * places[1].size() * places[2].size());
    for (const ObjectBox& b : best_of(decode(outputs, patch), how.nms)) {
      const ObjectBox there = in_image(b, tile, patch, size);
      if (centred_in(there, size)) votes.push_back({there, weight_in(there, tile, patch), 1});
    }
  });
  std::vector<ObjectBox> out;
  if (all == 1) {
    for (const VotedBox& v : votes) out.push_back(v.box);
  } else {
    for (VotedBox& v : votes) {
      const Double3 c = v.box.centre();
      v.expected = double(poses);
      for (int a = 0; a < 3; ++a)
        v.expected *= double(std::count_if(places[size_t(a)].begin(), places[size_t(a)].end(), [&](int64_t begin) {
          return c[size_t(a)] >= double(begin) - 0.5 && c[size_t(a)] <= double(begin) + patch[a] - 0.5;
        }));
    }
    out = clustered(votes, how.merge);
  }
  std::erase_if(out, [&](const ObjectBox& b) { return b.score < how.min_score; });
  if (int64_t(out.size()) > how.keep) out.resize(size_t(how.keep));
  for (ObjectBox& b : out)
    for (int a = 0; a < 3; ++a) {
      b.low[size_t(a)] = std::clamp(b.low[size_t(a)], -0.5, size[a] - 0.5);
      b.high[size_t(a)] = std::clamp(b.high[size_t(a)], -0.5, size[a] - 0.5);
    }
  return out;
}

}  // namespace voxgrad
