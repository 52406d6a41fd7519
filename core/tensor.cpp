#include "core/tensor.h"

#include <cmath>
#include <cstring>

#include "core/autograd.h"
#include "core/convert.h"

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

namespace {
// v as T; false where it does not fit: beyond the range, or a fraction or NaN among integers.
template <class T>
bool fits(double v, T& as) {
  as = converted<T>(v);
  if constexpr (detail::is_integer<T>) return double(as) == v && v < 0x1p63;
  else return std::isfinite(double(as)) || !std::isfinite(v);
}
}  // namespace

void check_fits(const char* op, double value, DType t) {
  on_any_dtype(t, [&]<class T>() {
    T as;
    check(fits(value, as), op, ": the value is ", value, ", which does not fit ", name_of(t));
  });
}

Tensor Tensor::full(const Shape& s, double value, DType t, Device d, Asker by) {
  check_fits("full", value, t);
  Tensor out = empty(s, t, d, by);
  on_device(d, [&](auto on) { fill(on, out.count(), value, out.view()); });
  return out;
}
Tensor Tensor::zeros(const Shape& s, DType t, Device d, Asker by) { return full(s, 0, t, d, by); }

Tensor Tensor::from(const std::vector<double>& v, const Shape& s, DType t, Device d) {
  check(int64_t(v.size()) == s.count(), "tensor: ", v.size(), " values for the shape ", s);
  Tensor out = empty(s, t);
  on_any_dtype(t, [&]<class T>() {
    T* to = out.view().as<T>();
    for (size_t i = 0; i < v.size(); ++i)
      check(fits(v[i], to[i]), "tensor: value ", i, " is ", v[i], ", which does not fit ", name_of(t));
  });
  return out.to(d);
}

Tensor Tensor::from_host(const void* values, size_t count, const Shape& s, DType t, Device d) {
  check(int64_t(count) == s.count(), "tensor: ", count, " values for the shape ", s);
  Tensor out = empty(s, t, d);
  copy_bytes(d, out.view().data, Device{}, values, out.bytes());
  return out;
}

Tensor Tensor::arange(int64_t count, DType t, Device d) {
  check(count >= 0, "arange: a count of ", count, " is negative");
  std::vector<double> v(static_cast<size_t>(count));
  for (size_t i = 0; i < v.size(); ++i) v[i] = double(i);
  return from(v, {count}, t, d);
}

Tensor Tensor::eye(int64_t n, DType t, Device d) {
  check(n >= 0, "eye: ", n, " rows");
  std::vector<double> v(size_t(n * n));
  for (int64_t i = 0; i < n; ++i) v[size_t(i * n + i)] = 1;
  return from(v, {n, n}, t, d);
}

Tensor Tensor::clone() const {
  Tensor out = empty_like(*this);
  copy_bytes(device(), out.view().data, device(), view().data, bytes());
  return out;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  check(shape_.rank > 0 && 0 <= begin && begin <= end && end <= shape_[0], "rows: [", begin, ", ", end, ") of the shape ", shape_);
  Tensor out = alias();
  out.shape_[0] = end - begin;
  out.offset_ += size_t(begin * shape_.count(1, shape_.rank)) * size_of(dtype_);
  return out;
}

Tensor Tensor::alias() const {
  if (saved_at_) check_saved();
  Tensor t = *this;
  t.node_ = nullptr;
  t.output_ = 0;
  return t;
}

Tensor Tensor::detach() const {
  Tensor t = alias();
  if (storage_) t.saved_at_ = storage_->version.load(std::memory_order_relaxed);
  return t;
}

void Tensor::check_saved() const {
  const char* op = Graph::in_backward_of();
  check(!op || storage_->version.load(std::memory_order_relaxed) == saved_at_, op, ": ", *this,
        ", saved for its backward, was written since; write before the forward pass, after backward, or to a clone()");
}

void Tensor::note_write() const {
  const uint32_t now = storage_->version.fetch_add(1, std::memory_order_relaxed) + 1;
  if (saved_at_) saved_at_ = now;
}

void Tensor::note_finite() const {
  if (storage_ && offset_ == 0 && bytes() == storage_->bytes) storage_->finite = storage_->version.load(std::memory_order_relaxed);
}

bool Tensor::is_known_finite() const { return storage_ && storage_->finite == storage_->version; }

void Tensor::copy_from(const Tensor& from) const {
  check(from.shape_ == shape_ && from.dtype_ == dtype_, "copy_from: ", from, " does not fit ", *this);
  mark_written();
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
  check(storage_ && count() == 1, "item: a tensor of one element is wanted, not ", *this);
  return values()[0];
}

Tensor Tensor::to(Device d) const {
  if (!storage_ || d == device()) return *this;
  Tensor out = empty(shape_, dtype_, d);
  copy_bytes(d, out.view().data, device(), view().data, bytes());
  const std::string to = d.is_cpu() ? "cpu" : "cuda:" + std::to_string(d.cuda_index);
  return record({"to_device", {{"to", to}}}, {*this}, out, [from = device()](const Tensor& g, Needs) { return Grads{g.to(from)}; });
}

Tensor Tensor::to(DType t) const {
  if (t == dtype_ || !storage_) return *this;
  Tensor out = empty(shape_, t, device());
  on_device(device(), [&](auto on) { cast(on, count(), view(), out.view()); });
  if (!is_floating(t)) return out;
  return record({"cast", {{"to", name_of(t)}}}, {*this}, out, [was = dtype_](const Tensor& g, Needs) { return Grads{g.to(was)}; });
}

Tensor Tensor::reshape(const Shape& wanted) const {
  check(storage_ != nullptr, "reshape: a tensor is wanted, not ", *this);
  Shape s = wanted;
  for (int k = 0; k < s.rank; ++k) {
    check(s[k] >= -1, "reshape: ", wanted, " has the extent ", s[k]);
    if (s[k] != -1) continue;
    const int64_t others = s.count(0, k) * s.count(k + 1, s.rank);
    check(others > 0 && count() % others == 0, "reshape: ", shape_, " has ", count(), " elements, which ", wanted, " does not divide");
    s[k] = count() / others;
  }
  check(s.count() == count(), "reshape: ", shape_, " has ", count(), " elements, ", s, " has ", s.count());
  Tensor out = alias();
  out.shape_ = s;
  return record({"reshape", {{"shape", s}}}, {*this}, out, [was = shape_](const Tensor& g, Needs) { return Grads{g.reshape(was)}; });
}

std::ostream& operator<<(std::ostream& o, const Tensor& t) {
  if (!t) return o << "an absent tensor";
  return o << name_of(t.dtype()) << ' ' << t.shape();
}

std::ostream& operator<<(std::ostream& o, const TensorInfo& t) {
  if (!t.present) return o << "an absent tensor";
  return o << name_of(t.dtype) << ' ' << t.shape << " on " << t.device;
}

}  // namespace voxgrad
