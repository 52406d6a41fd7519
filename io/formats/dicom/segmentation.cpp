#include "io/formats/dicom/segmentation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "io/formats/dicom/values.h"

namespace voxgrad::dicom {
namespace {
constexpr uint32_t kType = 0x00620001, kSegments = 0x00620002, kNumber = 0x00620004, kLabel = 0x00620005, kMost = 0x0062000e;

constexpr uint64_t kMostVoxels = 20000;  // to a byte of the file

struct About {
  std::string type;
  double most = 255;                     // of FRACTIONAL
  std::map<int64_t, std::string> names;  // by number
};

About about(const Object& o) {
  const DicomFile f = open_dicom(o.path);
  About a{.type = f.data.text(kType)};
  a.most = f.data.number(kMost, "US").value_or(255);
  for (const DataSet& s : f.data.items(kSegments)) a.names[s.whole(kNumber, 0, 65535)] = s.text(kLabel);
  check(a.most > 0, f.who(), ": MaximumFractionalValue (0062,000E) is ", a.most);
  check(a.type == "BINARY" || a.type == "FRACTIONAL" || a.type == "LABELMAP", f.who(), ": its SegmentationType (0062,0001) is \"", a.type,
        "\", BINARY, FRACTIONAL and LABELMAP are read");
  return a;
}

int64_t segment_of(const Plane& p) {
  const auto& said = p.keys[size_t(Key::segment)].numbers;
  return said.empty() ? 1 : int64_t(said[0]);
}

std::string named(const About& a, int64_t segment) {
  const auto at = a.names.find(segment);
  return std::to_string(segment) + (at == a.names.end() || at->second.empty() ? "" : " (" + at->second + ")");
}

// Visits every plane with its values.
template <class Use>
void each_plane(const Series& s, const Stack& stack, Use&& use) {
  std::vector<WantedFrame> wanted;
  for (const Placed& p : stack.planes) wanted.push_back({p.object, p.plane.frame});
  each_frame(s.objects, wanted, [&](size_t i, std::vector<double>& values) { use(stack.planes[i], values); });
}

// Numbers of segments; false as soon as two of them claim a voxel, which `first` and `second` then are.
template <class T>
bool fill_labels(const Series& s, const Stack& stack, bool map, T* to, int64_t& first, int64_t& second) {
  const int64_t plane = stack.rows * stack.columns;
  bool apart = true;
  each_plane(s, stack, [&](const Placed& p, const std::vector<double>& values) {
    T* at = to + p.slice * plane;
    const auto own = T(segment_of(p.plane));
    for (int64_t i = 0; apart && i < plane; ++i) {
      if (values[size_t(i)] == 0) continue;
      const T label = map ? T(values[size_t(i)]) : own;
      if (at[i] != 0 && at[i] != label) apart = false, first = int64_t(at[i]), second = int64_t(label);
      at[i] = label;
    }
  });
  return apart;
}

// Segments as channels in the order of their numbers.
std::vector<int64_t> name_channels(Stack& stack, const About& a) {
  std::map<int64_t, int> numbers;
  for (const auto& [number, name] : a.names) numbers[number];
  for (const Placed& p : stack.planes) numbers[segment_of(p.plane)];
  std::vector<int64_t> out;
  for (const auto& [number, unused] : numbers) out.push_back(number);
  stack.channels = int64_t(out.size());
  if (out.size() > 1)
    for (const int64_t n : out) stack.names.push_back("segment " + named(a, n));
  return out;
}

template <class T>
Tensor channels_of(const Series& s, const Stack& stack, const std::vector<int64_t>& numbers, DType dtype, double unit) {
  const int64_t plane = stack.rows * stack.columns, channels = stack.channels;
  Tensor out = Tensor::zeros({stack.slices, stack.rows, stack.columns, channels}, dtype);
  T* to = out.view().as<T>();
  each_plane(s, stack, [&](const Placed& p, const std::vector<double>& values) {
    const int64_t c = std::find(numbers.begin(), numbers.end(), segment_of(p.plane)) - numbers.begin();
    for (int64_t i = 0; i < plane; ++i) to[(p.slice * plane + i) * channels + c] = T(values[size_t(i)] / unit);
  });
  return out;
}

// The segment with the largest share of a voxel, from one half on.
Tensor largest_of(const Tensor& shares, const std::vector<int64_t>& numbers, DType dtype) {
  const int64_t channels = shares.dim(3);
  std::vector<double> labels(size_t(shares.count() / channels));
  const auto from = shares.data<float>();
  for (size_t v = 0; v < labels.size(); ++v) {
    const float* at = from.data() + v * size_t(channels);
    const float* best = std::max_element(at, at + channels);
    labels[v] = *best >= 0.5f ? double(numbers[size_t(best - at)]) : 0;
  }
  return Tensor::from(labels, {shares.dim(0), shares.dim(1), shares.dim(2), 1}, dtype);
}
}  // namespace

Segmented read_segmentation(const Series& s, bool labels, const std::string& who) {
  check(s.objects.size() == 1, who, ": has several segmentation objects; give one file");
  const Object& o = s.objects[0];
  const About a = about(o);
  Segmented out{.stack = stacked_with_gaps(s.planes, who)};
  Stack& stack = out.stack;
  stack.rows = o.rows, stack.columns = o.columns;
  // A mask is mostly empty slices, but not more of them than a file of its size may mean.
  check(uint64_t(stack.slices * stack.rows * stack.columns) / kMostVoxels <= fs::file_size(o.path), who, ": its planes lie ", stack.slices,
        " slices apart, too far for the few that it has");
  int64_t most = a.names.empty() ? 1 : a.names.rbegin()->first;
  for (const Placed& p : stack.planes) most = std::max(most, segment_of(p.plane));
  const DType dtype = most <= 255 && !(a.type == "LABELMAP" && o.format.stored > 8) ? DType::u8 : DType::i32;
  const Shape one = {stack.slices, stack.rows, stack.columns, 1};
  if (a.type == "FRACTIONAL") {
    const auto numbers = name_channels(stack, a);
    out.data = channels_of<float>(s, stack, numbers, DType::f32, a.most);
    if (labels) out.data = largest_of(out.data, numbers, dtype), stack.channels = 1, stack.names.clear();
    return out;
  }
  out.data = Tensor::zeros(one, dtype);
  int64_t first = 0, second = 0;
  const bool map = a.type == "LABELMAP";
  const bool apart = dtype == DType::u8 ? fill_labels(s, stack, map, out.data.view().as<uint8_t>(), first, second)
                                        : fill_labels(s, stack, map, out.data.view().as<int32_t>(), first, second);
  if (apart) return out;
  check(!labels, who, ": its segments ", named(a, first), " and ", named(a, second),
        " overlap, so they make no label map of one value per voxel; convert it to channels and take one of them with --volume");
  out.data = channels_of<uint8_t>(s, stack, name_channels(stack, a), DType::u8, 1);
  return out;
}

}  // namespace voxgrad::dicom
