#include "kernels/conv3d/conv3d_plan.h"

#include <algorithm>
#include <utility>

namespace voxgrad {
namespace {

constexpr int64_t kDepthwiseBlock = 64;       // channels
constexpr int64_t kTileBytes = 384 << 10;     // of a second-level cache of 1 MiB; also what Intel's and AMD's smaller ones hold
constexpr int64_t kRow = 64, kVoxels = 2048;  // the most positions of a row and of a tile
constexpr int64_t kSmallest = 48;             // positions that a tile keeps when it is split to occupy more threads

// Slices as the forward pass sees them.
ConvGather slices_of(const Conv3dProblem& p) {
  ConvGather g{.n = p.n, .kernel = p.kernel};
  const int64_t cg = p.c / p.groups, kg = p.k / p.groups;
  g.depthwise = p.groups > 1 && cg == 1 && kg == 1;
  g.slices = g.depthwise ? (p.c + kDepthwiseBlock - 1) / kDepthwiseBlock : p.groups;
  g.inputs = g.depthwise ? std::min(p.c, kDepthwiseBlock) : cg;
  g.outputs = g.depthwise ? g.inputs : kg;
  g.w_tap = p.w_channels > 0 ? p.w_channels : cg;
  g.w_slice = g.outputs * p.taps() * g.w_tap;
  return g;
}

// The largest number of positions of a phase.
int64_t most_positions(const std::vector<ConvAxis>& phases) {
  int64_t n = 0;
  for (auto& a : phases) n = std::max(n, a.positions);
  return n;
}

}  // namespace

ConvGather forward_gather(const Conv3dProblem& p) {
  ConvGather g = slices_of(p);
  g.in_channels = p.c;
  g.out_channels = p.k;
  g.in = p.in;
  g.out = p.out;
  g.in_step = p.stride;
  g.w_input = 1;
  g.w_output = p.taps() * g.w_tap;
  for (int a = 0; a < 3; ++a) {
    ConvAxis axis{.positions = p.out[a]};
    for (int t = 0; t < p.kernel[a]; ++t) {
      axis.offset.push_back(int64_t(t) * p.dilation[a] - p.padding[a]);
      axis.tap.push_back(t);
    }
    g.axes[size_t(a)] = {axis};
  }
  return g;
}

ConvGather gradient_gather(const Conv3dProblem& p) {
  ConvGather g = slices_of(p);
  g.in_channels = p.k;
  g.out_channels = p.c;
  g.in = p.out;
  g.out = p.in;
  g.out_step = p.stride;
  std::swap(g.inputs, g.outputs);
  g.w_input = p.taps() * g.w_tap;
  g.w_output = g.depthwise ? g.w_input : 1;
  for (int a = 0; a < 3; ++a) {
    const int64_t stride = p.stride[a];
    for (int64_t f = 0; f < std::min<int64_t>(stride, p.in[a]); ++f) {
      ConvAxis axis{.positions = (p.in[a] - f + stride - 1) / stride, .out_offset = f};
      for (int t = p.kernel[a] - 1; t >= 0; --t) {
        const int64_t reach = f + p.padding[a] - int64_t(t) * p.dilation[a];
        if (reach % stride == 0) {
          axis.offset.push_back(reach / stride);
          axis.tap.push_back(t);
        }
      }
      g.axes[size_t(a)].push_back(axis);
    }
  }
  return g;
}

ConvTiling tile_volume(const ConvGather& g, int64_t in_bytes, int64_t out_bytes, int64_t wanted) {
  ConvTiling t;
  int64_t span[3];
  for (int a = 0; a < 3; ++a) {
    const auto& phases = g.axes[size_t(a)];
    t.positions[a] = most_positions(phases);
    t.in[a] = g.in[a];
    t.in_step[a] = g.in_step[a];
    bool any = false;
    int64_t high = 0;
    t.low[a] = 0;
    for (auto& axis : phases) {
      if (axis.offset.empty()) continue;
      t.low[a] = any ? std::min(t.low[a], axis.offset.front()) : axis.offset.front();
      high = any ? std::max(high, axis.offset.back()) : axis.offset.back();
      any = true;
    }
    span[a] = high - t.low[a] + 1;
    t.step[a] = std::min(t.in_step[a], span[a]);
    t.block[a] = 1;
  }
  const auto bytes = [&](const int64_t* b) {
    int64_t inputs = in_bytes, outputs = out_bytes;
    for (int a = 0; a < 3; ++a) {
      inputs *= (b[a] - 1) * t.step[a] + span[a];
      outputs *= b[a];
    }
    return inputs + outputs;
  };
  t.block[2] = std::min(t.positions[2], kRow);
  while (t.block[2] > 8 && bytes(t.block) > kTileBytes) t.block[2] = (t.block[2] + 1) / 2;
  for (bool grown = true; grown;) {
    grown = false;
    for (int a : {t.block[0] < t.block[1] ? 0 : 1, t.block[0] < t.block[1] ? 1 : 0}) {
      int64_t larger[3] = {t.block[0], t.block[1], t.block[2]};
      larger[a] = std::min(2 * t.block[a], t.positions[a]);
      if (larger[a] == t.block[a] || bytes(larger) > kTileBytes || larger[0] * larger[1] * larger[2] > kVoxels) continue;
      t.block[a] = larger[a];
      grown = true;
      break;
    }
  }
  const auto share = [&](int a, int64_t count) {
    t.block[a] = (t.positions[a] + count - 1) / count;
    t.count[a] = (t.positions[a] + t.block[a] - 1) / t.block[a];
  };
  for (int a = 0; a < 3; ++a) share(a, (t.positions[a] + t.block[a] - 1) / t.block[a]);
  // Down to half a block, whatever leaves the last one fullest: tasks are to be alike.
  const auto smaller = [&](int a) {
    const auto missing = [&](int64_t b) { return (t.positions[a] + b - 1) / b * b - t.positions[a]; };
    int64_t best = t.block[a] - 1;
    for (int64_t b = best; 2 * b >= t.block[a]; --b)
      if (missing(b) < missing(best)) best = b;
    return best;
  };
  while (t.tiles() < wanted && t.voxels() >= 2 * kSmallest) {
    const int a = t.block[0] > 1 && t.block[0] * 2 >= t.block[1] ? 0 : t.block[1] > 1 ? 1 : t.block[0] > 1 ? 0 : 2;
    const int64_t block = smaller(a);
    share(a, (t.positions[a] + block - 1) / block);
  }
  for (int a = 0; a < 3; ++a) t.extent[a] = (t.block[a] - 1) * t.step[a] + span[a];
  return t;
}

void read_in_place(ConvTiling& t, const ConvGather& g) {
  for (int a = 0; a < 3; ++a)
    for (const ConvAxis& axis : g.axes[size_t(a)])
      if (!axis.offset.empty() &&
          (axis.offset.front() < 0 || (axis.positions - 1) * int64_t(g.in_step[a]) + axis.offset.back() >= int64_t(g.in[a])))
        return;
  t.in_place = true;
  for (int a = 0; a < 3; ++a) {
    t.extent[a] = g.in[a];
    t.step[a] = g.in_step[a];
  }
}

std::vector<ConvPhase> phases_of(const ConvGather& g, const ConvTiling& t, int64_t channels, int64_t most_steps) {
  std::vector<ConvPhase> out;
  int64_t first_tap = 0;
  for (auto& az : g.axes[0])
    for (auto& ay : g.axes[1])
      for (auto& ax : g.axes[2]) {
        ConvPhase p{.axis = {&az, &ay, &ax}, .taps = int64_t(az.tap.size() * ay.tap.size() * ax.tap.size()), .first_tap = first_tap};
        int64_t tap = 0;
        for (int64_t oz : az.offset)
          for (int64_t oy : ay.offset) {
            const int64_t z = oz - t.low[0], y = oy - t.low[1], row = (z * t.extent[1] + y) * t.extent[2] - t.low[2];
            for (size_t i = 0; i < ax.offset.size();) {
              size_t next = i + 1;
              while (most_steps > 0 && next < ax.offset.size() && ax.offset[next] == ax.offset[next - 1] + 1) ++next;
              const int64_t steps = int64_t(next - i) * channels, cuts = most_steps > 0 ? (steps + most_steps - 1) / most_steps : 1;
              for (int64_t c = 0; c < cuts; ++c) {
                const int64_t from = steps * c / cuts, to = steps * (c + 1) / cuts;
                p.pieces.push_back({{(row + ax.offset[i]) * channels + from, (tap + int64_t(i)) * channels + from, to - from}, z, y});
              }
              i = next;
            }
            tap += int64_t(ax.offset.size());
          }
        first_tap += p.taps;
        out.push_back(std::move(p));
      }
  return out;
}

}  // namespace voxgrad
