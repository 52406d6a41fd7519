#include "train/predict.h"

#include "core/autograd.h"
#include "train/sliding_window.h"

namespace voxgrad {

PredictOptions predict_options(const ModelDescription& d) { return {.overlap = d.overlap, .mirror = d.mirror}; }

static SlidingWindowOptions window_options(const ModelDescription& d, const PredictOptions& o) {
  return {.patch = d.patch, .overlap = o.overlap, .mirror = {o.mirror, o.mirror, o.mirror}, .device = o.device, .progress = o.progress};
}

static Net net_of(const UNet& net, const ModelDescription& d) {
  const DType t = activation_dtype(d);
  return [&net, t](const Tensor& x) { return net(x.to(t))[0].to(DType::f32); };
}

Tensor predict_logits(const UNet& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  return sliding_window(net_of(net, d), image, window_options(d, o));
}

Volume predict_labels(const UNet& net, const ModelDescription& d, const Volume& v, const std::string& name, const PredictOptions& o) {
  Inference quiet;
  const Preprocessed p = preprocess(v, d, name);
  // Without resampling no more than a patch's depth of logits needs to exist.
  if (p.geometry.working == p.geometry.canonical)
    return restore_labels(sliding_window_labels(net_of(net, d), p.image, window_options(d, o)), p.geometry);
  return restore_labels(predict_logits(net, d, p.image, o), p.geometry);
}

}  // namespace voxgrad
