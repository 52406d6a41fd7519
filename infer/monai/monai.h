#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "infer/model_file.h"
#include "infer/weights/weight_rules.h"

namespace voxgrad {

// Bundles of MONAI (docs.monai.io, "MONAI bundle"): a folder with configs/inference.json, configs/metadata.json and models/model.pt. The
// JSON is read as data: of "_target_" a few names are known, "@name" is looked up, and what begins with "$" is Python and not evaluated.
// What is not understood and would change the result is an Error that names it.

// The value of a key of the configuration, references in it replaced; `path` names it in messages.
Json bundle_value(const Json& config, const std::string& key, const std::string& who);
// The last part of a "_target_": "UNet" of "monai.networks.nets.UNet"; empty where there is none.
std::string target_of(const Json&);

// The JSON of a network here, and the names of its weights: UNet, SegResNet, DynUNet (without res_block), of three dimensions.
struct BundleNetwork {
  std::string network;  // JSON
  std::vector<WeightRule> rules;
};
BundleNetwork bundle_network(const Json& definition, const std::string& who);

// Set what the transforms before and after the network and the inferer say: orientation, spacing, normalisation; how outputs become a mask
// in the geometry of the file; patch, overlap and weights of tiles.
void add_preprocessing(ModelDescription&, const Json& transforms, const std::string& who);
void add_postprocessing(ModelDescription&, const Json& transforms, const std::string& who);
void add_inferer(ModelDescription&, const Json& inferer, const std::string& who);

bool is_monai_bundle(const std::filesystem::path&);
Model load_monai_bundle(const std::filesystem::path&, const LoadModelOptions& = {});

}  // namespace voxgrad
