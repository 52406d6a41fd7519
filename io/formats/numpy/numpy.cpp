// Arrays of NumPy (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Axes are {W}, {H, W}, {D, H, W} or {C, D, H, W}.
// Of complex numbers both parts of each channel are channels. An array says nothing of space: voxels are taken to be 1 mm wide, unless the
// same .npz has "affine", 4 x 4 from (d, h, w, 1) to RAS+ mm, or "spacing", mm along d, h, w.
#include <cmath>
#include <cstring>

#include "io/formats/formats.h"
#include "io/formats/numpy/npy.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr size_t kPreamble = 10, kLongestHeader = 64 << 10, kAlign = 64;

// What follows 'key': in the text of a Python dictionary, without interpreting anything else.
std::string_view value_of(std::string_view text, const std::string& key, const std::string& who) {
  size_t at = text.find("'" + key + "'");
  if (at == text.npos) at = text.find("\"" + key + "\"");
  check(at != text.npos, who, ": the header of the array has no ", key);
  at = text.find(':', at + key.size());
  check(at != text.npos, who, ": the header of the array has no ", key);
  return trimmed(text.substr(at + 1));
}

Stored stored_of(std::string_view descr, const std::string& who) {
  static constexpr std::pair<const char*, Stored> kinds[] = {
      {"b1", Stored::u8},  {"u1", Stored::u8},  {"i1", Stored::i8},  {"u2", Stored::u16}, {"i2", Stored::i16}, {"u4", Stored::u32},
      {"i4", Stored::i32}, {"u8", Stored::u64}, {"i8", Stored::i64}, {"f2", Stored::f16}, {"f4", Stored::f32}, {"f8", Stored::f64},
      {"c8", Stored::f32}, {"c16", Stored::f64}};
  check(descr.size() < 2 || descr[1] != 'O', who, ": holds Python objects, which are not read: they could run code");
  for (auto& [name, stored] : kinds)
    if (!descr.empty() && descr.substr(1) == name && std::string_view("<>|=").find(descr[0]) != std::string_view::npos) return stored;
  fail(who, ": its element type \"", descr.substr(0, 40), "\" is not one that is read (numbers and bool)");
}

// The first bytes of an array: its header and what follows.
Npy parse_npy(std::span<const std::byte> bytes, const std::string& who) {
  const char* text = reinterpret_cast<const char*>(bytes.data());
  check(bytes.size() >= kPreamble && std::memcmp(text, "\x93NUMPY", 6) == 0, who, ": is no array of NumPy");
  const int version = text[6];
  check(version >= 1 && version <= 3, who, ": is an array of NumPy's format ", version, "; 1 to 3 are read");
  const size_t width = version == 1 ? 2 : 4;
  size_t length = 0;
  check(bytes.size() >= 8 + width, who, ": ends within the header of the array");
  std::memcpy(&length, text + 8, width);
  Npy out{.layout = {.format = "NumPy"}, .begin = 8 + width + length};
  check(length <= kLongestHeader && bytes.size() >= out.begin, who, ": ends within the header of the array");
  const std::string_view header(text + 8 + width, length);
  std::string_view descr = value_of(header, "descr", who);
  check(!descr.empty() && (descr[0] == '\'' || descr[0] == '"'), who, ": is an array of records, which are not read");
  const size_t quote = descr.find(descr[0], 1);
  descr = descr.substr(1, quote == descr.npos ? 0 : quote - 1);
  VoxelLayout& v = out.layout;
  v.stored = stored_of(descr, who);
  v.swapped = descr[0] == '>' && size_of(v.stored) > 1;
  out.complex = descr[1] == 'c';
  out.fortran = value_of(header, "fortran_order", who).starts_with("True");
  std::string_view shape = value_of(header, "shape", who);
  const size_t end = shape.find(')');
  check(shape.starts_with('(') && end != shape.npos, who, ": the header of the array has no shape");
  std::string list(shape.substr(1, end - 1));
  std::replace(list.begin(), list.end(), ',', ' ');
  out.shape = numbers<int64_t>(list, who + ": an extent of the array");
  return out;
}

