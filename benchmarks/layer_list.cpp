// Which convolutions there are in the networks that are measured.
#include <algorithm>

#include "benchmarks/layers.h"

namespace voxgrad::bench {
namespace {

std::string extent_text(const Int3& n) {
  return n.d == n.h && n.h == n.w ? std::to_string(n.d) : std::to_string(n.d) + "x" + std::to_string(n.h) + "x" + std::to_string(n.w);
}

// Collects layers by name: one that occurs in several networks is kept once, with the tags of all.
class LayerList {
 public:
  explicit LayerList(const Sizes& sizes) : sizes_(sizes) {}
  void tag(const char* name) { tag_ = name; }

  void conv(int c, int k, const Int3& size, const LayerOptions& o = {}) {
    LayerOptions small = o;
    small.groups = o.groups == 1 ? 1 : sizes_.channels(o.groups);
    add(conv_layer(c, k, size, o), conv_layer(sizes_.channels(c), sizes_.channels(k), shrunk(size), small));
  }
  void transposed(int c, int k, const Int3& size, int64_t n = 1) {
    add(transposed_layer(c, k, size, n), transposed_layer(sizes_.channels(c), sizes_.channels(k), shrunk(size), n));
  }
  std::vector<Layer> take() { return std::move(layers_); }

 private:
  Int3 shrunk(const Int3& s) const { return {sizes_.extent(s.d), sizes_.extent(s.h), sizes_.extent(s.w)}; }
  void add(const Layer& named, Layer measured) {
    const auto same = [&](const Layer& l) { return l.name == named.name; };
    auto found = std::find_if(layers_.begin(), layers_.end(), same);
    if (found == layers_.end()) {
      measured.name = named.name;
      found = layers_.insert(layers_.end(), std::move(measured));
    }
    if (std::find(found->tags.begin(), found->tags.end(), tag_) == found->tags.end()) found->tags.push_back(tag_);
  }

