#include "infer/resampled_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "core/error.h"

namespace voxgrad {

ResampledRows::ResampledRows(SeparableMap map, RowSink to, int64_t slab)
    : map_(std::move(map)), to_(std::move(to)), slab_(slab / int64_t(sizeof(float))),
      plane_(int64_t(map_.axis[1].inputs) * map_.axis[2].inputs) {
  const auto& rows = map_.axis[0].rows;
  int64_t least = map_.axis[0].inputs;
  for (size_t i = rows.size(); i-- > 0;) {
    int64_t most = 0;
    for (const Tap& t : rows[i]) least = std::min<int64_t>(least, t.index), most = std::max<int64_t>(most, t.index + 1);
    reads_from_.push_back(least);
    reads_to_.push_back(most);
  }
  std::reverse(reads_from_.begin(), reads_from_.end());
  std::reverse(reads_to_.begin(), reads_to_.end());
}

void ResampledRows::operator()(int64_t first, int64_t rows, const float* values, int64_t channels) {
  check(first == end_ && first + rows <= map_.axis[0].inputs && channels > 0, "resampled rows: rows ", first, " to ", first + rows, " of ",
        channels, " channels come after row ", end_, " of ", map_.axis[0].inputs);
  const int64_t row = plane_ * channels, at_once = std::max<int64_t>(1, slab_ / std::max<int64_t>(1, row));
  if (!held_) {
    int64_t most = 1;
    for (size_t i = 0; i < reads_to_.size(); ++i) most = std::max(most, reads_to_[i] - reads_from_[i]);
    held_ = Tensor::empty({std::min<int64_t>(map_.axis[0].inputs, most + at_once), map_.axis[1].inputs, map_.axis[2].inputs, channels});
  }
  check(held_.dim(3) == channels, "resampled rows: ", channels, " channels come after ", held_.dim(3));
  while (rows > 0) {
    const int64_t taken = std::min({rows, at_once, held_.dim(0) - (end_ - begin_)});
    std::memcpy(held_.mutable_data<float>().data() + (end_ - begin_) * row, values, size_t(taken * row) * sizeof(float));
    values += taken * row, end_ += taken, rows -= taken;
    hand_on();
  }
}

void ResampledRows::hand_on() {
  const Unrecorded quiet;
  const int64_t results = int64_t(reads_from_.size()), channels = held_.dim(3), row = plane_ * channels;
  const int64_t wide = int64_t(map_.axis[1].rows.size()) * int64_t(map_.axis[2].rows.size()) * channels;
  const int64_t at_once = std::max<int64_t>(1, slab_ / std::max<int64_t>(1, wide));
  while (next_ < results && reads_to_[size_t(next_)] <= end_) {
    int64_t last = next_ + 1;
    while (last < results && last - next_ < at_once && reads_to_[size_t(last)] <= end_) ++last;
    SeparableMap part = map_;
    part.axis[0] = {.inputs = int(end_ - begin_)};
    for (int64_t i = next_; i < last; ++i) {
      std::vector<Tap> taps = map_.axis[0].rows[size_t(i)];
      for (Tap& t : taps) t.index -= int(begin_);
      part.axis[0].rows.push_back(std::move(taps));
    }
    const Tensor slab = apply_to_volume(part, held_.rows(0, end_ - begin_));
    to_(next_, last - next_, slab.view().as<float>(), channels);
    next_ = last;
  }
  const int64_t needed = next_ < results ? std::min(reads_from_[size_t(next_)], end_) : end_;
  if (needed > begin_) {
    float* at = held_.mutable_data<float>().data();
    std::memmove(at, at + (needed - begin_) * row, size_t((end_ - needed) * row) * sizeof(float));
    begin_ = needed;
  }
}

void softmax_to(const float* x, int64_t channels, float* to, int64_t stride) {
  const float most = *std::max_element(x, x + channels);
  float sum = 0;
  for (int64_t k = 0; k < channels; ++k) sum += to[k * stride] = std::exp(x[k] - most);
  for (int64_t k = 0; k < channels; ++k) to[k * stride] /= sum;
}

RowSink softmax_rows(RowSink to, const Int3& size) {
  const int64_t plane = int64_t(size.h) * size.w;
  return [to = std::move(to), plane](int64_t first, int64_t rows, const float* x, int64_t channels) {
    std::vector<float> y(size_t(rows * plane * channels));
    parallel_for(rows * plane, (1 << 15) / channels + 1, [&](int64_t v) {
      softmax_to(x + v * channels, channels, y.data() + v * channels, 1);
    });
    to(first, rows, y.data(), channels);
  };
}

}  // namespace voxgrad