// Sets extents and channels; a Fortran array holds them in reverse.
void set_extents(Npy& a, const std::string& who) {
  std::vector<int64_t> s = a.shape;
  while (s.size() > 4 && s.front() == 1) s.erase(s.begin());
  check(!s.empty() && s.size() <= 4, who, ": is an array of ", s.size(), " axes; 1 to 4 are read (channels, depth, height, width)");
  VoxelLayout& v = a.layout;
  if (s.size() == 4) {
    v.channels = s[0];
    s.erase(s.begin());
  }
  for (size_t i = 0; i < s.size(); ++i) v.size[3 - s.size() + i] = s[i];
  check(!a.complex || (!a.fortran && v.channels < (1 << 30)), who,
        ": is an array of complex numbers in Fortran's order, which is not read");
  if (a.complex) v.channels *= 2;
  v.validate(who);
  v.planar = v.channels > 1 && !a.fortran && !a.complex;
}

// {D, H, W, 2 C} of complex numbers {C, D, H, W}, read by `read`.
template <class Read>
Tensor pairs_of(const Npy& a, Read&& read) {
  VoxelLayout v = a.layout;
  const int64_t outer = v.channels / 2, voxels = v.size[0] * v.size[1] * v.size[2];
  v.size[0] *= outer;
  v.channels = 2;
  v.validate(v.format);
  const Tensor apart = read(v), out = Tensor::empty(a.layout.shape(), apart.dtype());
  const float* const from = apart.view().template as<float>();
  float* const to = out.view().template as<float>();
  for (int64_t c = 0; c < outer; ++c)
    for (int64_t i = 0; i < voxels; ++i)
      for (int64_t part = 0; part < 2; ++part) to[(i * outer + c) * 2 + part] = from[(c * voxels + i) * 2 + part];
  return out;
}

// {D, H, W, C} of elements that lie in Fortran's order, read by `read` in the layout that this is of {W, H, D}.
template <class Read>
Tensor in_order(const Npy& a, Read&& read) {
  VoxelLayout v = a.layout;
  if (a.complex && v.channels > 2) return pairs_of(a, read);
  if (!a.fortran) return read(v);
  std::swap(v.size[0], v.size[2]);
  return to_canonical(read(v), Orientation{.axis = {2, 1, 0}});
}

std::vector<double> small_array(const fs::path& path, const ZipEntry& e) {
  const std::string who = path.string() + ": " + e.name;
  check(e.size <= kLongestHeader, who, ": is ", e.size, " bytes long, wanted a few numbers");
  const auto bytes = zip_bytes(path, e);
  Npy a = parse_npy(bytes, who);
  set_extents(a, who);
  return in_order(a, [&](const VoxelLayout& v) { return convert_voxels(std::span(bytes).subspan(a.begin), v, who); }).values();
}

std::optional<Affine> affine_in(const fs::path& path, const std::vector<ZipEntry>& entries) {
  std::optional<Affine> out;
  for (auto& e : entries) {
    if (e.name == "affine.npy") {
      const auto m = small_array(path, e);
      check(m.size() == 16, path.string(), ": its \"affine\" has ", m.size(), " numbers, wanted 4 x 4");
      out.emplace();
      for (size_t i = 0; i < 12; ++i) out->m[i / 4][i % 4] = m[i];
    } else if (e.name == "spacing.npy") {
      const auto mm = small_array(path, e);
      check(mm.size() == 3, path.string(), ": its \"spacing\" has ", mm.size(), " numbers, wanted 3");
      out = Affine::scaling({mm[0], mm[1], mm[2]});
    }
  }
  check(!out || out->is_valid(), path.string(), ": its spacing and directions are not finite or not independent");
  return out;
}

}  // namespace

