#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/config/json.h"
#include "io/checkpoint.h"
#include "models/network.h"
#include "train/config.h"

namespace voxgrad {

// Weights to start from, under the names that they have in their file and in the layout of this program.
struct TransferSource {
  std::string file;
  Checkpoint weights;
  std::vector<std::pair<std::string, std::string>> skipped;  // by rules, and why; not read
};
// Of config.from: whatever load_model takes (of several folds or models the first), else any file of weights (io/weights), by config.rules
// or, without them, by the rules of `network`'s own kind. network: JSON of the network that is to be trained.
TransferSource transfer_source(const TransferConfig&, const Json& network);

// What became of each tensor.
struct TransferReport {
  struct Line {
    std::string name, what;
  };
  std::string file;
  std::string taken_off, put_in_front;  // of the names in the file, to be those of the network; "module."
  std::vector<Line> loaded;             // what was done to it: empty, "2D to 3D", "3 channels to 1"
  std::vector<Line> kept;               // of the network, with values of its own, and why
  std::vector<Line> unused;             // of the file, and why
  double weights = 0, all = 0;          // numbers loaded, numbers that the network has
};
// Copies into the network what has its name and shape there, and besides
// - by names that differ by the same beginning in all of them, such as "module.": that with which most names fit;
// - kernels of one slice into kernels of T (inflation, Carreira and Zisserman 2017): each slice is the kernel / T ("average": a volume that
//   is the same along D gets what the slice got), or the middle one is the kernel and the others 0 ("center"); of transposed
//   convolutions, whose slices do not overlap, each is the kernel;
// - the first convolution for another number of channels C: the sum over the channels of the file, / C, so that the same image in all of
//   them gets the same answer.
// Tensors whose names a pattern of config.skip fits keep their values. Error where not a single tensor fits.
TransferReport transfer(Network& net, const TransferSource&, const TransferConfig&);

// A line or some for people, and all of it.
std::string describe(const TransferReport&);
Json to_json(const TransferReport&);

}  // namespace voxgrad
