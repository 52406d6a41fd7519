#include "data/case_store.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include "core/autograd.h"
#include "core/error.h"
#include "data/cache/case_cache.h"
#include "data/cases_in_parallel.h"
#include "io/grid.h"
#include "io/formats/numpy/image_stack.h"
#include "io/image.h"
#include "kernels/concat/concat.h"

namespace voxgrad {
namespace {

std::shared_ptr<const Case> case_of(std::shared_ptr<const CaseFile> file) {
  auto out = std::make_shared<Case>();
  out->id = file->id();
  out->geometry = file->geometry();
  out->places = file->places();
  out->stored = std::move(file);
  return out;
}

// inside, u8 {D, H, W}, becomes 1 where a label is not 0.
void add_labelled(const Sample& sample, const Tensor& inside) {
  const auto to = inside.mutable_data<uint8_t>();
  for (const Field& f : sample.fields) {
    if (f.kind != DataKind::labels) continue;
    const auto label = f.data.data<uint8_t>();
    for (size_t i = 0; i < to.size(); ++i) to[i] = uint8_t(to[i] | (label[i] != 0));
  }
}

}  // namespace

Volume read_case_image(const DatasetCase& c) {
  check(c.fault.empty(), c.fault);
  if (c.stack) return c.stack->image(c.index);
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

CaseStore::CaseStore(Dataset dataset, ModelDescription description, std::shared_ptr<const TargetSource> targets, const StoreOptions& o)
    : dataset_(std::move(dataset)), description_(std::move(description)), targets_(std::move(targets)), options_(o) {
  if (!o.cache.empty()) cache_ = std::make_unique<CaseCache>(o.cache, dataset_, description_, *targets_, o.cached_image);
}
CaseStore::~CaseStore() = default;

const DatasetCase& CaseStore::find(const std::string& id) const {
  const auto found = std::find_if(dataset_.cases.begin(), dataset_.cases.end(), [&](auto& c) { return c.id == id; });
  check(found != dataset_.cases.end(), "data set ", dataset_.name, ": there is no case ", id);
  return *found;
}

std::shared_ptr<const Case> CaseStore::load(const DatasetCase& c) const {
  Unrecorded quiet;
  auto out = std::make_shared<Case>();
  out->id = c.id;
  PreviousMask previous{.name = c.previous.string(), .other = c.resample ? OtherGrid::resample_nearest : OtherGrid::refuse};
  if (!description_.previous_labels.empty()) {
    check(!c.previous.empty(), "data set ", dataset_.name, ": the case ", c.id, " has no mask of the first stage: data.previous_stage");
    previous.mask = read_volume(c.previous, {.labels = true});
  }
  const PreprocessOptions how{.with_inside = true, .previous = &previous};
  const Preprocessed image =
      preprocess(targets_->training_image(read_case_image(c), description_), description_, c.images[0].string(), how);
  out->geometry = image.geometry;
  out->sample = sample_of(image.image);
  for (Field& target : targets_->fields(c, image, description_)) out->sample.fields.push_back(std::move(target));
  if (image.inside) {
    add_labelled(out->sample, image.inside);
    out->sample.fields.push_back({kInside, DataKind::labels, image.inside});
  }
  if (image.previous) out->sample.fields.push_back({kPreviousStage, DataKind::labels, image.previous});
  out->places = targets_->places(out->sample);
  return out;
}

std::shared_ptr<const Case> CaseStore::kept(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = kept_.find(id);
  if (it == kept_.end()) return {};
  recent_.splice(recent_.begin(), recent_, it->second.place);
  return it->second.value;
}

// Two threads may have made the same case; both are the same.
std::shared_ptr<const Case> CaseStore::keep(std::shared_ptr<const Case> made) {
  const std::lock_guard lock(mutex_);
  if (auto it = kept_.find(made->id); it != kept_.end()) return it->second.value;
  while (!recent_.empty() && held_ + made->bytes() > options_.limit_bytes) {
    held_ -= kept_.at(recent_.back()).value->bytes();
    kept_.erase(recent_.back());
    recent_.pop_back();
  }
  recent_.push_front(made->id);
  kept_[made->id] = {made, recent_.begin()};
  held_ += made->bytes();
  return made;
}

std::shared_ptr<const Case> CaseStore::get(const std::string& id) {
  if (auto known = kept(id)) return known;
  if (!cache_) return keep(load(find(id)));
  auto whole = std::make_shared<Case>(*open(id));
  whole->sample = whole->stored->whole();
  whole->stored = {};
  return keep(whole);
}

std::shared_ptr<const Case> CaseStore::open(const std::string& id) {
  if (!cache_) return get(id);
  const DatasetCase& c = find(id);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return !making_.contains(id); });
  if (auto it = opened_.find(id); it != opened_.end()) return it->second;
  making_.insert(id);
  lock.unlock();
  std::shared_ptr<const CaseFile> file;
  std::exception_ptr fault;
  try {
    file = cache_->find(c).file;
    if (!file) file = cache_->put(c, *load(c));
  } catch (...) { fault = std::current_exception(); }
  lock.lock();
  making_.erase(id);
  done_.notify_all();
  if (fault) std::rethrow_exception(fault);
  return opened_.try_emplace(id, case_of(file)).first->second;
}

CaseStore::Prepared CaseStore::prepare(const std::vector<std::string>& ids, size_t always) {
  Prepared out;
  std::vector<std::string> missing;
  std::vector<bool> wanted;
  CaseWork work{.what = "preparing", .limit = options_.limit_bytes};
  for (size_t i = 0; i < ids.size(); ++i) {
    const DatasetCase& c = find(ids[i]);
    if (cache_) {
      const CaseCache::Entry there = cache_->find(c);
      if (there.file) {
        const std::lock_guard lock(mutex_);
        opened_.try_emplace(c.id, case_of(there.file));
        continue;
      }
      out.outdated += there.found == CaseCache::Found::outdated;
    }
    missing.push_back(ids[i]);
    wanted.push_back(cache_ || i < always);
    work.bytes.push_back(bytes_to_prepare(c, description_.spacing));
  }
  std::atomic<size_t> made = 0;
  for_cases(missing, work, [&](size_t i) {
    if (!wanted[i] && full()) return;
    open(missing[i]);
    ++made;
  });
  out.made = made;
  return out;
}

bool CaseStore::full() {
  const std::lock_guard lock(mutex_);
  return held_ >= options_.limit_bytes - options_.limit_bytes / 16;
}

}  // namespace voxgrad
