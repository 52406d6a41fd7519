#include "train/loader.h"

#include <cmath>
#include <unordered_map>

#include "augment/transform.h"
#include "core/error.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr uint64_t kLoaderStream = 2;  // of the seed; 1 is for the initial weights
constexpr uint64_t kOrderStream = 5;   // 3 and 4 are for the task and for layers

// Of each of the cases, where they are asked for.
std::vector<std::vector<int>> classes_of_cases(const CaseStore& store, const Task& task, const std::vector<std::string>& ids,
                                               const std::string& sampling) {
  if (sampling != "balanced") return {};
  std::unordered_map<std::string, const DatasetCase*> known;
  for (const DatasetCase& c : store.dataset().cases) known[c.id] = &c;
  std::vector<std::vector<int>> out;
  for (auto& id : ids) out.push_back(known.contains(id) ? task.classes(*known[id], store.description().labels) : std::vector<int>());
  return out;
}

Augmentation augmentation_for(const Task& task, Augmentation a) {
  const auto of_intensities = [](const std::string& name) { return bool(transform_registry().find(name).draw); };
  if (!task.changes_intensities()) std::erase_if(a.order, of_intensities);
  return a;
}

}  // namespace

Loader::Loader(CaseStore& store, const Task& task, std::vector<std::string> ids, const TrainConfig& config)
    : store_(store),
      task_(task),
      ids_(std::move(ids)),
      patch_(store.description().patch),
      batch_(config.train.batch),
      oversample_(config.train.oversample_foreground),
      augment_(augmentation_for(task, config.augment)),
      rng_(Rng(config.seed).at(kLoaderStream)),
      order_(config.train.sampling, classes_of_cases(store, task, ids_, config.train.sampling), ids_, Rng(config.seed).at(kOrderStream)) {
  check(!ids_.empty(), "train: no case is left to train on");
  check(batch_ % task.views() == 0, "train.batch: ", batch_, " is not a multiple of ", task.views(), ", the views of each patch");
}

// nnU-Net: the last places of a batch, round(batch (1 - fraction)) and on, are forced. A batch of one draws instead.
bool Loader::is_forced(int place, Rng& rng) const {
  const int places = batch_ / task_.views();
  if (places == 1) return rng.coin(oversample_);
  return place >= int(std::lround(places * (1 - oversample_)));
}

PatchRequest Loader::request(int64_t step, int slot, int64_t number) const {
  const int views = task_.views();
  Rng rng = rng_.at(uint64_t(step), uint64_t(slot / views));
  const int64_t drawn = rng.below(int64_t(ids_.size()));
  const std::shared_ptr<const Case> sample_case = store_.open(ids_[size_t(number < 0 ? drawn : number)]);
  const bool forced = is_forced(slot / views, rng);
  const Double3 centre = task_.centre(*sample_case, patch_, forced, rng.split());
  PatchRequest out{sample_case->sample, {centre, patch_, sample_case->geometry.spacing}, rng.split()};
  if (views > 1) out.rng = out.rng.at(uint64_t(slot % views));
  if (const auto& stored = sample_case->stored) {
    const int64_t channels = stored->fields()[0].shape[3];
    out.volume = stored->part(augmented_reach(stored->size(), channels, out.place, augment_, out.rng));
  }
  return out;
}

std::vector<PatchRequest> Loader::requests(int64_t step) const {
  std::vector<PatchRequest> all{size_t(batch_)};
  const int64_t views = task_.views(), places = batch_ / views;
  const std::vector<int64_t> numbers = order_.is_random() ? std::vector<int64_t>(size_t(places), -1) : order_.cases(step * places, places);
  parallel_for(batch_, 1, [&](int64_t slot) { all[size_t(slot)] = request(step, int(slot), numbers[size_t(slot / views)]); });
  return all;
}

Batch Loader::batch(int64_t step) const { return augmented_batch(requests(step), augment_); }
void Loader::batch(int64_t step, Cuda on, Batch& into) const { augmented_batch(on, requests(step), augment_, into); }

Batch Loader::batch_like(int batch, const Int3& patch, Device device, bool zeros) const {
  const std::shared_ptr<const Case> one = store_.open(ids_[0]);
  const Sample like = one->stored ? one->stored->part({{0, 0, 0}, {1, 1, 1}}) : one->sample;
  const auto memory_for = [&](const Field& f) {
    Shape s{batch, patch.d, patch.h, patch.w};
    if (f.kind == DataKind::points || f.kind == DataKind::boxes) return Tensor::zeros({0, f.data.dim(1)});  // one below the other
    if (f.kind == DataKind::values) {
      s = f.data.shape();
      for (int i = s.rank; i > 0; --i) s.dims[i] = s.dims[i - 1];
      s.dims[0] = batch;
      ++s.rank;
    } else if (f.kind != DataKind::labels) {
      s = {batch, patch.d, patch.h, patch.w, f.data.dim(3)};
    }
    return zeros ? Tensor::zeros(s, f.data.dtype(), device) : Tensor::empty(s, f.data.dtype(), device);
  };
  Batch out{memory_for(like.fields[0]), {}};
  for (size_t i = 1; i < like.fields.size(); ++i) {
    const Field& f = like.fields[i];
    out.targets.push_back({f.name, f.kind, memory_for(f)});
  }
  return out;
}

}  // namespace voxgrad
