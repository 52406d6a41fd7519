#pragma once

namespace voxgrad {

// Whose kernels convolve on CUDA devices.
enum class ConvBackend { own, cudnn };

// 91900 for cuDNN 9.19.0; 0 in builds without cuDNN.
long cudnn_version();

// While one of these is alive, the convolutions on CUDA devices that this thread calls are the backend's; so are their gradients. Those on
// the CPU are the library's own. Throws where the build lacks the backend.
class ConvBackendScope {
 public:
  explicit ConvBackendScope(ConvBackend);
  ~ConvBackendScope();
  ConvBackendScope(const ConvBackendScope&) = delete;
  static ConvBackend active();

 private:
  ConvBackend before_;
};

}  // namespace voxgrad
