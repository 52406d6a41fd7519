#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/nnunet/nnunet.h"
#include "io/json_file.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {

Json extents_of(const std::vector<Int3>& all, int axes) {
  Json out = Json::array();
  for (const Int3& e : all) {
    Json one = Json::array();
    for (int a = 3 - axes; a < 3; ++a) one.push_back(e[a]);
    out.push_back(one);
  }
  return out;
}

// "architecture" of plans.json.
Json architecture_of(const UNetConfig& c, int axes) {
  const std::string d = std::to_string(axes) + "d";
  Json kwargs = {{"n_stages", c.stages()},
                 {"features_per_stage", c.features},
                 {"conv_op", "torch.nn.modules.conv.Conv" + d},
                 {"kernel_sizes", extents_of(c.kernels, axes)},
                 {"strides", extents_of(c.strides, axes)},
                 {c.residual ? "n_blocks_per_stage" : "n_conv_per_stage", c.encoder_depth},
                 {"n_conv_per_stage_decoder", c.decoder_depth},
                 {"conv_bias", c.bias},
                 {"norm_op", "torch.nn.modules.instancenorm.InstanceNorm" + d},
                 {"norm_op_kwargs", {{"eps", 1e-5}, {"affine", true}}},
                 {"dropout_op", nullptr},
                 {"dropout_op_kwargs", nullptr},
                 {"nonlin", "torch.nn.LeakyReLU"},
                 {"nonlin_kwargs", {{"inplace", true}, {"negative_slope", c.activation.slope}}}};
  const char* kind = c.residual ? "ResidualEncoderUNet" : "PlainConvUNet";
  return {{"network_class_name", std::string("dynamic_network_architectures.architectures.unet.") + kind},
          {"arch_kwargs", kwargs},
          {"_kw_requires_import", {"conv_op", "norm_op", "dropout_op", "nonlin"}}};
}

}  // namespace

Checkpoint nnunet_weights(const Model& m, const std::string& who) {
  const Json network = parse_json(m.description.network, who);
  const std::string kind = network_kind(network);
  const UNet* net = m.net.as<UNet>();
  check(net, who, ": its network is of kind ", kind, ", which nnU-Net has not");
  const UNetConfig& c = net->config;
  check(c.norm == NormKind::instance && c.activation.kind == ActivationKind::leaky_relu, who,
        ": nnU-Net's networks have instance norm and leaky ReLU");
  const int axes = m.description.patch.d == 1 ? 2 : 3;
  UNet copy = *net;
  Checkpoint out = map_weights(Checkpoint{.tensors = state_of(copy)}, nnunet_export_rules(c, axes), who).weights;
  // PyTorch's network has a head at every stage, used or not; the only one that is here is the last of them.
  if (!c.deep_supervision && c.stages() > 2) {
    const std::string heads = "decoder.seg_layers.";
    const int last = c.stages() - 2;
    for (const std::string part : {".weight", ".bias"}) {
      for (Parameter& p : out.tensors)
        if (p.name == heads + "0" + part) p.name = heads + std::to_string(last) + part;
      Shape shape = out.find(heads + std::to_string(last) + part)->shape();
      for (int i = 0; i < last; ++i) {
        if (shape.rank > 1) shape.dims[1] = c.features[size_t(last - i)];
        out.tensors.push_back({heads + std::to_string(i) + part, Tensor::zeros(shape)});
      }
    }
  }
  const Json said = {{"input_channels", c.in_channels}, {"num_classes", c.classes}, {"architecture", architecture_of(c, axes)}};
  out.metadata = {{"nnunet.network", said.dump()}, {"voxgrad.description", to_json(m.description).dump()}};
  return out;
}

}  // namespace voxgrad
