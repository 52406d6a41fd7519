#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "layers/conv.h"
#include "layers/dropout.h"
#include "models/resnet/resnet.h"

namespace voxgrad {

// Multiple-instance learning: the image is a bag of instances, boxes on a grid that a residual network each makes a row h of features of.
// Gated attention (Ilse et al. 2018) weighs them: a = softmax over the bag of w (tanh(V h) * sigmoid(U h)), and what a linear layer reads
// is the sum of a h. One value per image is then enough to learn which instances matter.
struct AttentionMilConfig {
  int in_channels = 1, classes = 2;
  ResNetConfig encoder;            // without in_channels and classes, which are these; its fc is not built
  Int3 instance = {32, 32, 32};    // extents of an instance, at most those of the image
  bool overlap = false;            // instances reach half into the next one along each axis
  int attention = 128;             // rows of V and U
  double dropout = 0;              // of what the linear layer reads
  int chunk = 8;                   // instances per image that the encoder gets at a time
  bool checkpoint = true;          // in training only rows of features are kept, and the encoder runs again for its gradients
};
void validate(const AttentionMilConfig&);
std::string to_json_text(const AttentionMilConfig&);
AttentionMilConfig attention_mil_config_from_json(const Json&);
NetworkTraits traits_of(const AttentionMilConfig&);

// Where the instances of an image lie: the first of them at 0, the last one at its end, the others evenly between.
struct InstanceGrid {
  Int3 size;                     // extents of an instance
  std::vector<int> begin[3];     // along D, H, W
  Int3 counts() const { return {int(begin[0].size()), int(begin[1].size()), int(begin[2].size())}; }
};
InstanceGrid instance_grid(const Int3& image, const AttentionMilConfig&);

struct GatedAttention {
  Linear v, u, w;
  FIELDS(v, u, w)
  Tensor operator()(const Tensor& h) const;  // {M, F} to {M, 1}, before the softmax
};

// The rows of all instances where they lie, {N, counts along D, H, W, F}: a layer for hooks to see and for maps of what mattered.
struct InstanceRows {
  FIELDS()
  Tensor operator()(const Tensor& rows) const { return hooked(*this, rows); }
};

struct AttentionMil {
  AttentionMilConfig config;
  ResNet encoder;
  InstanceRows instances;
  GatedAttention attention;
  std::optional<Dropout> drop;
  Linear fc;
  FIELDS(encoder, instances, attention, drop, fc)

  AttentionMil(const AttentionMilConfig&, Rng&);
  // x {N, D, H, W, in_channels}: logits {N, classes}.
  Tensor operator()(const Tensor& x) const;
  // What each instance weighs, for explanations: {N, counts along D, H, W}; 1 in sum for each image.
  Tensor weights_of_instances(const Tensor& x) const;

 private:
  struct Bag {
    Tensor features, weights;  // {N, instances, F}, {N, instances}
    Int3 counts;
  };
  Bag bag_of(const Tensor& x) const;
};

}  // namespace voxgrad
