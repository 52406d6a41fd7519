// Which kernel a convolution on the tensor cores takes, by device and shape alone, so that the bits of results repeat.
#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"

#include <cstdlib>
#include <string>

#include "core/error.h"
#include "kernels/conv3d/conv3d_choice_log.h"

namespace voxgrad {
namespace {

// The first line that holds decides. wgmma has at least 32 output channels and 64 outputs in a row of products, and its blocks, one on each
// multiprocessor, wait for one halo after the other: shapes of few taps, of few channels or of much waste are better off with several
// blocks of mma. Where lines take fewer cycles of the tensor cores than wgmma they take its place. Nothing of this table was measured yet:
// tools/conv_choice makes rows of a profile.
struct Rule {
  int architecture;  // 0: any
  int least_element, most_element;
  int least_outputs, least_taps;
  double most_waste;
  ConvWay way;
};
constexpr Rule kTable[] = {
    {90, 2, 2, 24, 8, 1.5, ConvWay::wgmma},
    {90, 4, 4, 24, 8, 1.5, ConvWay::wgmma},
    {0, 0, 8, 0, 0, 1e30, ConvWay::mma},
};

thread_local ConvChoiceLog* asked_log = nullptr;

ConvWay way_by_table(const ConvShape& s) {
  const bool possible = s.architecture == 90 && s.waste > 0;
  if (const char* forced = std::getenv("VOXGRAD_CONV_CUDA")) {
    const std::string name = forced;
    const bool lines = name == "lines" || name == "lines_tma", tma = name == "tma" || name == "lines_tma";
    check(name == "mma" || name == "wgmma" || lines || tma || name == "winograd", "VOXGRAD_CONV_CUDA: ", name,
          "; mma, wgmma, tma, lines, lines_tma and winograd are possible");
    if (name == "winograd") return s.winograd ? ConvWay::winograd : ConvWay::mma;
    if (name == "mma" || !possible) return ConvWay::mma;
    if (lines && s.lines > 0) return tma && s.line_boxes ? ConvWay::lines_tma : ConvWay::lines;
    return tma && s.boxes ? ConvWay::tma : ConvWay::wgmma;
  }
  for (const Rule& r : kTable)
    if ((r.architecture == 0 || r.architecture == s.architecture) && s.element >= r.least_element && s.element <= r.most_element &&
        s.outputs >= r.least_outputs && s.taps >= r.least_taps && s.waste <= r.most_waste &&
        (r.way == ConvWay::mma || possible)) {
      if (r.way == ConvWay::mma || s.lines <= 1) return r.way == ConvWay::tma && !s.boxes ? ConvWay::wgmma : r.way;
      return r.way == ConvWay::tma && s.line_boxes ? ConvWay::lines_tma : ConvWay::lines;
    }
  return ConvWay::mma;
}

}  // namespace

ConvChoiceLog::ConvChoiceLog() : before_(asked_log) { asked_log = this; }
ConvChoiceLog::~ConvChoiceLog() { asked_log = before_; }

const char* name_of(ConvWay way) {
  constexpr const char* kNames[] = {"mma", "wgmma", "tma", "lines", "lines_tma", "winograd"};
  return kNames[int(way)];
}

ConvWay conv_way(const ConvShape& s) {
  const ConvWay way = way_by_table(s);
  if (asked_log) asked_log->asked.push_back({s, way});
  return way;
}

bool conv_blocks_share() {
  const char* const told = std::getenv("VOXGRAD_CONV_CLUSTERS");
  const std::string value = told ? told : "1";
  check(value == "0" || value == "1", "VOXGRAD_CONV_CLUSTERS: ", value, "; 0 and 1 are possible");
  return value == "1";
}

}  // namespace voxgrad
