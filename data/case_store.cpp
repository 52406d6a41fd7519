#include "data/case_store.h"

#include <algorithm>

#include "core/autograd.h"
#include "core/error.h"
#include "io/grid.h"
#include "io/image.h"
#include "kernels/concat/concat.h"

namespace voxgrad {

Volume read_case_image(const DatasetCase& c) {
  check(c.fault.empty(), c.fault);
  std::vector<Tensor> channels;
  Volume first;
  for (auto& file : c.images) {
    Volume v = read_volume(file, {.series = c.series, .volume = c.volume});
    if (channels.empty()) first = v;
    else v = on_grid(v, file.string(), grid_of(first), c.images[0].string(), c.resample ? OtherGrid::resample_linear : OtherGrid::refuse);
    channels.push_back(v.data.to(DType::f32));
  }
  if (channels.size() == 1) return first;
  return {concat(channels, 3), first.affine, first.unit};
}

CaseStore::CaseStore(Dataset dataset, ModelDescription description, std::shared_ptr<const TargetSource> targets, size_t limit_bytes)
    : dataset_(std::move(dataset)), description_(std::move(description)), targets_(std::move(targets)), limit_(limit_bytes) {}

std::shared_ptr<const Case> CaseStore::load(const std::string& id) const {
  Unrecorded quiet;
  const auto found = std::find_if(dataset_.cases.begin(), dataset_.cases.end(), [&](auto& c) { return c.id == id; });
  check(found != dataset_.cases.end(), "data set ", dataset_.name, ": there is no case ", id);
  auto out = std::make_shared<Case>();
  out->id = id;
  Preprocessed image = preprocess(read_case_image(*found), description_, found->images[0].string());
  out->geometry = image.geometry;
  out->sample = sample_of(image.image);
  for (Field& target : targets_->targets(*found, image.geometry, description_.labels)) out->sample.fields.push_back(std::move(target));
  out->places = targets_->places(out->sample);
  return out;
}

std::shared_ptr<const Case> CaseStore::get(const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    if (auto it = kept_.find(id); it != kept_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second.place);
      return it->second.value;
    }
  }
  const std::shared_ptr<const Case> made = load(id);  // outside the lock: two threads may make the same case, the result is the same
  std::lock_guard lock(mutex_);
  if (auto it = kept_.find(id); it != kept_.end()) return it->second.value;
  while (!recent_.empty() && held_ + made->bytes() > limit_) {
    held_ -= kept_.at(recent_.back()).value->bytes();
    kept_.erase(recent_.back());
    recent_.pop_back();
  }
  recent_.push_front(id);
  kept_[id] = {made, recent_.begin()};
  held_ += made->bytes();
  return made;
}

}  // namespace voxgrad
