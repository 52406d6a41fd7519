#include "models/attention_mil/attention_mil.h"

#include <algorithm>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"
#include "kernels/softmax/softmax.h"

namespace voxgrad {

void validate(const AttentionMilConfig& c) {
  validate(c.encoder);
  for (int a = 0; a < 3; ++a) check(c.instance[a] > 0, "AttentionMilConfig: instance is ", c.instance);
  check(c.attention > 0 && c.attention <= 4096, "AttentionMilConfig: attention is ", c.attention, ", 1 to 4096 is wanted");
  check(c.dropout >= 0 && c.dropout < 1, "AttentionMilConfig: dropout is ", c.dropout, ", 0 to below 1 is wanted");
  check(c.chunk > 0, "AttentionMilConfig: chunk is ", c.chunk);
}

NetworkTraits traits_of(const AttentionMilConfig& c) { return {.in_channels = c.in_channels, .out_channels = c.classes, .dense = false}; }

InstanceGrid instance_grid(const Int3& image, const AttentionMilConfig& c) {
  InstanceGrid g;
  for (int a = 0; a < 3; ++a) {
    check(image[a] > 0, "AttentionMil: an image of ", image, " voxels");
    g.size[a] = std::min(image[a], c.instance[a]);
    const int step = c.overlap ? std::max(1, g.size[a] / 2) : g.size[a], free = image[a] - g.size[a];
    const int count = (free + step - 1) / step + 1;
    for (int i = 0; i < count; ++i) g.begin[a].push_back(count == 1 ? 0 : int(int64_t(free) * i / (count - 1)));
  }
  return g;
}

Tensor GatedAttention::operator()(const Tensor& h) const { return hooked(*this, w(tanh(v(h)) * sigmoid(u(h)))); }

AttentionMil::AttentionMil(const AttentionMilConfig& c, Rng& rng) : config(c), encoder((validate(c), c.encoder), rng) {
  const int features = int(encoder.fc.weight.dim(1));
  encoder.fc = {};
  attention.v = Linear({.in = features, .out = c.attention}, rng);
  attention.u = Linear({.in = features, .out = c.attention}, rng);
  attention.w = Linear({.in = c.attention, .out = 1}, rng);
  if (c.dropout > 0) drop.emplace(Dropout{.p = c.dropout});
  fc = Linear({.in = features, .out = c.classes}, rng);
}

AttentionMil::Bag AttentionMil::bag_of(const Tensor& x) const {
  check(x && x.shape().rank == 5 && x.dim(-1) == config.in_channels, "AttentionMil: the input is ", x, ", wanted is {N, D, H, W, ",
        config.in_channels, "}");
  const InstanceGrid g = instance_grid(x.shape().spatial(), config);
  // The copy lives as long as the graph does; hooks want to see the encoder itself.
  const auto rows_again = [encoder = encoder](const Tensor& boxes) { return encoder.pooled(boxes); };
  const bool again = config.checkpoint && !ForwardHooks::active();
  std::vector<Tensor> boxes, rows;
  const auto flush = [&] {
    const Tensor some = boxes.size() == 1 ? boxes[0] : concat(boxes, 0);
    rows.push_back(again ? checkpoint(rows_again, some) : encoder.pooled(some));
    boxes.clear();
  };
  for (const int d : g.begin[0])
    for (const int h : g.begin[1])
      for (const int w : g.begin[2]) {
        boxes.push_back(crop3d(x, {d, h, w}, g.size));
        if (int(boxes.size()) == config.chunk) flush();
      }
  if (!boxes.empty()) flush();
  const Tensor all = rows.size() == 1 ? rows[0] : concat(rows, 0);  // of all images, an instance after the other
  const Int3 counts = g.counts();
  const int64_t n = x.dim(0), count = int64_t(counts.d) * counts.h * counts.w, features = all.dim(1);
  const Tensor placed = permute(all.reshape({count, n, features}), {1, 0, 2}).reshape({n, counts.d, counts.h, counts.w, features});
  const Tensor h = instances(placed).reshape({n * count, features});
  return {h.reshape({n, count, features}), softmax(attention(h).reshape({n, count})), counts};
}

Tensor AttentionMil::operator()(const Tensor& x) const {
  const Bag bag = bag_of(x);
  const Tensor z = sum(bag.features * bag.weights.reshape({bag.weights.dim(0), bag.weights.dim(1), 1}), {1});
  return fc(drop ? (*drop)(z) : z);
}

Tensor AttentionMil::weights_of_instances(const Tensor& x) const {
  const Bag bag = bag_of(x);
  return bag.weights.reshape({x.dim(0), bag.counts.d, bag.counts.h, bag.counts.w});
}

}  // namespace voxgrad
