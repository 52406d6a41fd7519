// Every algorithm that can compute a convolution of f32 on the CPU, chosen or not, with the cost by which it is chosen
// (kernels/conv3d/README.md).
#include <limits>

#include "benchmarks/layers.h"
#include "kernels/conv3d/direct/direct.h"
#include "kernels/conv3d/winograd/winograd.h"
#include "kernels/conv3d/winograd_boxes/winograd_boxes.h"
#include "kernels/conv3d/winograd_plane/winograd_plane.h"

namespace voxgrad::bench {
namespace {

// One way to compute a pass: of x and w into y or, as a weight gradient, of x and y into w.
struct Algorithm {
  std::string name;
  double cost;
  std::function<void(const ConvGather&, const ConvInput& x, View w, View y)> run;
};

std::vector<Algorithm> algorithms(const ConvGather& g, ConvPass pass) {
  const int64_t lanes = conv_isa<float>().lanes;
  const bool gradient = pass == ConvPass::weight_gradient;
  std::vector<Algorithm> all;
  const auto add = [&](const std::string& name, double cost, auto gather, auto weight_gradient) {
    all.push_back({name, cost, [=](const ConvGather& of, const ConvInput& x, View w, View y) {
                     gradient ? weight_gradient(of, x, y, w) : gather(of, x, w, y);
                   }});
  };
  const auto plane = winograd_plane_form(g, lanes, pass);
  if (!winograd_is_eligible(g) && !plane) return all;
  add(
      "direct", winograd_is_eligible(g) ? winograd_direct_cost(g, lanes, pass) : winograd_plane_direct_cost(g, lanes),
      [](auto& of, auto& x, View w, View y) { direct_gather<float>(of, x, {w}, y); },
      [](auto& of, auto& x, View y, View w) { direct_weight_gradient<float>(of, x, y, w); });
  for (int m : {2, 4})
    if (plane) {
      const WinogradPlaneTile tile{*plane, m};
      add(
          "winograd plane " + std::to_string(m), winograd_plane_cost(g, tile, lanes, pass),
          [=](auto& of, auto& x, View w, View y) {
            winograd_plane_gather<float>(of, tile, x, {w, {}}, y);
          },
          [=](auto& of, auto& x, View y, View w) { winograd_plane_weight_gradient<float>(of, tile, x, y, w); });
    }
  if (!winograd_is_eligible(g)) return all;
  for (const WinogradTile tile : {WinogradTile{2, 2, 2}, WinogradTile{2, 2, 4}, WinogradTile{2, 4, 4}, WinogradTile{4, 4, 4}})
    add(
        "winograd " + std::to_string(tile.d) + "x" + std::to_string(tile.h) + "x" + std::to_string(tile.w),
        winograd_cost(g, tile, lanes, pass),
        [=](auto& of, auto& x, View w, View y) {
          winograd_gather<float>(of, tile, x, {w, {}}, y);
        },
        [=](auto& of, auto& x, View y, View w) { winograd_weight_gradient<float>(of, tile, x, y, w); });
  if (const auto plan = winograd_boxes_cheapest(g, lanes, pass, std::numeric_limits<double>::infinity()))
    add(
        "winograd boxes", winograd_boxes_cost(g, *plan, pass),
        [=](auto& of, auto& x, View w, View y) {
          winograd_boxes_gather<float>(of, *plan, x, {w, {}}, y);
        },
        [=](auto& of, auto& x, View y, View w) { winograd_boxes_weight_gradient<float>(of, *plan, x, y, w); });
  return all;
}

}  // namespace

void add_algorithm_cases(const Sizes& sizes, std::vector<Case>& cases) {
  std::vector<Layer> layers;
  const auto add = [&](const std::string& name, int c, int k, const Int3& size, const LayerOptions& o = {}) {
    const Int3 extent{sizes.extent(size.d), sizes.extent(size.h), sizes.extent(size.w)};
    layers.push_back(conv_layer(sizes.channels(c), sizes.channels(k), extent, o));
    layers.back().name = name;
  };
  for (int c : {8, 12, 16, 24, 40, 64, 128}) add("channels " + std::to_string(c), c, c, {32, 32, 32});
  add("32-64/2", 32, 64, {64, 64, 64}, {.stride = {2, 2, 2}});
  add("128-256/2", 128, 256, {16, 16, 16}, {.stride = {2, 2, 2}});
  add("slices of 32", 32, 32, {16, 64, 64}, {.kernel = {1, 3, 3}});
  add("slices of 256", 256, 256, {4, 14, 14}, {.kernel = {1, 3, 3}});
  add("slices of 512", 512, 512, {4, 7, 7}, {.kernel = {1, 3, 3}});
  for (const Layer& layer : layers)
    for (Pass pass : {Pass::forward, Pass::weight_gradient}) {
      const bool gradient = pass == Pass::weight_gradient;
      for (const Algorithm& a : algorithms(forward_gather(layer.p), gradient ? ConvPass::weight_gradient : ConvPass::gather)) {
        cases.push_back({.group = "algorithms",
                         .name = layer.name + "/" + name_of(pass) + "/" + a.name,
                         .work = layer.work(),
                         .dtypes = {DType::f32},
                         .prepare =
                             [=](const Setting& s) {
                               const LayerTensors t = layer_tensors(layer, s.dtype, s.device);
                               const auto run = [=] {
                                 a.run(forward_gather(layer.p), ConvInput(t.x.view(), layer.p.c), t.w.view(), t.y.view());
                               };
                               return Job{.contenders = {{"voxgrad", run}},
                                          .flops = layer.flops(),
                                          .bytes = double(t.x.bytes() + t.y.bytes() + t.w.bytes()),
                                          .facts = [cost = a.cost] {
                                            return Json{{"cost", cost}};
                                          }};
                             },
                         .of_cpu = true});
      }
    }
}

}  // namespace voxgrad::bench
