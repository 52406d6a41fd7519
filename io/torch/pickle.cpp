#include "io/torch/pickle.h"

#include <bit>
#include <charconv>

#include "core/error.h"

namespace voxgrad {
namespace {
constexpr size_t kMostStack = 4'000'000;

bool is_plain_dict(const PickleValue& callable) {
  return callable.is(PickleValue::Kind::global) && callable.text == "collections.OrderedDict";
}
}  // namespace

std::span<const PickleValue* const> PickleValue::arguments() const {
  if (!is(Kind::object) || items.empty() || !items[0]->is(Kind::tuple)) return {};
  return items[0]->items;
}

const PickleValue* PickleValue::find(std::string_view key) const {
  if (kind != Kind::dict) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i]->is(Kind::text) && items[i]->text == key) return items[i + 1];
  return nullptr;
}

std::string describe(const PickleValue& v) {
  constexpr const char* kinds[] = {"None", "a bool", "an integer", "a float", "a str", "bytes", "a list", "a tuple", "a dict", "a storage"};
  if (v.is(PickleValue::Kind::global)) return "the name " + v.text;
  if (v.is(PickleValue::Kind::object)) return "an object of " + v.text;
  return kinds[int(v.kind)];
}

PickleReader::PickleReader(std::string who, std::span<const char> bytes, const PickleLimits& limits)
    : who_(std::move(who)), bytes_(bytes), limits_(limits) {
  none_ = make(Kind::none);
  PickleValue* yes = make(Kind::boolean);
  yes->integer = 1;
  true_ = yes;
  false_ = make(Kind::boolean);
}

std::string_view PickleReader::take(uint64_t count) {
  check(count <= bytes_.size() - at_, who_, ": the pickle is cut off at byte ", at_, ": ", count, " bytes should follow, there are ",
        bytes_.size() - at_);
  const std::string_view out(bytes_.data() + at_, size_t(count));
  at_ += size_t(count);
  return out;
}

uint64_t PickleReader::number(int count) {
  const std::string_view raw = take(uint64_t(count));
  uint64_t out = 0;
  for (size_t i = raw.size(); i-- > 0;) out = out << 8 | static_cast<unsigned char>(raw[i]);
  return out;
}

std::string_view PickleReader::line() {
  const std::string_view rest(bytes_.data() + at_, bytes_.size() - at_);
  const size_t end = rest.find('\n');
  check(end != rest.npos, who_, ": the pickle is cut off in a line at byte ", at_);
  at_ += end + 1;
  return rest.substr(0, end);
}

PickleValue* PickleReader::make(Kind kind, std::string_view text) {
  check(values_.size() < limits_.values, who_, ": the pickle makes more than ", limits_.values, " values");
  PickleValue& v = values_.emplace_back();
  v.kind = kind;
  v.text = text;
  return &v;
}

PickleValue* PickleReader::whole(int64_t n) {
  PickleValue* v = make(Kind::integer);
  v->integer = n;
  return v;
}

// Two's complement, lowest byte first. What needs more than 64 bits is kept as an object that nobody can ask for.
const PickleValue* PickleReader::long_integer(std::string_view raw) {
  if (raw.size() > 8) return make(Kind::object, "an integer of more than 64 bits");
  uint64_t n = !raw.empty() && (raw.back() & 0x80) ? ~uint64_t(0) : 0;
  for (size_t i = raw.size(); i-- > 0;) n = n << 8 | static_cast<unsigned char>(raw[i]);
  return whole(int64_t(n));
}

const PickleValue* PickleReader::pop(const char* what) {
  check(stack_.size() > (marks_.empty() ? 0 : marks_.back()), who_, ": the pickle is malformed before byte ", at_, ": ", what,
        " is not there");
  const PickleValue* v = stack_.back();
  stack_.pop_back();
  return v;
}

PickleReader::Stack PickleReader::pop_mark() {
  check(!marks_.empty(), who_, ": the pickle is malformed before byte ", at_, ": a mark is not there");
  const auto begin = stack_.begin() + std::ptrdiff_t(marks_.back());
  marks_.pop_back();
  Stack out(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return out;
}

PickleValue* PickleReader::top(const char* what) {
  const PickleValue* v = pop(what);
  stack_.push_back(v);
  check(v != none_ && v != true_ && v != false_, who_, ": the pickle is malformed before byte ", at_, ": ", what, " is ", describe(*v));
  return const_cast<PickleValue*>(v);  // all values are elements of values_
}

void PickleReader::add(std::span<const PickleValue* const> what, bool pairs) {
  PickleValue* to = top("what takes elements");
  check(to->is(pairs ? Kind::dict : Kind::list) || to->is(Kind::object), who_, ": the pickle is malformed before byte ", at_, ": ",
        pairs ? "entries are put into " : "elements are put into ", describe(*to));
  check(!pairs || what.size() % 2 == 0, who_, ": the pickle is malformed before byte ", at_, ": a key without a value");
  to->items.insert(to->items.end(), what.begin(), what.end());
}

const PickleValue* PickleReader::global(std::string_view module, std::string_view name) {
  check(module.size() + name.size() <= 1000, who_, ": the pickle names something in ", module.size() + name.size(), " letters");
  std::string text(module);
  text += '.';
  text += name;
  return make(Kind::global, text);
}

void PickleReader::reduce(const PickleValue* callable, const PickleValue* arguments) {
  check(arguments->is(Kind::tuple), who_, ": the pickle is malformed before byte ", at_, ": arguments that are ", describe(*arguments));
  if (is_plain_dict(*callable)) {
    PickleValue* made = make(Kind::dict);
    stack_.push_back(made);
    if (arguments->items.empty()) return;
    // OrderedDict([(key, value), ..]), as Python 2 wrote it.
    check(arguments->items.size() == 1 && arguments->items[0]->is(Kind::list), who_, ": an OrderedDict of ", describe(*arguments));
    for (const PickleValue* pair : arguments->items[0]->items) {
      check((pair->is(Kind::list) || pair->is(Kind::tuple)) && pair->items.size() == 2, who_, ": an OrderedDict with ", describe(*pair),
            " in place of a key and a value");
      made->items.insert(made->items.end(), pair->items.begin(), pair->items.end());
    }
    return;
  }
  PickleValue* made = make(Kind::object, callable->is(Kind::global) ? std::string_view(callable->text) : "something without a name");
  made->items = {arguments};
  stack_.push_back(made);
}

const PickleValue* PickleReader::next() {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  const size_t begin = at_;
  for (;;) {
    const auto opcode = static_cast<unsigned char>(take(1)[0]);
    check(at_ - begin <= limits_.bytes, who_, ": the pickle has more than ", limits_.bytes, " bytes");
    check(stack_.size() < kMostStack && marks_.size() < kMostStack, who_, ": the pickle stacks more than ", kMostStack, " values");
    if (opcode == '.') break;
    if (!step(opcode)) {
      char shown[8];
      std::snprintf(shown, sizeof shown, "0x%02x", opcode);
      fail(who_, ": the pickle has the opcode ", shown, " at byte ", at_ - 1, ", which is not read; it is damaged or no checkpoint");
    }
  }
  return pop("a value");
}

}  // namespace voxgrad
