#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/shape.h"
#include "data/dataset.h"

namespace voxgrad {

// Bytes that reading and preprocessing a case takes at its peak, about: by the headers of its files, at the spacing {d, h, w} in mm
// that it is brought to (0: as it is). 0 where they cannot be read, which who reads the case says.
size_t bytes_to_prepare(const DatasetCase&, const std::array<double, 3>& spacing);

struct CaseWork {
  std::string what;                 // "preparing", for the progress
  std::string unit = "case";
  std::vector<size_t> bytes = {};   // that the work on each takes; empty: little
  size_t limit = SIZE_MAX;          // of what is worked on at one time takes; a case that takes more is worked on with others waiting
};
// f(i) for each of the cases `ids` in several threads, each of which computes with its share of them, with a progress bar on the error
// stream. After an Error no case is begun; of several, that of the first case is thrown.
void for_cases(const std::vector<std::string>& ids, const CaseWork&, const std::function<void(size_t)>& f);

}  // namespace voxgrad
