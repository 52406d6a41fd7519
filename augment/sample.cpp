#include "augment/sample.h"

#include "augment/channel.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr const char* kKinds[] = {"image", "labels", "vectors", "points", "boxes", "values"};

const Field* find_in(const std::vector<Field>& fields, const std::string& name) {
  for (const Field& f : fields)
    if (f.name == name) return &f;
  return nullptr;
}
[[noreturn]] void fail_without(const char* who, const std::string& name, const std::vector<Field>& fields) {
  std::string known;
  for (const Field& f : fields) known += (known.empty() ? "" : ", ") + f.name;
  fail(who, ": there is no field \"", name, "\"; there are ", known.empty() ? "none" : known);
}

// What a field of a sample must be like, for messages.
bool fits(const Field& f) {
  const Tensor& x = f.data;
  if (!x || !x.device().is_cpu()) return false;
  const int rank = x.shape().rank;
  switch (f.kind) {
    case DataKind::image: return rank == 4 && x.dtype() == DType::f32 && x.count() > 0;
    case DataKind::labels: return rank == 3 && x.dtype() == DType::u8;
    case DataKind::vectors: return rank == 4 && x.dtype() == DType::f32 && x.dim(3) % 3 == 0;
    case DataKind::points: return rank == 2 && x.dtype() == DType::f32 && x.dim(1) >= 3;
    case DataKind::boxes: return rank == 2 && x.dtype() == DType::f32 && x.dim(1) >= 6;
    case DataKind::values: return rank >= 1 && (x.dtype() == DType::f32 || x.dtype() == DType::i32);
  }
  return false;
}
const char* wanted(DataKind kind) {
  switch (kind) {
    case DataKind::image: return "an image f32 {D, H, W, C}";
    case DataKind::labels: return "a label u8 {D, H, W}";
    case DataKind::vectors: return "vectors f32 {D, H, W, 3k}";
    case DataKind::points: return "points f32 {P, 3 and more}";
    case DataKind::boxes: return "boxes f32 {B, 6 and more}";
    case DataKind::values: return "values f32 or i32 {k..}";
  }
  return "";
}
void check_field(const char* who, const Field& f) {
  check(fits(f), who, ": ", wanted(f.kind), " on the CPU is wanted, not ", f.data, " on ", f.data.device());
}

}  // namespace

const char* name_of(DataKind kind) { return kKinds[int(kind)]; }

const Field* Sample::find(const std::string& name) const { return find_in(fields, name); }
const Tensor& Sample::at(const std::string& name) const {
  const Field* f = find(name);
  if (!f) fail_without("sample", name, fields);
  return f->data;
}
size_t Sample::bytes() const {
  size_t sum = 0;
  for (const Field& f : fields) sum += f.data.bytes();
  return sum;
}

VoxelBox Sample::box() const { return {begin, volume_size(image())}; }

const Field* Batch::find(const std::string& name) const { return find_in(targets, name); }
const Tensor& Batch::at(const std::string& name) const {
  const Field* f = find(name);
  if (!f) fail_without("batch", name, targets);
  return f->data;
}

Sample sample_of(Tensor image, Tensor label) {
  Sample s{{{"image", DataKind::image, std::move(image)}}};
  if (label) s.fields.push_back({"label", DataKind::labels, std::move(label)});
  return s;
}

Int3 volume_size(const Tensor& t) { return {int(t.dim(0)), int(t.dim(1)), int(t.dim(2))}; }

void check_image(const char* who, const Tensor& image) { check_field(who, {"image", DataKind::image, image}); }

void check_sample(const char* who, const Sample& s) {
  check(!s.fields.empty() && s.fields[0].kind == DataKind::image, who, ": a sample without an image in front");
  for (size_t i = 0; i < s.fields.size(); ++i) {
    const Field& f = s.fields[i];
    check_field(who, f);
    check(find_in(s.fields, f.name) == &f, who, ": two fields are called \"", f.name, "\"");
    if (is_dense(f.kind))
      check(volume_size(f.data) == volume_size(s.image()), who, ": the image is ", volume_size(s.image()), " voxels, the field \"", f.name,
            "\" ", volume_size(f.data));
  }
  const VoxelBox box = s.box();
  const Int3 size = s.size();
  for (int a = 0; a < 3; ++a)
    check(box.begin[a] >= 0 && box.begin[a] <= size[a] - box.size[a], who, ": a box of ", box.size, " voxels at ", box.begin,
          " is no part of a volume of ", size);
}

Channel::Channel(const char* who, const Tensor& image, int channel) : image_(image), plane_(image), channel_(channel) {
  check_image(who, image);
  const int64_t channels = image.dim(3);
  check(channel >= 0 && channel < channels, who, ": channel ", channel, " of an image with ", channels);
  if (channels == 1) return;
  plane_ = Tensor::empty(image.shape().with(3, 1));
  const float* from = image.view().as<float>() + channel;
  float* to = data();
  parallel_for(count(), 1 << 14, [&](int64_t i) { to[i] = from[i * channels]; });
}

Channel::~Channel() {
  const int64_t channels = image_.dim(3);
  if (channels == 1) return;
  float* to = image_.view().as<float>() + channel_;
  const float* from = data();
  parallel_for(count(), 1 << 14, [&](int64_t i) { to[i * channels] = from[i]; });
}

}  // namespace voxgrad
