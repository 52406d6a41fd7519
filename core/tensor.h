#pragma once
#include <memory>
#include <ostream>
#include <span>
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
  Storage(Device, size_t bytes, Asker);
  ~Storage() { release(device, data, bytes); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
};

// A handle to dense row-major memory and, if gradients flow, to the node that made it. Copying it shares the memory.
// A default-constructed Tensor is absent: false, and ignored where an operand is optional.
class Tensor {
 public:
  Tensor() = default;
  static Tensor empty(const Shape&, DType = DType::f32, Device = {}, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  static Tensor zeros(const Shape&, DType = DType::f32, Device = {}, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  static Tensor full(const Shape&, double value, DType = DType::f32, Device = {}, Asker by = {__builtin_FILE(), __builtin_FUNCTION()});
  // Values are rounded to the dtype.
  static Tensor from(const std::vector<double>& values, const Shape&, DType = DType::f32);
  static Tensor scalar(double value, DType t = DType::f32, Device d = {}) { return full({}, value, t, d); }
  static Tensor empty_like(const Tensor& t, Asker by = {__builtin_FILE(), __builtin_FUNCTION()}) {
    return empty(t.shape(), t.dtype(), t.device(), by);
  }

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int axis) const { return shape_[axis]; }
  int64_t count() const { return shape_.count(); }
  size_t bytes() const { return size_t(count()) * size_of(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const { return storage_ ? storage_->device : Device{}; }
  // Absent tensors give a null view.
  View view() const { return {storage_ ? static_cast<char*>(storage_->data) + offset_ : nullptr, dtype_}; }
  // The elements of a tensor on the CPU; T must be its dtype.
  template <class T>
  std::span<T> data() const {
    check(dtype_of<T> == dtype_ && device().is_cpu(), "data: a tensor of ", name_of(dtype_), " on ", device(), " cannot be read as ",
          name_of(dtype_of<T>), " on the CPU");
    return {view().template as<T>(), storage_ ? size_t(count()) : 0};
  }
  std::vector<double> values() const;
  double item() const;

  // Recorded: the gradient follows them back.
  Tensor to(Device) const;
  Tensor to(DType) const;
  Tensor reshape(const Shape&) const;

  // Not recorded. rows: samples [begin, end) of axis 0, sharing memory.
  Tensor clone() const;
  Tensor rows(int64_t begin, int64_t end) const;
  Tensor detach() const;
  void copy_from(const Tensor&) const;  // same shape and dtype, any device
  bool is_sole_owner() const { return storage_.use_count() == 1; }
  bool shares_memory_with(const Tensor& other) const { return storage_ && storage_ == other.storage_; }

  // Autograd. A tensor without a node is a constant.
  Tensor& require_grad(bool wanted = true);
  bool requires_grad() const { return node_ != nullptr; }
  Tensor grad() const;  // absent until backward has reached this tensor
  void clear_grad() const;
  void set_grad(Tensor) const;

 private:
  std::shared_ptr<Storage> storage_;
  size_t offset_ = 0;  // bytes
  Shape shape_;
  DType dtype_ = DType::f32;
  std::shared_ptr<Node> node_;
  friend struct Graph;
};

// "f32 {1, 2, 3}", for messages.
std::ostream& operator<<(std::ostream&, const Tensor&);

}  // namespace voxgrad
