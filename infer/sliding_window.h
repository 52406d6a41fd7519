#pragma once
#include <array>
#include <functional>
#include <vector>

#include "core/tensor.h"
#include "infer/tiles.h"
#include "models/network.h"

namespace voxgrad {

struct SlidingWindowOptions {
  Int3 patch;                       // the size the net was trained on
  double overlap = 0.5;             // in [0, 1): consecutive tiles share at least this part of their extent
  TilePlaces places = TilePlaces::spread;
  TileWeights weights = TileWeights::gaussian;  // of a voxel within its tile
  // Voxels next to those faces of a tile that lie inside the image which do not count: as many as the net sees to either side make the
  // logits those of the whole image, whatever the tiles. Tiles overlap by twice as many at the least. Not with floored weights.
  Int3 margin = {0, 0, 0};
  int64_t batch = 1;                // tiles per call of the net
  std::array<bool, 3> mirror = {};  // axes D, H, W to average over mirror images of (2, 4 or 8 times the work)
  bool skip_empty = false;          // tiles of background get what the net gives for one (infer/uniform_tiles.h)
  Device device = {};               // where the net computes
  std::function<void(int64_t done, int64_t total)> progress = {};  // called after each call of the net, in tiles (mirrored ones count)
};

// What gives logits {N, patch, K} for tiles {N, patch, C}: a function, and if there is one also another that gives the same for one tile on
// the CPU in slabs, so that they never exist at once.
class Net {
 public:
  using Slabs = std::function<SlabOutputs(const Tensor&)>;
  template <class F>
    requires(std::is_invocable_r_v<Tensor, const F&, const Tensor&> && !std::is_same_v<F, Net>)
  Net(F whole, Slabs slabs = {}) : whole_(std::move(whole)), slabs_(std::move(slabs)) {}  // NOLINT: a function is a net

  Tensor operator()(const Tensor& x) const { return whole_(x); }
  bool has_slabs() const { return bool(slabs_); }
  SlabOutputs in_slabs(const Tensor& x) const { return slabs_(x); }

 private:
  std::function<Tensor(const Tensor&)> whole_;
  Slabs slabs_;
};

// Logits of a volume: the mean over the tiles that contain a voxel, weighted by importance. image: f32 {D, H, W, C} on the CPU; result:
// f32 {D, H, W, K} on the CPU. A volume smaller than the patch is padded with zeros on both sides. The net runs at inference (nothing is
// recorded), once for all tiles that are one value throughout. Logits that are not finite are an error. The weights of a voxel are
// normalised beforehand (they are separable, and so is their sum over the grid of tiles), so no volume of weights exists but where they are
// floored.
Tensor sliding_window(const Net& net, const Tensor& image, const SlidingWindowOptions&);

// The same logits handed over in rows of the volume while they are computed: sink(first row, rows, logits {rows, H, W, K}, K), each row
// once, in order. Logits of one patch depth exist at a time, less where one tile is all and the net gives them in slabs.
using RowSink = std::function<void(int64_t first, int64_t rows, const float* logits, int64_t channels)>;
void sliding_window_rows(const Net& net, const Tensor& image, const SlidingWindowOptions&, const RowSink&);

// argmax over the classes of the same logits, u8 {D, H, W}, bit for bit; the first of equal classes wins. Holds logits of one patch depth
// only.
Tensor sliding_window_labels(const Net& net, const Tensor& image, const SlidingWindowOptions&);

// A sink that takes the argmax of rows: labels u8 {size}.
struct ArgmaxRows {
  Tensor labels;
  explicit ArgmaxRows(const Int3& size);
  void operator()(int64_t first, int64_t rows, const float* logits, int64_t classes) const;
};

// u8 {D, H, W}: argmax over the last axis of f32 {D, H, W, K}, K <= 256; the first of equal classes wins.
Tensor argmax_labels(const Tensor& logits);

}  // namespace voxgrad
