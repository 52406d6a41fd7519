#pragma once
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace voxgrad {

// A value of a Python pickle, as data: nothing is looked up, called or constructed. Values are shared where the pickle shares them and may
// hold themselves, so who walks them counts.
struct PickleValue {
  enum class Kind : uint8_t { none, boolean, integer, real, text, bytes, list, tuple, dict, persistent, global, object };
  Kind kind = Kind::none;
  int64_t integer = 0;  // of boolean, too
  double real = 0;
  std::string text;  // of text and bytes; of a global, and of an object what makes it: "module.name"
  // list (also a set) and tuple: elements; dict: key, value, key, value; persistent: what the id is; object: the tuple of its arguments,
  // then what is put into it
  std::vector<const PickleValue*> items = {};
  const PickleValue* state = nullptr;  // of an object

  bool is(Kind k) const { return kind == k; }
  // Of an object, what its maker was called with; empty where nothing made it, as of an integer of more than 64 bits.
  std::span<const PickleValue* const> arguments() const;
  // Of a dict, the value under this text; null where it is none or has none.
  const PickleValue* find(std::string_view key) const;
};
// "a list", "an object of collections.Counter".
std::string describe(const PickleValue&);

struct PickleLimits {
  uint64_t bytes = 64 << 20;
  size_t values = 4'000'000;
};

// Values of one or several pickles, which live as long as it.
class PickleReader {
 public:
  // who: begins every Error.
  PickleReader(std::string who, std::span<const char> bytes, const PickleLimits& = {});
  // The value of the next pickle, which begins where the last one ended. Error for opcodes that are not read, by name, for what is cut off
  // or malformed, and beyond the limits. collections.OrderedDict becomes a dict.
  const PickleValue* next();
  size_t position() const { return at_; }  // in the bytes
  const std::deque<PickleValue>& values() const { return values_; }

 private:
  using Kind = PickleValue::Kind;
  using Stack = std::vector<const PickleValue*>;

  uint64_t number(int bytes);
  std::string_view take(uint64_t bytes);
  std::string_view line();
  PickleValue* make(Kind, std::string_view text = {});
  PickleValue* whole(int64_t);
  const PickleValue* long_integer(std::string_view bytes);
  const PickleValue* pop(const char* what);
  Stack pop_mark();
  PickleValue* top(const char* what);
  void reduce(const PickleValue* callable, const PickleValue* arguments);
  void add(std::span<const PickleValue* const>, bool pairs);
  const PickleValue* global(std::string_view module, std::string_view name);
  void remember(uint64_t index);
  void recall(uint64_t index);
  bool step(unsigned char opcode);
  bool step_number(unsigned char opcode);
  bool step_text(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_object(unsigned char opcode);
  bool step_memo(unsigned char opcode);

  std::string who_;
  std::span<const char> bytes_;
  PickleLimits limits_;
  size_t at_ = 0;
  std::deque<PickleValue> values_;
  const PickleValue *none_, *true_, *false_;
  // Of the pickle that is being read.
  Stack stack_;
  std::vector<size_t> marks_;
  std::vector<const PickleValue*> memo_;
};

}  // namespace voxgrad
