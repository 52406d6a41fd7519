// A network of your own: tells balls from cubes, then, with its encoder frozen and another head, small ones from large ones.
#include <voxgrad/voxgrad.h>

#include <cstdio>

using namespace voxgrad;

// A module lists its fields; parameters, checkpoints, freezing and moving to a device follow from that.
struct Classifier {
  Sequential<ConvBlock, ConvBlock, ConvBlock> encoder;
  Linear head;
  FIELDS(encoder, head)

  Classifier(int classes, Rng& rng)
      : encoder(ConvBlock({.in = 1, .out = 8, .norm = NormKind::batch}, rng),
                ConvBlock({.in = 8, .out = 16, .stride = {2, 2, 2}, .norm = NormKind::batch}, rng),
                ConvBlock({.in = 16, .out = 32, .stride = {2, 2, 2}, .norm = NormKind::batch}, rng)),
        head({.in = 32, .out = classes}, rng) {}
  Tensor operator()(const Tensor& x) const { return head(mean(encoder(x), {1, 2, 3})); }  // {N, D, H, W, 1} to {N, classes}
};

// Images {N, 16, 16, 16, 1} of one object each in noise, and what it is: 0 a ball, 1 a cube; 0 small, 1 large.
struct Objects {
  Tensor image, kind, large;
};
Objects make_objects(int n, Rng rng) {
  std::vector<float> image;
  std::vector<uint8_t> kind, large;
  for (int i = 0; i < n; ++i) {
    kind.push_back(rng.coin(0.5));
    large.push_back(rng.coin(0.5));
    const double radius = rng.uniform(3, 4) + 2 * large[size_t(i)], half = 0.8 * radius;  // a cube of nearly the same volume
    const double at[] = {rng.uniform(6, 10), rng.uniform(6, 10), rng.uniform(6, 10)};
    for (int d = 0; d < 16; ++d)
      for (int h = 0; h < 16; ++h)
        for (int w = 0; w < 16; ++w) {
          const double x = std::abs(d - at[0]), y = std::abs(h - at[1]), z = std::abs(w - at[2]);
          const bool inside = kind[size_t(i)] ? std::max({x, y, z}) < half : x * x + y * y + z * z < radius * radius;
          image.push_back(float(inside + 0.1 * rng.normal()));
        }
  }
  return {Tensor::from(image, {n, 16, 16, 16, 1}), Tensor::from(kind, {n}), Tensor::from(large, {n})};
}

void train(Classifier& net, Tensor Objects::*label, int steps, double rate) {
  AdamW optimizer(parameters(net), {.learning_rate = rate});  // of a frozen encoder there are none
  for (int step = 0; step < steps; ++step) {
    const Objects batch = make_objects(16, Rng(1).at(uint64_t(step)));
    backward(cross_entropy(net(batch.image), batch.*label));
    optimizer.set_learning_rate(cosine_lr({.base = rate, .total = steps}, step));
    optimizer.step();
  }
}

double accuracy(const Classifier& net, Tensor Objects::*label) {
  const Inference scope;  // nothing is recorded, batch norm uses its running statistics
  const Objects test = make_objects(200, Rng(2));
  const auto predicted = argmax_channels(net(test.image)).to_vector<uint8_t>(), truth = (test.*label).to_vector<uint8_t>();
  int right = 0;
  for (size_t i = 0; i < truth.size(); ++i) right += predicted[i] == truth[i];
  return right / 200.0;
}

int main() {
  Rng rng(0);
  Classifier net(2, rng);
  train(net, &Objects::kind, 80, 1e-2);
  const double shape = accuracy(net, &Objects::kind);
  save_checkpoint("classifier.safetensors", {.tensors = state_of(net)});

  Classifier other(2, rng);
  load_into(other, load_checkpoint("classifier.safetensors"), {.skip = {"head."}});
  freeze(other.encoder);
  train(other, &Objects::large, 40, 5e-2);
  const double size = accuracy(other, &Objects::large);
  std::printf("balls from cubes: accuracy %.3f; small from large, by the same encoder: %.3f\n", shape, size);
  return shape >= 0.9 && size >= 0.9 ? 0 : 1;
}
