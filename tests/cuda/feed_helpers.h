#pragma once
#include <string>
#include <vector>

#include "augment/blur/blur.h"
#include "augment/low_resolution/low_resolution.h"
#include "augment/phantom/phantom.h"
#include "core/config/json_values.h"
#include "io/image.h"
#include "tests/temporary_folder.h"
#include "train/batch_feed.h"
#include "train/plan.h"

namespace voxgrad {

inline Dataset small_dataset(const TemporaryFolder& folder) {
  Dataset d{.name = "shapes", .root = folder / "", .channel_names = {"MR"}, .labels = phantom_labels(PhantomKind::shapes)};
  for (uint64_t i = 0; i < 2; ++i) {
    const Phantom p = make_phantom(PhantomKind::shapes, {.size = {18, 18, 18}, .seed = i});
    DatasetCase one{.id = "case_" + std::to_string(i)};
    one.images = {folder / (one.id + "_image.nii")};
    one.label = folder / (one.id + "_label.nii");
    const Shape s = p.label.shape();
    write_volume(one.images[0], {p.image, Affine::scaling(p.spacing_mm)});
    write_volume(one.label, {p.label.reshape({s[0], s[1], s[2], 1}), Affine::scaling(p.spacing_mm)});
    d.cases.push_back(one);
  }
  return d;
}

// A loader of small batches from files of its own, with every transform switched on.
struct SmallLoader {
  TemporaryFolder folder;
  Dataset data = small_dataset(folder);
  std::vector<std::string> ids = {"case_0", "case_1"};
  TrainConfig config;
  std::shared_ptr<const Task> task = make_task("");
  CaseStore store;
  Loader loader;

  // Cases are read again whenever they are used where less than all of them may be kept.
  explicit SmallLoader(int batch, size_t kept_bytes = size_t(1) << 30, const std::vector<std::string>& more = {})
      : config(config_of(batch, more)),
        store(data, plan(data, fingerprint(data, ids, config.data, *task, data.labels), config, data.labels), task,
              {.limit_bytes = kept_bytes}),
        loader(store, *task, ids, config) {}

  static TrainConfig config_of(int batch, const std::vector<std::string>& more) {
    TrainConfig c;
    apply_assignments(c, {"network.base_features=4", "network.stages=2", "train.patch=[8,8,8]"});
    c.train.batch = batch;
    for (const char* key : {"rotation", "scaling", "noise", "blur", "brightness", "contrast", "low_resolution", "inverted_gamma", "gamma"})
      c.augment.set({{key, 1}});
    c.augment.options<BlurOptions>("blur").channel_probability = 1;
    c.augment.options<LowResolutionOptions>("low_resolution").channel_probability = 1;
    apply_assignments(c, more);
    return c;
  }
};

}  // namespace voxgrad