NpyInArchive open_npy_in_archive(const fs::path& path, const std::string& array) {
  const auto entries = zip_entries(path);
  std::vector<NpyInArchive> found;
  std::string list, refused;
  for (auto& e : entries) {
    if (!e.name.ends_with(".npy") || e.name == "affine.npy" || e.name == "spacing.npy") continue;
    const std::string name = e.name.substr(0, e.name.size() - 4);
    if (!array.empty() && name != array) {
      list += "\n  " + name;
      continue;
    }
    NpyInArchive o{.entry = e};
    try {
      o.array = parse_npy(zip_bytes(path, e, kLongestHeader + kPreamble + 2), path.string() + ": " + name);
      list += "\n  " + name + " (";
      for (size_t i = 0; i < o.array.shape.size(); ++i) list += (i ? " x " : "") + std::to_string(o.array.shape[i]);
      list += ")";
      if (o.array.shape.size() >= 2 || !array.empty()) found.push_back(std::move(o));
    } catch (const Error& error) {
      if (!array.empty()) throw;
      refused = error.what();
    }
  }
  check(!found.empty() || refused.empty(), refused);
  check(!found.empty(), path.string(), ": has no array ", array.empty() ? "of two axes or more" : "\"" + array + "\"",
        list.empty() ? "" : "; it has" + list);
  check(found.size() == 1, path.string(), ": has several arrays; choose one by its name (--array):", list);
  NpyInArchive& o = found[0];
  set_extents(o.array, path.string());
  check(o.entry.size == o.array.begin + o.array.layout.bytes(), path.string(), ": ", o.entry.name, " has ", o.entry.size,
        " bytes, its header announces ", o.array.begin + o.array.layout.bytes());
  o.affine = affine_in(path, entries);
  return o;
}

Npy open_npy(ByteSource& source) {
  std::vector<std::byte> head(kLongestHeader + kPreamble + 2);
  head.resize(size_t(source.read_some(head.data(), head.size())));
  Npy a = parse_npy(head, source.name());
  set_extents(a, source.name());
  return a;
}

std::string npy_header(const Shape& shape, Stored stored) {
  const std::string name = name_of(stored);  // "i16" is "<i2"
  const std::string descr = (size_of(stored) == 1 ? "|" : "<") + name.substr(0, 1) + std::to_string(size_of(stored));
  std::string text = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < shape.rank; ++i) text += std::to_string(shape[i]) + ", ";
  text += "), }";
  text.append(kAlign - (kPreamble + text.size() + 1) % kAlign, ' ');
  text += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += char(text.size() % 256);
  out += char(text.size() / 256);
  return out + text;
}

bool is_numpy(const fs::path& path) {
  const std::string ending = volume_extension(path);
  ByteSource source(path, ByteSource::Coding::plain);
  char magic[6] = {};
  if (source.read_some(magic, 6) == 6 && std::memcmp(magic, "\x93NUMPY", 6) == 0) return true;
  return ending == ".npz" && is_zip(path);
}

VolumeHeader numpy_header(const fs::path& path, const ReadOptions& options) {
  if (is_zip(path)) {
    const NpyInArchive o = open_npy_in_archive(path, options.array);
    return header_of(o.array.layout, o.affine.value_or(Affine()));
  }
  ByteSource source(path, ByteSource::Coding::plain);
  return header_of(open_npy(source).layout, {});
}

Volume read_numpy(const fs::path& path, const ReadOptions& options) {
  if (is_zip(path)) {
    const NpyInArchive o = open_npy_in_archive(path, options.array);
    const auto bytes = zip_bytes(path, o.entry);
    const auto voxels = [&](const VoxelLayout& v) { return convert_voxels(std::span(bytes).subspan(o.array.begin), v, path.string()); };
    return {.data = in_order(o.array, voxels), .affine = o.affine.value_or(Affine()), .kspace_planes = o.array.complex};
  }
  ByteSource source(path, ByteSource::Coding::plain);
  const Npy a = open_npy(source);
  source.seek(a.begin, false);
  return {.data = in_order(a, [&](const VoxelLayout& v) { return read_voxels(source, v); }), .affine = {}, .kspace_planes = a.complex};
}

void write_numpy(const fs::path& path, const Volume& v, Stored stored) {
  const Shape& s = v.data.shape();
  const Tensor data = s[3] > 1 ? planar(v.data) : v.data.reshape({s[0], s[1], s[2]});
  const std::string head = npy_header(data.shape(), stored);
  std::vector<std::byte> scratch;
  const auto voxels = bytes_of(data, stored, scratch);
  const auto as_bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  if (path.extension() == ".npy") {
    AtomicFile file(path);
    file.write(head);
    file.write(voxels.data(), voxels.size());
    return file.commit();
  }
  const std::string affine_head = npy_header({4, 4}, Stored::f64);
  write_zip(path, {{"data.npy", {as_bytes(head), voxels}}, {"affine.npy", {as_bytes(affine_head), std::as_bytes(std::span(v.affine.m))}}});
}

}  // namespace voxgrad
