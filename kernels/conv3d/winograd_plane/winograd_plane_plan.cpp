#include "kernels/conv3d/winograd_plane/winograd_plane_plan.h"

#include <algorithm>

#include "kernels/conv3d/winograd/winograd.h"

namespace voxgrad {
namespace {

constexpr int64_t kBlockBytes = 768 << 10;  // of the frequencies of a block, in a second-level cache of 1 MiB
constexpr int64_t kFewest = 8;              // tiles of a block
constexpr int64_t kMost = 32;               // tiles of a block
constexpr int64_t kMostPlanes = 8;          // of inputs whose frequencies are kept for a plane of outputs
constexpr int64_t kStreamedTiles = 96;      // up to which weights that exceed the caches are transformed where they are multiplied

int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }

bool rises_by_one(const std::vector<int64_t>& offset) {
  for (size_t i = 1; i < offset.size(); ++i)
    if (offset[i] != offset[i - 1] + 1) return false;
  return true;
}

std::optional<WinogradPlaneForm> form_of(const ConvGather& g, int a) {
  const auto& phases = g.axes[size_t(a)];
  if (g.kernel[a] != 3) return {};
  if (g.out_step[a] == 1 && phases.size() == 1 && rises_by_one(phases[0].offset) && g.in_step[a] <= 2)
    return g.in_step[a] == 1 ? WinogradPlaneForm::plain : WinogradPlaneForm::strided;
  if (g.out_step[a] != 2 || phases.size() != 2) return {};
  const auto &outer = phases[phases[0].offset.size() == 2 ? 0 : 1].offset, &middle = phases[phases[0].offset.size() == 2 ? 1 : 0].offset;
  if (outer.size() != 2 || middle.size() != 1 || !rises_by_one(outer)) return {};
  const int64_t shift = middle[0] - outer[0];
  return shift == 0 || shift == 1 ? std::optional(WinogradPlaneForm::transposed) : std::nullopt;
}

// The largest distance between inputs along D that meet in one plane of outputs or in neighbouring ones, and 1.
int64_t span_of(const ConvGather& g) {
  int64_t low = 0, high = 0;
  bool any = false;
  for (const ConvAxis& phase : g.axes[0]) {
    if (phase.offset.empty()) continue;
    low = any ? std::min(low, phase.offset.front()) : phase.offset.front();
    high = any ? std::max(high, phase.offset.back()) : phase.offset.back();
    any = true;
  }
  return high - low + 1;
}

int64_t positions(const ConvGather& g, WinogradPlaneForm form, int a) {
  return form == WinogradPlaneForm::transposed ? (g.out[a] + 1) / 2 : g.out[a];
}

// Taps along D that lie within the volume, over all planes of outputs.
double depth_taps(const ConvGather& g) {
  int64_t taps = 0;
  for (const ConvAxis& phase : g.axes[0])
    for (int64_t m = 0; m < phase.positions; ++m)
      for (int64_t o : phase.offset) taps += m * g.in_step.d + o >= 0 && m * g.in_step.d + o < int64_t(g.in.d);
  return double(taps);
}

// In multiply-adds of vectors, measured on Zen 5 with 512-bit vectors: README.md says how.
constexpr double kIn = 15;        // a vector of inputs of a frequency and tile
constexpr double kOut = 10;       // a vector of outputs of a frequency and tile
constexpr double kWeight = 10;            // a vector of weights of a frequency
constexpr double kFarWeight = 50;         // .. where all of them exceed the caches,
constexpr double kFarBytes = kMostKeptFrequencies;  // which is from here on,
constexpr double kStreamedWeight = 9;     // .. unless they are transformed where they are multiplied
constexpr double kRestoredWeight = 50;    // .. as a gradient
constexpr double kDirect = 1.13;             // a multiply-add of the direct kernel

// Of all transformed weights in f32.
double weight_bytes(const ConvGather& g, WinogradPlaneTile tile, int64_t lanes) {
  return double(tile.weights()) * double(g.kernel.d) * double(g.inputs) * double(round_up(g.outputs, lanes)) * 4;
}

}  // namespace

bool winograd_plane_streams(const ConvGather& g, WinogradPlaneTile tile, int64_t lanes) {
  const int64_t tiles = ceil_div(positions(g, tile.form, 1), tile.m) * ceil_div(positions(g, tile.form, 2), tile.m);
  return weight_bytes(g, tile, lanes) > kFarBytes && g.n * std::max(g.in.d, g.out.d) * tiles <= kStreamedTiles;
}

double winograd_plane_cost(const ConvGather& g, WinogradPlaneTile tile, int64_t lanes, ConvPass pass) {
  const double tiles = double(g.n) * double(ceil_div(positions(g, tile.form, 1), tile.m) * ceil_div(positions(g, tile.form, 2), tile.m));
  const double in = double(ceil_div(g.inputs, lanes)), out = double(ceil_div(g.outputs, lanes)), f = tile.frequencies();
  const double vectors = double(g.inputs) * out;
  const double weight = pass == ConvPass::weight_gradient          ? kRestoredWeight
                        : winograd_plane_streams(g, tile, lanes)   ? kStreamedWeight
                        : weight_bytes(g, tile, lanes) > kFarBytes ? kFarWeight
                                                                   : kWeight;
  return tiles * f * (depth_taps(g) * vectors + kIn * double(g.in.d) * in + kOut * double(g.out.d) * out) +
         weight * tile.weights() * double(g.kernel.d) * vectors;
}

