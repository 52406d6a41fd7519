// Curves over an axis, for training reports.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "io/picture/picture.h"

namespace voxgrad {
namespace {
constexpr Color kPaper{255, 255, 255}, kInk{40, 44, 52}, kFaint{228, 230, 234}, kMuted{110, 116, 128};
constexpr int kLeft = 74, kRight = 20, kTop = 40, kBottom = 50;

Color curve_color(size_t i) {
  constexpr Color colors[] = {{31, 105, 190}, {214, 85, 30}, {30, 140, 80},  {150, 70, 180},
                              {190, 140, 0},  {0, 140, 150}, {200, 50, 110}, {90, 90, 90}};
  return colors[i % std::size(colors)];
}

std::string label_of(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", std::abs(v) < 1e-300 ? 0.0 : v);
  return text;
}

// Range of values, the numbers marked on it, and where a value lies.
struct Axis {
  double low = 0, high = 1;
  bool log = false;
  std::vector<double> ticks;

  double scaled(double v) const { return log ? std::log10(v) : v; }
  double at(double v) const { return (scaled(v) - scaled(low)) / (scaled(high) - scaled(low)); }
};

// Ticks at 1, 2 or 5 times a power of ten, about `wanted` of them.
Axis linear_axis(double low, double high, int wanted, bool widen) {
  if (!(high > low)) {
    const double margin = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= margin, high += margin;
  }
  const double raw = (high - low) / wanted, power = std::pow(10, std::floor(std::log10(raw)));
  const double step = power * (raw / power <= 1 ? 1 : raw / power <= 2 ? 2 : raw / power <= 5 ? 5 : 10);
  Axis axis{.low = low, .high = high};
  if (widen) axis.low = std::floor(low / step + 1e-9) * step, axis.high = std::ceil(high / step - 1e-9) * step;
  for (int64_t i = int64_t(std::ceil(axis.low / step - 1e-9)); double(i) * step <= axis.high + step * 1e-9; ++i)
    axis.ticks.push_back(double(i) * step);
  return axis;
}

Axis log_axis(double low, double high) {
  Axis axis{.low = std::pow(10, std::floor(std::log10(low) + 1e-9)), .high = std::pow(10, std::ceil(std::log10(high) - 1e-9)), .log = true};
  if (!(axis.high > axis.low)) axis.high = axis.low * 10;
  const int decades = int(std::lround(std::log10(axis.high / axis.low)));
  for (int i = 0; i <= decades; i += std::max(1, decades / 6)) axis.ticks.push_back(axis.low * std::pow(10, i));
  return axis;
}

using Point = std::array<double, 2>;
std::vector<std::vector<Point>> finite_points(const std::vector<Curve>& curves, bool log_y) {
  std::vector<std::vector<Point>> out;
  for (auto& c : curves) {
    check(c.x.size() == c.y.size(), "plot: the curve ", c.name, " has ", c.x.size(), " x and ", c.y.size(), " y");
    auto& points = out.emplace_back();
    for (size_t i = 0; i < c.x.size(); ++i)
      if (std::isfinite(c.x[i]) && std::isfinite(c.y[i]) && (!log_y || c.y[i] > 0)) points.push_back({c.x[i], c.y[i]});
  }
  return out;
}

bool within(const std::optional<PlotRange>& range, double v) { return !range || (v >= range->low && v <= range->high); }

void name_curves(Picture& p, const std::vector<Curve>& curves, const std::vector<Color>& colors, const PlotOptions& o) {
  if (o.legend == PlotOptions::Legend::top) {
    int right = o.width - kRight;
    for (size_t c = curves.size(); c-- > 0;) {
      if (curves[c].name.empty()) continue;
      right -= text_size(curves[c].name)[0];
      draw_text(p, right, 20, curves[c].name, kInk);
      right -= 22;
      draw_line(p, {double(right), 23}, {double(right + 16), 23}, colors[c], 3);
      right -= 12;
    }
    return;
  }
  int widest = 0, row = o.height - kBottom - 10;
  for (auto& c : curves) widest = std::max(widest, text_size(c.name)[0]);
  const int left = o.legend == PlotOptions::Legend::bottom_left ? kLeft + 12 : o.width - kRight - 34 - widest;
  for (size_t c = curves.size(); c-- > 0;) {
    if (curves[c].name.empty()) continue;
    row -= 14;
    if (row < kTop) break;
    draw_line(p, {double(left), row + 3.0}, {double(left + 16), row + 3.0}, colors[c], 3);
    draw_text(p, left + 22, row, curves[c].name, kInk);
  }
}
}  // namespace

Picture plot_curves(const std::vector<Curve>& curves, const PlotOptions& o) {
  Picture p(o.width, o.height, kPaper);
  const auto points = finite_points(curves, o.log_y);
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (auto& curve : points)
    for (auto& q : curve)
      for (int k = 0; k < 2; ++k) low[k] = std::min(low[k], q[k]), high[k] = std::max(high[k], q[k]);
  const bool empty = !(low[0] <= high[0]);
  if (empty) low[0] = low[1] = o.log_y ? 1 : 0, high[0] = high[1] = 1;
  const int width = o.width - kLeft - kRight, height = o.height - kTop - kBottom;
  check(width > 0 && height > 0, "plot: ", o.width, " x ", o.height, " pixels are too few");
  if (o.x_range) low[0] = o.x_range->low, high[0] = o.x_range->high;
  if (o.y_range) low[1] = o.y_range->low, high[1] = o.y_range->high;
  const Axis x = linear_axis(low[0], high[0], std::max(2, width / 90), false);
  const Axis y = o.log_y ? log_axis(low[1], high[1]) : linear_axis(low[1], high[1], std::max(2, height / 50), !o.y_range);
  const auto px = [&](double v) { return kLeft + x.at(v) * width; };
  const auto py = [&](double v) { return kTop + (1 - y.at(v)) * height; };

  for (double v : y.ticks) {
    const int row = int(std::lround(py(v)));
    fill_rectangle(p, kLeft, row, width, 1, kFaint);
    const std::string label = label_of(v);
    draw_text(p, kLeft - 8 - text_size(label)[0], row - 3, label, kMuted);
  }
  for (double v : x.ticks) {
    const int column = int(std::lround(px(v)));
    fill_rectangle(p, column, kTop, 1, height, kFaint);
    const std::string label = label_of(v);
    draw_text(p, column - text_size(label)[0] / 2, kTop + height + 8, label, kMuted);
  }
  fill_rectangle(p, kLeft, kTop + height, width + 1, 1, kInk);
  fill_rectangle(p, kLeft, kTop, 1, height, kInk);

  std::vector<Color> colors;
  size_t coloured = 0;
  for (size_t c = 0; c < points.size(); ++c) {
    using Style = Curve::Style;
    const auto& curve = points[c];
    const Style style = curves[c].style;
    colors.push_back(style == Style::reference ? kMuted : curve_color(coloured++));
    const auto inside = [&](const Point& q) { return within(o.x_range, q[0]) && within(o.y_range, q[1]); };
    for (size_t i = 0; i + 1 < curve.size() && style != Style::points; ++i)
      if (inside(curve[i]) && inside(curve[i + 1]))
        draw_line(p, {px(curve[i][0]), py(curve[i][1])}, {px(curve[i + 1][0]), py(curve[i + 1][1])}, colors[c],
                  style == Style::reference ? 1 : 1.6);
    if (style == Style::points || style == Style::line_and_points || (style == Style::line && curve.size() <= 40))
      for (auto& q : curve)
        if (inside(q)) draw_line(p, {px(q[0]), py(q[1])}, {px(q[0]), py(q[1])}, colors[c], 5);
  }
  draw_text(p, kLeft, 12, o.title, kInk, 2);
  draw_text(p, kLeft + (width - text_size(o.x_label)[0]) / 2, o.height - 18, o.x_label, kInk);
  draw_text(p, kLeft + (o.title.empty() ? 0 : text_size(o.title, 2)[0] + 14), 19, o.y_label, kMuted);
  name_curves(p, curves, colors, o);
  if (empty) draw_text(p, kLeft + width / 2 - 24, kTop + height / 2, "no data", kMuted);
  return p;
}

}  // namespace voxgrad
