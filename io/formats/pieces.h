#pragma once
// Voxels of one volume that lie in several files, as headers of NRRD and MetaImage name them.
#include "io/formats/formats.h"

namespace voxgrad {

// The files of a header's line "LIST" (their names are the lines that follow, which are read from `header`) or of a pattern and its
// numbers, "slice%03d.raw 1 20 1": first, last and step of what stands for %d. Beside the header, as detached_file has it. `named` holds
// the words; empty where they name one file.
std::vector<std::filesystem::path> piece_files(ByteSource& header, const std::string& named);

// Voxels from files that hold equally many each, `skip` bytes behind the start of each; skip < 0: the last bytes of each.
Tensor read_pieces(const std::vector<std::filesystem::path>&, const VoxelLayout&, int64_t skip, bool compressed, const std::string& who);

}  // namespace voxgrad
