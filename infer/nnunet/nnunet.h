#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "data/label_map.h"
#include "infer/model_file.h"
#include "infer/weights/weight_rules.h"
#include "models/unet/unet.h"

namespace voxgrad {

// Trained models of nnU-Net v2 (github.com/MIC-DKFZ/nnUNet): a folder with plans.json, dataset.json and fold_X/checkpoint_final.pth, where
// checkpoint_best.pth or checkpoint_latest.pth serve if there is no final one. Networks are PlainConvUNet and ResidualEncoderUNet of
// dynamic_network_architectures with instance norm, in 2D and 3D; other networks are refused by name. The second stage of a cascade sees
// the mask of the first one (data/cascade/previous_stage.h).

// A configuration of plans with what it inherits.
Json nnunet_configuration(const Json& plans, const std::string& configuration, const std::string& who);
// The network of a configuration ("3d_fullres"), of plans of 2.2 and later or before.
UNetConfig nnunet_network(const Json& plans, const std::string& configuration, int in_channels, int classes, const std::string& who);
// The whole description: the network, and what the plans and the data set say of images and labels. Error begins with who.
ModelDescription nnunet_description(const Json& plans, const Json& dataset, const std::string& configuration, const std::string& who);
ModelDescription nnunet_description(const Json& plans, const std::vector<std::string>& channels, const Labels&,
                                    const std::string& configuration, const std::string& who);

// From the names of a checkpoint to those of a UNet.
std::vector<WeightRule> nnunet_rules();
// From the names of a UNet to those of the state dictionary of nnU-Net's network, which names most tensors two to four times. axes: 2 or 3.
std::vector<WeightRule> nnunet_export_rules(const UNetConfig&, int axes);

// The weights of a U-Net as nnU-Net's network names them: PyTorch loads them with strict=True. The metadata "nnunet.network" says which
// network that is: {"input_channels", "num_classes", "architecture"}, the last as in plans.json. Error for other networks.
Checkpoint nnunet_weights(const Model&, const std::string& who);

// What a path means: the folder of the model, and the checkpoints in it. The path may be that folder, one of its folds or a checkpoint. Of
// a folder with several folds all of 0, 1, .. are taken, or fold_all where there are none, or those that are named.
struct NnunetFiles {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> checkpoints;
};
bool is_nnunet(const std::filesystem::path&);
NnunetFiles nnunet_files(const std::filesystem::path&, const std::vector<std::string>& folds = {});
// Of several folds the mean output.
Model load_nnunet(const std::filesystem::path&, const LoadModelOptions& = {});

}  // namespace voxgrad
