#pragma once
#include <array>
#include <functional>
#include <vector>

#include "infer/model_file.h"
#include "infer/sliding_window.h"

namespace voxgrad {

// Seconds, added to.
struct PredictTimes {
  double outputs = 0;  // of the network, with the weighted mean over tiles
  double rows = 0;     // what takes rows of outputs: resampling, argmax
};

struct PredictOptions {
  double overlap = 0.5;  // of neighbouring tiles
  bool mirror = false;   // average over the eight mirror images
  int shift = 0;         // voxels; of values per image: average over the image as it is and moved this far both ways along each axis
  int64_t batch = 1;     // tiles and mirror images that the network computes at once, where it gives a value per voxel
  bool skip_empty = false;  // tiles of background get what the network gives for one (infer/uniform_tiles.h)
  Device device = {};
  Int3 patch = {0, 0, 0};  // of the sliding window; 0: as trained
  int margin = 0;  // SlidingWindowOptions::margin, along axes where a patch has more than one voxel
  std::function<void(int64_t done, int64_t total)> progress = {};  // in tiles
  std::filesystem::path postprocessing = {};  // JSON of what is done to a mask in the end; empty: nothing
  PredictTimes* times = nullptr;  // of predict_rows
  std::filesystem::path probabilities = {};  // .npz to write those of every voxel to, by tasks that have them; empty: not wanted
};
// What the model was trained to be used with.
PredictOptions predict_options(const ModelDescription&);

// Outputs f32 {D, H, W, K} of a network that gives a value per voxel, for a preprocessed image f32 {D, H, W, C} of any extents. Where
// memory runs out, the error says which patch would fit.
Tensor predict_volume(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&);
// The same, handed over in rows while it is computed: no more than a patch's depth of outputs exists.
void predict_rows(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&, const RowSink&);

// Outputs f32 {K} of a network that gives values per image: those of the patch in the middle of the image, among zeros where the image is
// smaller; with options.mirror the mean over the mirror images along d.mirror_axes, with options.shift the mean over the patch in the
// middle and those that begin `shift` voxels before and behind it along each axis on which a patch has more than one voxel: 5 in a slice, 7
// in a volume.
Tensor predict_values(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&);
// The same of each tile of a sliding window over the image: {tiles, K}.
Tensor predict_tile_values(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&);

// A patch of the sliding window, maybe turned round.
struct SeenTile {
  Int3 begin;                // of its first voxel in the image; negative where the image is smaller than the patch, among zeros
  std::vector<int> mirrored;  // axes 1 to 3 of {N, D, H, W, C} along which it was mirrored
  int64_t number, count;     // of all of them
};
// Places of patches along each axis of an image, as a sliding window has them.
std::array<std::vector<int64_t>, 3> tile_places(const ModelDescription&, const Int3& image, const PredictOptions&);
// All outputs of the network for each of these patches and, with options.mirror, for each of its mirror images, on the device: for tasks
// whose outputs are no values of voxels.
void predict_tiles(const Network&, const ModelDescription&, const Tensor& image, const PredictOptions&,
                   const std::function<void(const std::vector<Tensor>&, const SeenTile&)>&);
// The patch of the sliding window: as trained, or as the options say.
Int3 patch_of(const ModelDescription&, const PredictOptions&);

// Where the middle of an axis begins: of the patch that predict_values takes, negative where the image is smaller.
int middle_begin(int extent, int patch);

}  // namespace voxgrad
