#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/volume.h"

namespace voxgrad {

struct Color {
  uint8_t r = 0, g = 0, b = 0;
  friend bool operator==(const Color&, const Color&) = default;
};
// The colour of a label value, of a curve: distinct for the first twelve, then repeating with other brightness. 0 is the background, black.
Color label_color(int64_t label);

// RGB, 8 bits, row-major, origin at the top left.
class Picture {
 public:
  Picture(int width, int height, Color background = {});
  int width() const { return width_; }
  int height() const { return height_; }
  Color at(int x, int y) const;
  void set(int x, int y, Color);                  // outside: nothing
  void blend(int x, int y, Color, double alpha);  // alpha 0: no change, 1: the colour
  const std::vector<uint8_t>& rgb() const { return rgb_; }

 private:
  int width_, height_;
  std::vector<uint8_t> rgb_;
};

void fill_rectangle(Picture&, int x, int y, int width, int height, Color);
void draw_line(Picture&, std::array<double, 2> from, std::array<double, 2> to, Color, double thickness = 1);
// A font of ASCII with capitals of 5x7 dots, `scale` pixels a dot; (x, y) is their top left. Newlines start new lines.
void draw_text(Picture&, int x, int y, std::string_view, Color, int scale = 1);
// Width and height, descenders left out.
std::array<int, 2> text_size(std::string_view, int scale = 1);
void paste(Picture& into, const Picture&, int x, int y);

void write_png(const std::filesystem::path&, const Picture&);

// Grey values: `low` is black, `high` is white.
struct Window {
  double low = 0, high = 1;
};
// The quantiles 0.5 % and 99.5 % of a channel of {D, H, W, C}, never equal.
Window window_of(const Tensor& image, int channel = 0);

// One column of an overview: a label map over the image. Absent: the image alone.
struct OverviewColumn {
  std::string title;
  Tensor label;  // u8, i16 or i32 {D, H, W} or {D, H, W, 1}
};
struct OverviewOptions {
  int rows = 3;    // axial slices, spread over where labels are (over the volume without labels)
  int cell = 224;  // pixels of the longer side of a slice
  int channel = 0;
  std::optional<Window> window;          // window_of the image without it; of a CT rather {-160, 240} HU
  std::vector<std::string> label_names;  // of the values 0, 1, ...: a legend below
  std::string title;
};
// Axial slices of a volume in canonical orientation, in rows, seen as radiologists do (anterior up, the patient's right at the left),
// with true proportions; one column per label map, drawn as a tint with an outline.
Picture slice_overview(const Volume& image, const std::vector<OverviewColumn>&, const OverviewOptions& = {});

struct Curve {
  enum class Style {
    line,             // with its points where they are few
    line_and_points,  // with its points in any case
    points,
    reference  // thin and grey, such as a diagonal; it takes no colour
  };
  std::string name;
  std::vector<double> x, y;  // points that are not finite are left out
  Style style = Style::line;
};
struct PlotRange {
  double low = 0, high = 1;
};
struct PlotOptions {
  enum class Legend { top, bottom_right, bottom_left };  // top: in one line with the title; the others within the plot, a line each
  std::string title, x_label, y_label;
  int width = 800, height = 420;
  bool log_y = false;
  std::optional<PlotRange> x_range = {}, y_range = {};  // of the axes; that of the points without it. Points beyond it are not drawn
  Legend legend = Legend::top;
};
Picture plot_curves(const std::vector<Curve>&, const PlotOptions& = {});
// Pictures below one another, left-aligned.
Picture stack_pictures(const std::vector<Picture>&);

}  // namespace voxgrad