double winograd_plane_direct_cost(const ConvGather& g, int64_t lanes) {
  double taps = depth_taps(g) * double(g.n);
  for (int a = 1; a < 3; ++a) {
    int64_t reads = 0;
    for (const ConvAxis& phase : g.axes[size_t(a)]) reads += phase.positions * int64_t(phase.offset.size());
    taps *= double(reads);
  }
  return taps * double(g.inputs) * double(ceil_div(g.outputs, lanes)) * kDirect;
}

WinogradPlaneLayout::WinogradPlaneLayout(WinogradPlaneTile tile, int64_t tiles, int64_t channels, int64_t line) {
  const int64_t step = tiles * channels;
  for (int h = 0; h < tile.classes(); ++h)
    for (int w = 0; w < tile.classes(); ++w) {
      const WinogradPlaneClass ch = tile.axis_class(h), cw = tile.axis_class(w);
      const int nh = tile.m + ch.taps - 1, nw = tile.m + cw.taps - 1, gh = ch.taps == 1 ? 1 : nh, gw = cw.taps == 1 ? 1 : nw;
      const size_t first = groups.size();
      const int64_t rows = int64_t(nh / gh) * (nw / gw);
      for (int i = 0; i < gh * gw; ++i) {
        groups.push_back({size, rows});
        size += round_up(rows * step, line) + line;
      }
      for (int i = 0; i < nh; ++i)
        for (int j = 0; j < nw; ++j) {
          const int row = gh == 1 && gw == 1 ? i * nw + j : gh == 1 ? i : gw == 1 ? j : 0;
          place.push_back(groups[first + size_t((gh == 1 ? 0 : i) * gw + (gw == 1 ? 0 : j))].at + row * step);
        }
    }
}

std::optional<WinogradPlaneForm> winograd_plane_form(const ConvGather& g, int64_t lanes, ConvPass pass) {
  if (g.depthwise || g.slices != 1 || g.inputs < lanes || g.outputs < lanes || span_of(g) > kMostPlanes) return {};
  const auto form = form_of(g, 1);
  if (!form || form_of(g, 2) != form || (pass == ConvPass::weight_gradient && *form == WinogradPlaneForm::transposed)) return {};
  return form;
}

std::optional<WinogradPlaneTile> winograd_plane_tile(const ConvGather& g, int64_t lanes, ConvPass pass, double direct) {
  const auto form = winograd_is_wanted() ? winograd_plane_form(g, lanes, pass) : std::nullopt;
  if (!form) return {};
  double best = direct * winograd_plane_direct_cost(g, lanes);
  std::optional<WinogradPlaneTile> chosen;
  for (int m : {2, 4})
    if (const double cost = winograd_plane_cost(g, {*form, m}, lanes, pass); cost < best) {
      best = cost;
      chosen = WinogradPlaneTile{*form, m};
    }
  return chosen;
}

WinogradPlanePlan winograd_plane_plan(const ConvGather& g, WinogradPlaneTile tile, int64_t in_bytes, int64_t out_bytes) {
  return winograd_plane_plan(g, tile, std::clamp(kBlockBytes / (tile.frequencies() * (span_of(g) * in_bytes + out_bytes)), kFewest, kMost));
}

WinogradPlanePlan winograd_plane_plan(const ConvGather& g, WinogradPlaneTile tile, int64_t most) {
  WinogradPlanePlan p{.tile = tile, .span = span_of(g)};
  int64_t left = std::max<int64_t>(most, 1);
  for (int i = 1; i >= 0; --i) {
    WinogradPlaneAxis& axis = p.axis[i];
    const auto& phases = g.axes[size_t(i + 1)];
    axis.tiles = ceil_div(positions(g, tile.form, i + 1), tile.m);
    axis.count = ceil_div(axis.tiles, std::min(axis.tiles, left));
    axis.block = ceil_div(axis.tiles, axis.count);
    axis.count = ceil_div(axis.tiles, axis.block);
    left = std::max<int64_t>(left / axis.block, 1);
    if (tile.form == WinogradPlaneForm::transposed) {
      axis.parity = phases[0].offset.size() == 1 ? 0 : 1;
      const ConvAxis &middle = phases[size_t(axis.parity)], &outer = phases[size_t(1 - axis.parity)];
      axis.low = outer.offset[0];
      axis.shift = int(middle.offset[0] - outer.offset[0]);
      axis.tap[0] = outer.tap[0];
      axis.tap[1] = middle.tap[0];
      axis.tap[2] = outer.tap[1];
    } else {
      axis.low = phases[0].offset[0];
      for (size_t t = 0; t < 3; ++t) axis.tap[t] = phases[0].tap[t];
    }
  }
  return p;
}

}  // namespace voxgrad
