// Batches that are made and copied ahead are those of the loader, in any order of steps.
#include "augment/phantom.h"
#include "io/image.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "train/batch_feed.h"
#include "train/plan.h"

using namespace voxgrad;

namespace {

Dataset small_dataset(const TemporaryFolder& folder) {
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

}  // namespace

TEST_CASE("batch feed: a step's batch is the loader's, whatever came before") {
  const TemporaryFolder folder;
  const Dataset data = small_dataset(folder);
  TrainConfig config;
  config.network.base_features = 4, config.network.stages = 2;
  config.train.patch = {8, 8, 8}, config.train.batch = 2;
  const std::vector<std::string> ids = {"case_0", "case_1"};
  CaseStore store(data, plan(data, fingerprint(data, ids, config.data), config), size_t(1) << 30);
  const Loader loader(store, ids, config);
  for (const Device device : {Device{0}, Device{}}) {
    BatchFeed feed(loader, device);
    std::vector<Tensor> images;
    std::vector<Batch> wanted;
    for (int64_t step : {0, 1, 2, 3, 7, 8, 2, 2}) {
      const Batch b = feed.next(step);
      wanted.push_back(loader.batch(step));
      images.push_back(affine(b.image, 2, 1));  // given to the device, and looked at when other batches have come
      if (step % 2) CHECK(b.label.values() == wanted.back().label.values());
    }
    for (size_t i = 0; i < wanted.size(); ++i) CHECK(images[i].values() == affine(wanted[i].image, 2, 1).values());
  }
}
