// PASCAL VOC: DIR/Annotations/NAME.xml with the boxes of DIR/JPEGImages/NAME.jpg, or of an image beside the XML files, and
// DIR/ImageSets/Main/train.txt, val.txt and test.txt with the names of each part. Without val.txt no part validates by itself.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/readers/dataset_reader.h"
#include "data/readers/labelled.h"
#include "io/formats/formats.h"
#include "io/formats/text_fields.h"
#include "io/image.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr uintmax_t kMostXml = 16 << 20;  // bytes

std::string text_of_file(const fs::path& file) {
  check(fs::is_regular_file(file) && fs::file_size(file) <= kMostXml, file.string(), ": is no text of at most 16 MiB");
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Where an element lies in a text, from < to behind its end, and what stands between its tags.
struct XmlElement {
  size_t begin, end;
  std::string inside;
};

// Of every <tag>, with attributes or without, and its </tag>.
std::vector<XmlElement> elements_of(const std::string& xml, const std::string& tag, const std::string& where) {
  std::vector<XmlElement> out;
  const std::string open = "<" + tag, close = "</" + tag + ">";
  for (size_t at = xml.find(open); at != xml.npos; at = xml.find(open, at)) {
    const size_t after = at + open.size(), end_of_tag = xml.find('>', after);
    const bool another = after < xml.size() && std::string(" \t\r\n/>").find(xml[after]) == std::string::npos;
    if (another) {
      at = after;
      continue;
    }
    check(end_of_tag != xml.npos, where, ": ", open, "> has no end; the file may be cut off");
    const bool empty = xml[end_of_tag - 1] == '/';
    const size_t begin = end_of_tag + 1, end = empty ? begin : xml.find(close, begin);
    check(end != xml.npos, where, ": ", open, "> has no end; the file may be cut off");
    out.push_back({at, empty ? begin : end + close.size(), xml.substr(begin, end - begin)});
    at = out.back().end;
  }
  return out;
}

std::string without_elements(std::string xml, const std::string& tag, const std::string& where) {
  const std::vector<XmlElement> all = elements_of(xml, tag, where);
  for (size_t i = all.size(); i-- > 0;) xml.erase(all[i].begin, all[i].end - all[i].begin);
  return xml;
}

std::string without_comments(std::string xml, const std::string& where) {
  for (size_t at = xml.find("<!--"); at != xml.npos; at = xml.find("<!--", at)) {
    const size_t end = xml.find("-->", at + 4);
    check(end != xml.npos, where, ": <!-- has no end; the file may be cut off");
    xml.erase(at, end + 3 - at);
  }
  return xml;
}

// Text with the five characters that XML names.
std::string with_characters(std::string text) {
  for (auto& [name, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}})
    for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) text.replace(at, std::strlen(name), character);
  return text;
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  return first == text.npos ? "" : text.substr(first, last - first + 1);
}

std::string only_element(const std::string& xml, const std::string& tag, const std::string& where) {
  const auto found = elements_of(xml, tag, where);
  check(!found.empty(), where, ": an object has no <", tag, ">");
  return with_characters(trimmed(found[0].inside));
}

// Pixels are counted from 1 and the last one belongs to the box. Parts of an object (a head, a hand) have boxes of their own.
Json box_of_object(const std::string& with_parts, const std::string& where) {
  const std::string object = without_elements(with_parts, "part", where), name = only_element(object, "name", where);
  check(!name.empty(), where, ": the <name> of an object is empty");
  const std::string box = only_element(object, "bndbox", where);
  const auto edge = [&](const char* tag) {
    const double v = number<double>(only_element(box, tag, where), where + ": " + tag);
    check(std::isfinite(v), where, ": ", tag, " of an object is ", v);
    return v;
  };
  return {{"label", name},
          {"voxels", {edge("xmin") - 1, edge("ymin") - 1, edge("xmax"), edge("ymax")}}};
}

struct VocFile {
  Json boxes = Json::array();
  std::string image;  // its name; empty: nothing is said
};

