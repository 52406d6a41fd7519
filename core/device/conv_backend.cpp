#include "core/device/conv_backend.h"

#include "core/error.h"

#ifdef VOXGRAD_CUDNN
#include <cudnn.h>
#endif

namespace voxgrad {
namespace {
thread_local ConvBackend active_backend = ConvBackend::own;
}  // namespace

long cudnn_version() {
#ifdef VOXGRAD_CUDNN
  return long(cudnnGetVersion());
#else
  return 0;
#endif
}

ConvBackendScope::ConvBackendScope(ConvBackend backend) : before_(active_backend) {
  check(backend != ConvBackend::cudnn || cudnn_version() > 0,
        "convolutions by cuDNN: this build of voxgrad has no cuDNN; one with VOXGRAD_CUDA has it where CMake finds cudnn.h and libcudnn");
  active_backend = backend;
}
ConvBackendScope::~ConvBackendScope() { active_backend = before_; }
ConvBackend ConvBackendScope::active() { return active_backend; }

}  // namespace voxgrad