  Sizes sizes_;
  std::string tag_;
  std::vector<Layer> layers_;
};

Int3 cube(int n) { return {n, n, n}; }
constexpr LayerOptions kPoint{.kernel = {1, 1, 1}}, kHalving{.stride = {2, 2, 2}}, kPointHalving{.kernel = {1, 1, 1}, .stride = {2, 2, 2}};

// The layers whose speed is a stated goal, and those of the small network for the hippocampus.
void table_layers(LayerList& list) {
  list.tag("table");
  const Int3 small{40, 56, 40}, half{20, 28, 20};
  list.conv(1, 32, cube(64));
  list.conv(32, 32, cube(64));
  list.conv(64, 32, cube(64));
  list.conv(32, 64, cube(64), kHalving);
  list.conv(64, 64, cube(32));
  list.conv(128, 64, cube(32));
  list.conv(64, 128, cube(32), kHalving);
  list.conv(128, 128, cube(16));
  list.conv(256, 128, cube(16));
  list.conv(128, 256, cube(16), kHalving);
  list.conv(256, 256, cube(8));
  list.conv(512, 256, cube(8));
  list.conv(320, 320, cube(4));
  list.transposed(64, 32, cube(32));
  list.transposed(128, 64, cube(16));
  list.transposed(320, 256, cube(4));
  list.conv(32, 3, cube(64), kPoint);
  list.conv(64, 64, cube(32), kPoint);
  list.conv(1, 64, cube(64), {.kernel = {7, 7, 7}, .stride = {2, 2, 2}});
  list.conv(32, 32, cube(64), {.groups = 32});
  list.conv(32, 32, cube(64), {.kernel = {5, 5, 5}, .groups = 32});
  list.conv(1, 16, small);
  list.conv(16, 16, small);
  list.conv(32, 16, small);
  list.conv(16, 32, small, {.stride = {2, 2, 2}, .n = 2});
  list.conv(32, 32, half, {.n = 2});
  list.conv(64, 64, {10, 14, 10}, {.n = 2});
  list.conv(128, 128, {5, 7, 5}, {.n = 2});
  list.transposed(32, 16, half, 2);
  list.conv(16, 3, small, {.kernel = {1, 1, 1}, .n = 2});
}

// nnU-Net's plain U-Net: two convolutions per stage, features doubling from 32 up to 320, a 1x1x1 head per decoder stage.
void unet_layers(LayerList& list, const char* tag, int extent, int stages) {
  list.tag(tag);
  const auto features = [](int stage) { return std::min(320, 32 << stage); };
  const auto size = [&](int stage) { return cube(extent >> stage); };
  for (int s = 0; s < stages; ++s) {
    if (s == 0) list.conv(1, features(0), size(0));
    else list.conv(features(s - 1), features(s), size(s - 1), kHalving);
    list.conv(features(s), features(s), size(s));
  }
  for (int s = stages - 2; s >= 0; --s) {
    list.transposed(features(s + 1), features(s), size(s + 1));
    list.conv(2 * features(s), features(s), size(s));
    list.conv(features(s), 3, size(s), kPoint);
  }
}

// He et al. 2016 in three dimensions (stride in the 3x3x3 convolution of a stage's first block): 7x7x7 stem with stride 2, pooling by 2.
void resnet50_layers(LayerList& list) {
  list.tag("resnet50");
  list.conv(1, 64, cube(128), {.kernel = {7, 7, 7}, .stride = {2, 2, 2}});
  int in = 64;
  for (int stage = 0; stage < 4; ++stage) {
    const int width = 64 << stage, out = 4 * width, before = stage == 0 ? 32 : 64 >> stage, after = 32 >> stage;
    list.conv(in, width, cube(before), kPoint);
    list.conv(width, width, cube(before), stage == 0 ? LayerOptions{} : kHalving);
    list.conv(width, out, cube(after), kPoint);
    list.conv(in, out, cube(before), stage == 0 ? kPoint : kPointHalving);
    list.conv(out, width, cube(after), kPoint);
    list.conv(width, width, cube(after));
    in = out;
  }
}

// 3x3x3 convolutions of nnU-Net's network for 128^3 on a batch of two: those of 128^3 first.
void bar_convolutions(LayerList& list) {
  list.tag("bar");
  const auto features = [](int stage) { return std::min(320, 32 << stage); };
  for (int s = 0; s < 6; ++s) {
    const Int3 size = cube(128 >> s);
    list.conv(features(s), features(s), size, {.n = 2});
    if (s < 5) list.conv(2 * features(s), features(s), size, {.n = 2});
    if (s < 5) list.conv(features(s), features(s + 1), size, {.stride = {2, 2, 2}, .n = 2});
  }
}

void bandwidth_layers(LayerList& list) {
  list.tag("bandwidth");
  const Int3 size = cube(128);
  for (const int c : {1, 2, 3, 4}) list.conv(c, 32, size, {.n = 2});
  for (const int k : {2, 3, 4}) list.conv(32, k, size, {.kernel = {1, 1, 1}, .n = 2});
  for (const int k : {3, 5, 7}) list.conv(32, 32, size, {.kernel = {k, k, k}, .groups = 32, .n = 2});
}

void shape_layers(LayerList& list) {
  const Int3 size = cube(64);
  list.tag("f16");
  list.conv(32, 32, size, {.n = 2});
  list.tag("exact");
  list.conv(32, 32, size, {.n = 2, .exact = true});
  list.tag("shape");
  list.conv(32, 32, size, {.kernel = {1, 3, 3}, .n = 2});
  list.conv(32, 32, size, {.kernel = {3, 3, 1}, .n = 2});
  list.conv(64, 64, size, {.groups = 4, .n = 2});
  list.conv(32, 32, {1, 512, 512}, {.kernel = {1, 3, 3}, .n = 2});
  list.conv(32, 32, size, {.kernel = {5, 5, 5}, .n = 2});
  list.conv(32, 64, size, {.kernel = {2, 2, 2}, .stride = {2, 2, 2}, .n = 2});
  list.conv(64, 64, size, {.kernel = {1, 1, 1}, .n = 2});
  list.transposed(64, 32, size, 2);
  list.transposed(128, 64, cube(32), 2);
}

}  // namespace

Layer conv_layer(int64_t c, int64_t k, const Int3& size, const LayerOptions& o) {
  Layer l{.p = {.n = o.n, .c = c, .k = k, .groups = o.groups, .in = size, .kernel = o.kernel, .stride = o.stride}};
  for (int a = 0; a < 3; ++a) {
    l.p.padding[a] = (o.kernel[a] - 1) / 2;
    l.p.out[a] = (size[a] + 2 * l.p.padding[a] - o.kernel[a]) / o.stride[a] + 1;
  }
  const std::string channels = std::to_string(c) + "-" + std::to_string(k), width = extent_text(o.kernel);
  if (o.groups > 1 && o.groups == c) l.name = "dw" + width + " " + std::to_string(c);
  else l.name = width == "3" ? channels : (width == "1" ? "1x1" : width) + " " + channels;
  if (o.groups > 1 && o.groups < c) l.name += " in " + std::to_string(o.groups);
  if (o.stride.d > 1) l.name += "/" + extent_text(o.stride);
  l.name += " at " + extent_text(size) + (o.n > 1 ? ", " + std::to_string(o.n) : "") + (o.exact ? " exact" : "");
  l.p.exact_f32 = o.exact;
  return l;
}

Layer transposed_layer(int64_t c, int64_t k, const Int3& size, int64_t n) {
  const Int3 two{2, 2, 2}, large{2 * size.d, 2 * size.h, 2 * size.w};
  return {.name = "T" + std::to_string(c) + "-" + std::to_string(k) + " at " + extent_text(size) + (n > 1 ? ", " + std::to_string(n) : ""),
          .p = {.n = n, .c = k, .k = c, .in = large, .out = size, .kernel = two, .stride = two},
          .transposed = true};
}

std::vector<Layer> network_layers(const Sizes& sizes) {
  LayerList list(sizes);
  table_layers(list);
  unet_layers(list, "unet64", 64, 5);
  unet_layers(list, "unet128", 128, 6);
  resnet50_layers(list);
  return list.take();
}

std::vector<Layer> bar_layers(const Sizes& sizes) {
  LayerList list(sizes);
  bar_convolutions(list);
  bandwidth_layers(list);
  shape_layers(list);
  return list.take();
}

}  // namespace voxgrad::bench
