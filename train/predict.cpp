#include "train/predict.h"

#include "core/autograd.h"
#include "train/fitting.h"
#include "train/sliding_window.h"

namespace voxgrad {

PredictOptions predict_options(const ModelDescription& d) { return {.overlap = d.overlap, .mirror = d.mirror}; }

static Int3 patch_of(const ModelDescription& d, const PredictOptions& o) {
  if (o.patch == Int3{0, 0, 0}) return d.patch;
  const Int3 divisor = d.network.divisor();
  for (int a = 0; a < 3; ++a)
    check(o.patch[a] > 0 && o.patch[a] % divisor[a] == 0, "predict: the patch ", o.patch, " is not a multiple of ", divisor,
          ", the strides of the network");
  return o.patch;
}

static SlidingWindowOptions window_options(const ModelDescription& d, const PredictOptions& o) {
  return {.patch = patch_of(d, o),
          .overlap = o.overlap,
          .mirror = {o.mirror, o.mirror, o.mirror},
          .device = o.device,
          .progress = o.progress};
}

static Net net_of(const UNet& net, const ModelDescription& d) {
  const DType t = activation_dtype(d);
  return [&net, t](const Tensor& x) { return net(x.to(t))[0].to(DType::f32); };
}

// f(options); where memory runs out, the error says which patch would fit.
template <class F>
static Tensor with_advice(const UNet& net, const ModelDescription& d, const PredictOptions& o, F&& f) {
  const SlidingWindowOptions w = window_options(d, o);
  std::string what;
  try {
    return f(w);
  } catch (const OutOfMemory& e) { what = e.what(); }
  const Inference quiet;
  const Net run = net_of(net, d);
  fail_with_what_fits("predict: " + what, "--patch", o.device, {w.batch, w.patch}, d.network.divisor(), [&](const Workload& l) {
    run(Tensor::zeros({l.batch, l.patch.d, l.patch.h, l.patch.w, d.network.in_channels}, DType::f32, o.device)).to(Device{});
  });
}

Tensor predict_logits(const UNet& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o) {
  return with_advice(net, d, o, [&](const SlidingWindowOptions& w) { return sliding_window(net_of(net, d), image, w); });
}

Volume predict_labels(const UNet& net, const ModelDescription& d, const Volume& v, const std::string& name, const PredictOptions& o) {
  Inference quiet;
  const Preprocessed p = preprocess(v, d, name);
  // Without resampling no more than a patch's depth of logits needs to exist.
  if (p.geometry.working == p.geometry.canonical)
    return restore_labels(
        with_advice(net, d, o, [&](const SlidingWindowOptions& w) { return sliding_window_labels(net_of(net, d), p.image, w); }),
        p.geometry);
  return restore_labels(predict_logits(net, d, p.image, o), p.geometry);
}

}  // namespace voxgrad
