#include <cstdio>
#include <voxgrad/voxgrad.h>

#include "all_headers.h"

using namespace voxgrad;

// A classifier with dropout of its own, two steps of training, and its weights kept and loaded without the head.
bool classifier_learns() {
  Rng rng(1);
  Sequential net(ConvBlock({.in = 1, .out = 4, .norm = NormKind::batch}, rng), Dropout{.p = 0.1},
                 ResidualBlock({.in = 4, .out = 4}, rng), Conv3d({.in = 4, .out = 2, .kernel = {1, 1, 1}}, rng));
  AdamW optimizer(parameters(net), {.learning_rate = 1e-2});
  const Tensor x = Tensor::full({2, 4, 4, 4, 1}, 0.5), label = Tensor::zeros({2, 4, 4, 4}, DType::u8);
  double first = 0, last = 0;
  for (int step = 0; step < 2; ++step) {
    const Training scope(rng.at(uint64_t(step)));
    const Tensor loss = cross_entropy(net(x), label);
    backward(loss);
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  auto other = clone(net);
  const LoadReport report = load_into(other, {.tensors = state_of(net)}, {.skip = {"3."}});
  freeze(other);
  eval(other);
  return last < first && report.loaded.size() + 2 == state_of(net).size() && parameters(other).empty() && other(x).count() == 256;
}

// d/dx sum (2 x + 1)^2 = 4 (2 x + 1).
int main() {
  Tensor x = Tensor::from({-1, 0, 3}, {3});
  x.require_grad();
  backward(square(affine(x, 2, 1)), Tensor::full({3}, 1));
  const bool right = x.grad().values() == std::vector<double>{-4, 4, 28};
  std::printf("gradient %s\n", right ? "right" : "wrong");
  const bool learns = classifier_learns();
  std::printf("the classifier %s\n", learns ? "learns" : "does not learn");
  return right && learns ? 0 : 1;
}
