#include "core/tensor.h"

#include "core/autograd.h"

namespace voxgrad {

void not_a_floating_dtype(DType t) {
  check(t != DType::f64, "dtype: f64 is computed on the CPU only");
  fail("dtype: f32, f64, bf16 or f16 wanted, not ", name_of(t));
}

Storage::Storage(Device d, size_t b, Asker by) try : device(d), bytes(b), data(allocate(d, b)) {
} catch (const OutOfMemory& e) { throw e.of(by); }

Tensor Tensor::empty(const Shape& s, DType t, Device d, Asker by) {
  int64_t bytes = int64_t(size_of(t));
  for (int i = 0; i < s.rank; ++i)
    check(s.dims[i] >= 0 && !__builtin_mul_overflow(bytes, s.dims[i], &bytes), "tensor: the shape ", s, " is not possible");
  Tensor out;
  out.shape_ = s;
  out.dtype_ = t;
  out.storage_ = std::make_shared<Storage>(d, size_t(bytes), by);
  return out;
}

Tensor Tensor::full(const Shape& s, double value, DType t, Device d, Asker by) {
  Tensor out = empty(s, t, d, by);
  on_device(d, [&](auto on) { fill(on, out.count(), value, out.view()); });
  return out;
}
Tensor Tensor::zeros(const Shape& s, DType t, Device d, Asker by) { return full(s, 0, t, d, by); }

Tensor Tensor::from(const std::vector<double>& v, const Shape& s, DType t) {
  check(int64_t(v.size()) == s.count(), "tensor: ", v.size(), " values for the shape ", s);
  Tensor wide = empty(s, DType::f64);
  std::copy(v.begin(), v.end(), wide.view().as<double>());
  return wide.to(t);
}

Tensor Tensor::clone() const {
  Tensor out = empty_like(*this);
  copy_bytes(device(), out.view().data, device(), view().data, bytes());
  return out;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  check(shape_.rank > 0 && 0 <= begin && begin <= end && end <= shape_[0], "rows: [", begin, ", ", end, ") of the shape ", shape_);
  Tensor out = detach();
  out.shape_[0] = end - begin;
  out.offset_ += size_t(begin * shape_.count(1, shape_.rank)) * size_of(dtype_);
  return out;
}

Tensor Tensor::detach() const {
  Tensor t = *this;
  t.node_ = nullptr;
  return t;
}

void Tensor::copy_from(const Tensor& from) const {
  check(from.shape_ == shape_ && from.dtype_ == dtype_, "copy_from: ", from, " does not fit ", *this);
  copy_bytes(device(), view().data, from.device(), from.view().data, bytes());
}

std::vector<double> Tensor::values() const {
  std::vector<double> out(storage_ ? size_t(count()) : 0);
  const Tensor host = detach().to(Device{});
  on_any_dtype(dtype_, [&]<class T>() {
    const T* p = host.view().as<T>();
    for (size_t i = 0; i < out.size(); ++i) out[i] = double(p[i]);
  });
  return out;
}

double Tensor::item() const {
  check(storage_ && count() == 1, "item: one element wanted, not the shape ", shape_);
  return values()[0];
}

Tensor Tensor::to(Device d) const {
  if (!storage_ || d == device()) return *this;
  Tensor out = empty(shape_, dtype_, d);
  copy_bytes(d, out.view().data, device(), view().data, bytes());
  return record("to_device", {*this}, out, [from = device()](const Tensor& g, Needs) { return Grads{g.to(from)}; });
}

Tensor Tensor::to(DType t) const {
  if (t == dtype_ || !storage_) return *this;
  Tensor out = empty(shape_, t, device());
  on_device(device(), [&](auto on) { cast(on, count(), view(), out.view()); });
  if (!is_floating(t)) return out;
  return record("cast", {*this}, out, [was = dtype_](const Tensor& g, Needs) { return Grads{g.to(was)}; });
}

Tensor Tensor::reshape(const Shape& s) const {
  check(s.count() == count(), "reshape: ", shape_, " has ", count(), " elements, ", s, " has ", s.count());
  Tensor out = detach();
  out.shape_ = s;
  return record("reshape", {*this}, out, [was = shape_](const Tensor& g, Needs) { return Grads{g.reshape(was)}; });
}

std::ostream& operator<<(std::ostream& o, const Tensor& t) {
  if (!t) return o << "no tensor";
  return o << name_of(t.dtype()) << ' ' << t.shape();
}

}  // namespace voxgrad