VocFile read_voc(const fs::path& file) {
  const std::string where = file.string(), xml = without_comments(text_of_file(file), where);
  check(xml.find("<annotation") != xml.npos && xml.find("</annotation>") != xml.npos, where, ": has no <annotation> with its end");
  VocFile out;
  for (auto& object : elements_of(xml, "object", where)) out.boxes.push_back(box_of_object(object.inside, where));
  const auto names = elements_of(xml, "filename", where);
  if (!names.empty()) out.image = fs::path(with_characters(trimmed(names[0].inside))).filename().string();
  return out;
}

bool is_xml(const fs::directory_entry& e) {
  return e.is_regular_file() && e.path().extension() == ".xml" && !e.path().filename().string().starts_with('.');
}

bool has_annotation(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string begin(4096, ' ');
  in.read(begin.data(), std::streamsize(begin.size()));
  return begin.find("<annotation") != begin.npos;
}

// The folder with the XML files; empty: there is none.
fs::path annotations_in(const fs::path& folder) {
  if (!fs::is_directory(folder) || fs::exists(folder / "dataset.json")) return {};
  for (const fs::path& at : {folder / "Annotations", folder})
    if (fs::is_directory(at))
      for (auto& entry : fs::directory_iterator(at))
        if (is_xml(entry) && has_annotation(entry.path())) return at;
  return {};
}

// train, val and test by the name of a case.
std::map<std::string, std::string> parts_of_voc(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const char* part : {"train", "val", "test"}) {
    const fs::path file = folder / "ImageSets" / "Main" / (std::string(part) + ".txt");
    if (!fs::is_regular_file(file)) continue;
    std::istringstream lines(text_of_file(file));
    for (std::string line; std::getline(lines, line);)
      if (const std::string id = trimmed(line); !id.empty()) out[id] = part;
  }
  return out;
}

// By the name in the XML file, or that of the XML file with another ending.
fs::path image_of(const fs::path& folder, const fs::path& xml, const std::string& named) {
  for (const fs::path& at : {folder / "JPEGImages", folder / "images", xml.parent_path()}) {
    if (!named.empty() && fs::is_regular_file(at / named)) return at / named;
    for (const char* ending : {".jpg", ".jpeg", ".png", ".bmp", ".tif"})
      if (fs::is_regular_file(at / (xml.stem().string() + ending))) return at / (xml.stem().string() + ending);
  }
  fail(xml.string(), ": there is no image ", named.empty() ? xml.stem().string() : named, " in JPEGImages, images or beside it");
}

Dataset read_voc_dataset(const fs::path& folder) {
  const auto parts = parts_of_voc(folder);
  std::vector<LabelledImage> images;
  std::set<std::string> classes;
  for (auto& entry : fs::directory_iterator(annotations_in(folder))) {
    if (!is_xml(entry)) continue;
    const std::string id = entry.path().stem().string();
    const auto part = parts.find(id);
    if (!parts.empty() && part == parts.end()) continue;
    const VocFile v = read_voc(entry.path());
    for (auto& b : v.boxes) classes.insert(b["label"].get<std::string>());
    LabelledImage one{.image = {.id = id, .images = {image_of(folder, entry.path(), v.image)}},
                      .label = "",
                      .part = part == parts.end() ? "" : part->second};
    one.image.targets["boxes"] = v.boxes.dump();
    images.push_back(std::move(one));
  }
  const std::string name = (folder / ".").lexically_normal().parent_path().filename().string();
  Dataset d = labelled_dataset(folder, name, std::move(images), folder.string());
  d.labels.assign(classes.begin(), classes.end());
  return d;
}

}  // namespace

DatasetReader voc_dataset() {
  return {"voc", "a folder of PASCAL VOC: Annotations with an XML file of boxes for each image in JPEGImages",
          [](const fs::path& folder) { return !annotations_in(folder).empty(); }, read_voc_dataset};
}

}  // namespace voxgrad
