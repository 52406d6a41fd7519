// The opcodes of Python's pickle protocols 0 to 5 that plain data and PyTorch's checkpoints use (docs.python.org, Lib/pickletools.py).
#include <array>
#include <bit>
#include <charconv>

#include "core/error.h"
#include "io/torch/pickle.h"

namespace voxgrad {

bool PickleReader::step(unsigned char opcode) {
  return step_number(opcode) || step_text(opcode) || step_container(opcode) || step_memo(opcode) || step_object(opcode);
}

bool PickleReader::step_number(unsigned char opcode) {
  switch (opcode) {
    case 'N': stack_.push_back(none_); return true;
    case 0x88: stack_.push_back(true_); return true;
    case 0x89: stack_.push_back(false_); return true;
    case 'K': stack_.push_back(whole(int64_t(number(1)))); return true;
    case 'M': stack_.push_back(whole(int64_t(number(2)))); return true;
    case 'J': stack_.push_back(whole(int32_t(uint32_t(number(4))))); return true;
    case 0x8a: stack_.push_back(long_integer(take(number(1)))); return true;
    case 0x8b: stack_.push_back(long_integer(take(number(4)))); return true;
    case 'G': {
      uint64_t bits = 0;
      for (char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
      PickleValue* v = make(Kind::real);
      v->real = std::bit_cast<double>(bits);
      stack_.push_back(v);
      return true;
    }
    case 'I':
    case 'L': {
      std::string_view digits = line();
      if (opcode == 'I' && (digits == "00" || digits == "01")) {
        stack_.push_back(digits == "01" ? true_ : false_);
        return true;
      }
      if (digits.ends_with('L')) digits.remove_suffix(1);
      int64_t n = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
      check(error == std::errc() && end == digits.data() + digits.size(), who_, ": the pickle has an integer that is none before byte ",
            at_);
      stack_.push_back(whole(n));
      return true;
    }
    default: return false;
  }
}

bool PickleReader::step_text(unsigned char opcode) {
  const auto push = [&](Kind kind, int length) {
    const uint64_t bytes = number(length);
    stack_.push_back(make(kind, take(bytes)));
    return true;
  };
  switch (opcode) {
    case 0x8c: return push(Kind::text, 1);
    case 'X': return push(Kind::text, 4);
    case 0x8d: return push(Kind::text, 8);
    case 'U': return push(Kind::text, 1);  // str of Python 2
    case 'T': return push(Kind::text, 4);
    case 'C': return push(Kind::bytes, 1);
    case 'B': return push(Kind::bytes, 4);
    case 0x8e:
    case 0x96: return push(Kind::bytes, 8);
    default: return false;
  }
}

bool PickleReader::step_container(unsigned char opcode) {
  const auto push = [&](Kind kind, Stack items) {
    PickleValue* v = make(kind);
    v->items = std::move(items);
    stack_.push_back(v);
    return true;
  };
  switch (opcode) {
    case '(': marks_.push_back(stack_.size()); return true;
    case ']':
    case 0x8f: return push(Kind::list, {});
    case '}': return push(Kind::dict, {});
    case ')': return push(Kind::tuple, {});
    case 'l':
    case 0x91: return push(Kind::list, pop_mark());
    case 't': return push(Kind::tuple, pop_mark());
    case 'd': {
      Stack items = pop_mark();
      check(items.size() % 2 == 0, who_, ": the pickle is malformed before byte ", at_, ": a key without a value");
      return push(Kind::dict, std::move(items));
    }
    case 0x85:
    case 0x86:
    case 0x87: {
      Stack items(size_t(opcode - 0x84));
      for (size_t i = items.size(); i-- > 0;) items[i] = pop("an element of a tuple");
      return push(Kind::tuple, std::move(items));
    }
    case 'a': add(std::array{pop("an element")}, false); return true;
    case 'e':
    case 0x90: add(pop_mark(), false); return true;
    case 's': {
      const PickleValue* value = pop("a value");
      add(std::array{pop("a key"), value}, true);
      return true;
    }
    case 'u': add(pop_mark(), true); return true;
    case '0':
      if (!marks_.empty() && marks_.back() == stack_.size()) marks_.pop_back();
      else pop("a value");
      return true;
    case '1': pop_mark(); return true;
    case '2': {
      const PickleValue* v = pop("a value");
      stack_.insert(stack_.end(), 2, v);
      return true;
    }
    default: return false;
  }
}

void PickleReader::remember(uint64_t index) {
  check(index < limits_.values, who_, ": the pickle remembers more than ", limits_.values, " values");
  const PickleValue* v = pop("a value");
  stack_.push_back(v);
  if (index >= memo_.size()) memo_.resize(size_t(index) + 1);
  memo_[size_t(index)] = v;
}

void PickleReader::recall(uint64_t index) {
  check(index < memo_.size() && memo_[size_t(index)], who_, ": the pickle recalls value ", index, ", which it has not remembered");
  stack_.push_back(memo_[size_t(index)]);
}

bool PickleReader::step_memo(unsigned char opcode) {
  switch (opcode) {
    case 0x80: {
      const uint64_t protocol = number(1);
      check(protocol <= 5, who_, ": the pickle has protocol ", protocol, ", protocols up to 5 are read");
      return true;
    }
    case 0x95: number(8); return true;  // a frame: its length
    case 'q': remember(number(1)); return true;
    case 'r': remember(number(4)); return true;
    case 0x94: remember(memo_.size()); return true;
    case 'h': recall(number(1)); return true;
    case 'j': recall(number(4)); return true;
    default: return false;
  }
}

bool PickleReader::step_object(unsigned char opcode) {
  switch (opcode) {
    case 'c': {
      const std::string_view module = line();
      stack_.push_back(global(module, line()));
      return true;
    }
    case 0x93: {
      const PickleValue *name = pop("a name"), *module = pop("a module");
      check(name->is(Kind::text) && module->is(Kind::text), who_, ": the pickle names ", describe(*name), " in ", describe(*module));
      stack_.push_back(global(module->text, name->text));
      return true;
    }
    case 'R':
    case 0x81: {  // NEWOBJ: cls.__new__(cls, *args)
      const PickleValue* arguments = pop("arguments");
      reduce(pop("what is called"), arguments);
      return true;
    }
    case 0x92: {
      pop("keyword arguments");
      const PickleValue* arguments = pop("arguments");
      reduce(pop("what is called"), arguments);
      return true;
    }
    case 'b': {
      const PickleValue* state = pop("a state");
      PickleValue* object = top("an object");
      if (object->is(Kind::object)) object->state = state;
      else check(object->is(Kind::dict), who_, ": the pickle gives a state to ", describe(*object));
      return true;
    }
    case 'Q': {
      PickleValue* v = make(Kind::persistent);
      v->items = {pop("a persistent id")};
      stack_.push_back(v);
      return true;
    }
    default: return false;
  }
}

}  // namespace voxgrad
