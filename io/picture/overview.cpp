// Slices of a volume with label maps over them.
#include <algorithm>
#include <cmath>

#include "io/picture/picture.h"

namespace voxgrad {
namespace {
constexpr Color kGround{18, 20, 24}, kBright{235, 236, 240}, kDim{150, 155, 165};
constexpr int kMargin = 12, kGap = 6, kLine = 22;
constexpr double kTint = 0.30, kOutline = 0.95;

// Labels of one map as numbers, whatever integers it holds; absent maps are all background.
class LabelSlice {
 public:
  explicit LabelSlice(const Tensor& t) : tensor_(t) {}
  int64_t at(int64_t d, int64_t h, int64_t w) const {
    if (!tensor_) return 0;
    const int64_t i = (d * tensor_.dim(1) + h) * tensor_.dim(2) + w;
    switch (tensor_.dtype()) {
      case DType::u8: return tensor_.view().as<uint8_t>()[i];
      case DType::i16: return tensor_.view().as<int16_t>()[i];
      case DType::i64: return tensor_.view().as<int64_t>()[i];
      default: return tensor_.view().as<int32_t>()[i];
    }
  }

 private:
  const Tensor& tensor_;
};

void check_overview(const Volume& image, const std::vector<OverviewColumn>& columns, const OverviewOptions& o) {
  const Shape& s = image.data.shape();
  check(bool(image.data) && s.rank == 4 && s.count() > 0, "slice_overview: the image ", image.data, " is not {D, H, W, C}");
  check(o.channel >= 0 && o.channel < s[3], "slice_overview: there is no channel ", o.channel, " in ", image.data);
  check(!columns.empty() && o.rows > 0 && o.cell > 0, "slice_overview: wanted at least one column, row and pixel");
  check(!o.window || o.window->high > o.window->low, "slice_overview: the window from ", o.window ? o.window->low : 0, " to ",
        o.window ? o.window->high : 0, " is empty");
  for (auto& c : columns) {
    if (!c.label) continue;
    const Shape& l = c.label.shape();
    check(!is_floating(c.label.dtype()) && c.label.device().is_cpu() && l.rank >= 3 && l[0] == s[0] && l[1] == s[1] && l[2] == s[2] &&
              l.count() == s.count(0, 3),
          "slice_overview: the label map \"", c.title, "\", ", c.label, ", does not fit the image ", image.data);
  }
}

// Slices at even distances over where labels are.
std::vector<int64_t> chosen_slices(const Shape& s, const std::vector<OverviewColumn>& columns, int rows) {
  int64_t first = s[0], last = -1;
  for (auto& c : columns) {
    const LabelSlice label(c.label);
    for (int64_t d = 0; d < s[0] && c.label; ++d) {
      bool any = false;
      for (int64_t h = 0; h < s[1] && !any; ++h)
        for (int64_t w = 0; w < s[2] && !any; ++w) any = label.at(d, h, w) != 0;
      if (any) first = std::min(first, d), last = std::max(last, d);
    }
  }
  if (last < 0) first = 0, last = s[0] - 1;
  std::vector<int64_t> out;
  for (int r = 0; r < rows; ++r) {
    const int64_t d = first + std::llround((r + 0.5) / rows * double(last - first + 1) - 0.5);
    if (out.empty() || d != out.back()) out.push_back(std::min(d, last));
  }
  std::reverse(out.begin(), out.end());  // from the head down
  return out;
}

// One slice: grey values by linear interpolation, labels of the nearest voxel. Row 0 is anterior, column 0 the patient's right.
Picture draw_slice(const Volume& image, const Tensor& grey, const Tensor& label_map, int64_t d, Window window, std::array<int, 2> size) {
  const int64_t height = image.data.dim(1), width = image.data.dim(2);
  const float* g = grey.view().as<float>() + d * height * width;
  const LabelSlice label(label_map);
  Picture p(size[0], size[1]);
  const auto nearest = [](int i, int pixels, int64_t voxels) {
    return std::clamp<int64_t>(int64_t((i + 0.5) * double(voxels) / pixels), 0, voxels - 1);
  };
  const auto label_at = [&](int x, int y) {
    return label.at(d, height - 1 - nearest(y, size[1], height), width - 1 - nearest(x, size[0], width));
  };
  for (int y = 0; y < size[1]; ++y) {
    const double v = std::clamp(double(height) - 1 - ((y + 0.5) * double(height) / size[1] - 0.5), 0.0, double(height) - 1);
    const int64_t h0 = int64_t(v), h1 = std::min(h0 + 1, height - 1);
    for (int x = 0; x < size[0]; ++x) {
      const double u = std::clamp(double(width) - 1 - ((x + 0.5) * double(width) / size[0] - 0.5), 0.0, double(width) - 1);
      const int64_t w0 = int64_t(u), w1 = std::min(w0 + 1, width - 1);
      const double a = u - double(w0), b = v - double(h0);
      const double value =
          (1 - b) * ((1 - a) * g[h0 * width + w0] + a * g[h0 * width + w1]) + b * ((1 - a) * g[h1 * width + w0] + a * g[h1 * width + w1]);
      const double level = std::clamp((value - window.low) / (window.high - window.low), 0.0, 1.0);
      const auto shade = uint8_t(std::isfinite(level) ? std::lround(255 * level) : 0);
      p.set(x, y, {shade, shade, shade});
      if (!label_map) continue;
      const int64_t here = label_at(x, y);
      if (here == 0) continue;
      const bool border = (x > 0 && label_at(x - 1, y) != here) || (y > 0 && label_at(x, y - 1) != here) ||
                          (x + 1 < size[0] && label_at(x + 1, y) != here) || (y + 1 < size[1] && label_at(x, y + 1) != here);
      p.blend(x, y, label_color(here), border ? kOutline : kTint);
    }
  }
  return p;
}

// Values 1, 2, ... of the names that occur in the picture's maps, or are named.
int draw_legend(Picture* p, const OverviewOptions& o, int width, int y) {
  int x = kMargin;
  for (size_t i = 1; i < o.label_names.size(); ++i) {
    if (o.label_names[i].empty()) continue;
    const int need = 16 + text_size(o.label_names[i])[0] + 18;
    if (x + need > width && x > kMargin) x = kMargin, y += kLine - 6;
    if (p) {
      fill_rectangle(*p, x, y, 10, 8, label_color(int64_t(i)));
      draw_text(*p, x + 16, y, o.label_names[i], kBright);
    }
    x += need;
  }
  return y;
}
}  // namespace

Window window_of(const Tensor& image, int channel) {
  check(bool(image) && image.shape().rank == 4 && channel >= 0 && channel < image.dim(3), "window_of: there is no channel ", channel,
        " in ", image);
  const Tensor host = image.detach().to(Device{}).to(DType::f32);
  const int64_t channels = image.dim(3), count = image.count() / channels, step = std::max<int64_t>(1, count / 500000);
  std::vector<float> sample;
  for (int64_t i = 0; i < count; i += step)
    if (const float v = host.view().as<float>()[i * channels + channel]; std::isfinite(v)) sample.push_back(v);
  if (sample.empty()) return {};
  const auto quantile = [&](double q) {
    const auto nth = sample.begin() + std::ptrdiff_t(q * double(sample.size() - 1) + 0.5);
    std::nth_element(sample.begin(), nth, sample.end());
    return double(*nth);
  };
  Window w{quantile(0.005), quantile(0.995)};
  if (!(w.high > w.low)) w.low = quantile(0), w.high = quantile(1);
  if (!(w.high > w.low)) w.high = w.low + 1;
  return w;
}

Picture slice_overview(const Volume& image, const std::vector<OverviewColumn>& columns, const OverviewOptions& o) {
  check_overview(image, columns, o);
  const Shape& s = image.data.shape();
  const Vec3 spacing = image.spacing();
  const double tall = double(s[1]) * spacing[1], wide = double(s[2]) * spacing[2], scale = o.cell / std::max(tall, wide);
  const std::array<int, 2> cell = {std::max(1, int(std::lround(wide * scale))), std::max(1, int(std::lround(tall * scale)))};
  const auto slices = chosen_slices(s, columns, o.rows);
  const Window window = o.window ? *o.window : window_of(image.data, o.channel);
  Tensor grey = Tensor::empty({s[0], s[1], s[2]});
  {
    const Tensor values = image.data.detach().to(Device{}).to(DType::f32);
    const float* from = values.view().as<float>() + o.channel;
    float* to = grey.view().as<float>();
    for (int64_t i = 0; i < grey.count(); ++i) to[i] = from[i * s[3]];
  }
  int column_width = cell[0];
  for (auto& c : columns) column_width = std::max(column_width, text_size(c.title)[0]);
  const int top = kMargin + (o.title.empty() ? 0 : kLine + 4) + kLine - 6;
  const int width = std::max(2 * kMargin + int(columns.size()) * (column_width + kGap) - kGap, 2 * kMargin + text_size(o.title, 2)[0]);
  const int legend = top + int(slices.size()) * (cell[1] + kGap) + 4;
  const bool named = o.label_names.size() > 1;
  Picture p(width, named ? draw_legend(nullptr, o, width, legend) + 8 + kMargin : legend - 4 - kGap + kMargin, kGround);
  draw_text(p, kMargin, kMargin, o.title, kBright, 2);
  for (size_t c = 0; c < columns.size(); ++c) {
    const int x = kMargin + int(c) * (column_width + kGap);
    draw_text(p, x, top - 12, columns[c].title, kDim);
    for (size_t r = 0; r < slices.size(); ++r)
      paste(p, draw_slice(image, grey, columns[c].label, slices[r], window, cell), x, top + int(r) * (cell[1] + kGap));
  }
  if (named) draw_legend(&p, o, width, legend);
  return p;
}

}  // namespace voxgrad
