#pragma once
#include <atomic>
#include <concepts>
#include <memory>
#include <ostream>
#include <span>
#include <type_traits>
#include <vector>

#include "core/device/device.h"
#include "core/dtype.h"
#include "core/memory/memory.h"
#include "core/shape.h"
#include "core/view.h"

namespace voxgrad {

struct Node;  // core/autograd.h

// Owned bytes on a device, shared by the tensors that look at them.
struct Storage {
  Device device;
  size_t bytes;
  void* data;
  std::atomic<uint32_t> version{1};  // of what is written in it: one more with each announced write
  std::atomic<uint32_t> finite{0};   // the version of which all numbers were seen to be finite
  Storage(Device, size_t bytes, Asker);
  ~Storage() { release(device, data, bytes); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
};

// The C++ types of elements.
template <class T>
concept Element = std::same_as<T, float> || dtype_of<T> != DType::f32;

// What a tensor is, without its memory.
struct TensorInfo {
  Shape shape;
  DType dtype = DType::f32;
  Device device;
  bool present = false;
  friend bool operator==(const TensorInfo&, const TensorInfo&) = default;
};
std::ostream& operator<<(std::ostream&, const TensorInfo&);  // "f32 {1, 2, 3} on cpu"

// A handle to dense row-major memory and, if gradients flow, to the node that made it. Copying it shares the memory.
// A default-constructed Tensor is absent: false, and ignored where an operand is optional.
class Tensor {
 public:
  Tensor() = default;
  static Tensor empty(const Shape&, DType = DType::f32, Device = {}, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  static Tensor zeros(const Shape&, DType = DType::f32, Device = {}, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  // Error where the value does not fit the dtype, as with `from`.
  static Tensor full(const Shape&, double value, DType = DType::f32, Device = {}, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  // Numbers as any dtype: rounded to a floating one. Error where one does not fit: 300 or 0.5 as u8, 1e300 as f32.
  static Tensor from(const std::vector<double>& values, const Shape&, DType = DType::f32, Device = {});
  // A copy of host memory, of the dtype of T.
  template <class T, size_t N>
    requires Element<std::remove_const_t<T>>
  static Tensor from(std::span<T, N> values, const Shape& s, Device d = {}) {
    return from_host(values.data(), values.size(), s, dtype_of<std::remove_const_t<T>>, d);
  }
  template <Element T>
    requires(!std::same_as<T, double>)
  static Tensor from(const std::vector<T>& values, const Shape& s, Device d = {}) {
    return from(std::span(values), s, d);
  }
  static Tensor arange(int64_t count, DType = DType::f32, Device = {});  // 0, 1, .., count - 1
  static Tensor eye(int64_t n, DType = DType::f32, Device = {});         // ones on the diagonal of {n, n}
  static Tensor scalar(double value, DType t = DType::f32, Device d = {}) { return full({}, value, t, d); }
  static Tensor empty_like(const Tensor& t, Asker by = {__builtin_FILE(), __builtin_FUNCTION()}) {
    return empty(t.shape(), t.dtype(), t.device(), by);
  }

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int axis) const { return shape_[axis]; }  // as Shape::operator[]
  int64_t count() const { return shape_.count(); }
  size_t bytes() const { return size_t(count()) * size_of(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const { return storage_ ? storage_->device : Device{}; }
  TensorInfo info() const { return {shape_, dtype_, device(), bool(*this)}; }
  // What kernels read and write. Absent tensors give a null view. Who writes through it into a tensor that others hold, as an optimizer
  // does, calls mark_written(). Within backward: Error for a tensor that was saved for it by detach() and written since.
  View view() const {
    if (saved_at_) check_saved();
    return {storage_ ? static_cast<char*>(storage_->data) + offset_ : nullptr, dtype_};
  }
  // The elements of a tensor on the CPU; T must be its dtype.
  template <class T>
  std::span<const T> data() const {
    return elements<T>();
  }
  // To be written now.
  template <class T>
  std::span<T> mutable_data() const {
    mark_written();
    return elements<T>();
  }
  void mark_written() const {
    if (storage_) note_write();
  }
  // All elements were seen to be finite, and none was written since. Known of a tensor that is all of its memory.
  void note_finite() const;
  bool is_known_finite() const;
  std::vector<double> values() const;
  // Converted as to(DType) does.
  template <Element T>
  std::vector<T> to_vector() const {
    if (!storage_) return {};
    const Tensor host = detach().to(Device{}).to(dtype_of<T>);
    const auto v = host.template data<T>();
    return {v.begin(), v.end()};
  }
  double item() const;

  // Recorded: the gradient follows them back.
  Tensor to(Device) const;
  Tensor to(DType) const;
  Tensor reshape(const Shape&) const;  // one extent may be -1: what is left

  // Not recorded. detach: the memory as a constant, what ops save for their backward. rows: samples [begin, end) of axis 0, sharing memory.
  Tensor clone() const;
  Tensor rows(int64_t begin, int64_t end) const;
  Tensor detach() const;
  void copy_from(const Tensor&) const;  // a write; same shape and dtype, any device
  bool is_sole_owner() const { return storage_.use_count() == 1; }
  bool shares_memory_with(const Tensor& other) const { return storage_ && storage_ == other.storage_; }

  // Autograd. A tensor without a node is a constant. A leaf is what require_grad() was called on; results of ops are none.
  Tensor& require_grad(bool wanted = true);
  bool requires_grad() const { return node_ != nullptr; }
  Tensor& retain_grad();  // this result of an op keeps its gradient too
  Tensor grad() const;    // absent until backward has reached this tensor; Error on a result that retains none
  void clear_grad() const;
  void set_grad(Tensor) const;

 private:
  static Tensor from_host(const void* values, size_t count, const Shape&, DType, Device);
  Tensor alias() const;  // the same memory without the node
  void check_saved() const;
  void note_write() const;
  template <class T>
  std::span<T> elements() const {
    check(dtype_of<T> == dtype_ && device().is_cpu(), "data: a tensor of ", name_of(dtype_), " on ", device(), " cannot be read as ",
          name_of(dtype_of<T>), " on the CPU");
    return {view().template as<T>(), storage_ ? size_t(count()) : 0};
  }

  std::shared_ptr<Storage> storage_;
  size_t offset_ = 0;  // bytes
  Shape shape_;
  DType dtype_ = DType::f32;
  uint16_t output_ = 0;            // of the node
  mutable uint32_t saved_at_ = 0;  // of a detached handle: the version of the memory it stands for
  std::shared_ptr<Node> node_;
  friend struct Graph;
};

// Error in the name of `op` where a number does not fit a dtype: 300, 0.5 or NaN as u8, 1e300 as f32.
void check_fits(const char* op, double value, DType);

// "f32 {1, 2, 3}", for messages.
std::ostream& operator<<(std::ostream&, const Tensor&);

}  // namespace voxgrad
