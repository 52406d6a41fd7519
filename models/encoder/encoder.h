#pragma once
#include <string>
#include <vector>

#include "core/config/config_table.h"
#include "models/model_registry.h"
#include "models/unet/unet.h"

// Networks that go on from what another one, of any kind that has an EncoderEntry, computes on its way.
namespace voxgrad {

// The first part of a network, as a field of another one. Its weights have the names there that they have in that network itself, so that
// those of a classifier or of a U-Net go over by name, and files of other programs by the rules of that network.
class Encoder {
 public:
  static constexpr bool kNameless = true;
  Encoder() = default;
  // config: JSON of the network, without in_channels and classes.
  Encoder(const std::string& config, int in_channels, Rng&);

  const std::vector<EncoderStage>& stages() const { return stages_; }
  // x {N, D, H, W, in_channels}, of extents that are multiples of the last stage's stride: the features after each stage, finest first.
  // who: is asked, for messages.
  std::vector<Tensor> features(const char* who, const Tensor& x) const;
  void walk_fields(FieldVisitor& v, const std::string& path) { net_.walk_fields(v, path); }
  Encoder clone() const;

 private:
  Network net_;
  std::vector<EncoderStage> stages_;
};

// config: JSON of such a network. An Error where its kind has no encoder, or as of ModelEntry::build.
const EncoderEntry& encoder_entry(const Json& config);
std::vector<EncoderStage> encoder_stages(const std::string& config);
// What the extents of its input must be multiples of.
Int3 encoder_divisor(const std::string& config);
double least_encoder_weights(const std::string& config);
// The first stage of which a feature is for so many voxels along an axis, or the last one.
int stage_of_stride(const std::vector<EncoderStage>&, int stride);
// A U-Net of the channels, strides and kernels of the stages, to build a decoder for them: that of a U-Net's encoder is its own.
UNetConfig decoder_config(const std::string& encoder);

// The key "encoder" of a network's JSON.
void add_encoder_part(ConfigTable&, std::string& encoder);
// That JSON, where a file of before there was a choice has the U-Net's as "unet".
Json with_encoder_part(Json config);
// ModelEntry::weight_rules of a network with an encoder: those of the encoder's kind.
std::string encoder_weight_rules(const Json& config);

}  // namespace voxgrad
