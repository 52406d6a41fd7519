#pragma once
#include <functional>

#include "core/config/json_values.h"
#include "core/error.h"

namespace voxgrad::bench {

// A plan of cuDNN for a pass of a layer, ready to run.
struct CudnnOffer {
  int64_t engine = 0;   // cuDNN's number of it
  bool repeats = true;  // whether it gives the same bits every time
  int64_t workspace = 0;
  std::function<void()> run;
};

struct EngineSearch {
  int most = 8;                // offers that are looked at
  std::function<bool()> more;  // whether there is time for another one
  std::function<double(const std::function<void()>&)> time;
};

// The fastest of offers: {"seconds", "engine", "repeats", "workspace", "place" (in the order in which they are offered, from 1), "tried"};
// null where there are none. `offers` is called with what takes one and says whether to go on; one that throws is passed over.
inline nlohmann::ordered_json best_engine(const std::function<void(const std::function<bool(const CudnnOffer&)>&)>& offers,
                                          const EngineSearch& o) {
  nlohmann::ordered_json best;
  int place = 0, tried = 0;
  offers([&](const CudnnOffer& offer) {
    ++place;
    try {
      const double seconds = o.time(offer.run);
      ++tried;
      if (best.is_null() || seconds < best.at("seconds").get<double>())
        best = {{"seconds", seconds}, {"engine", offer.engine}, {"repeats", offer.repeats}, {"workspace", offer.workspace},
                {"place", place}};
    } catch (const Error&) {  // cuDNN offers it and cannot run it
    }
    return place < o.most && o.more();
  });
  if (!best.is_null()) best["tried"] = tried;
  return best;
}

}  // namespace voxgrad::bench
