#pragma once
// What cuDNN's graph interface needs to know of a convolution, without its header.
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/dtype.h"
#include "kernels/conv3d/conv3d_kernels.h"

struct cudnnContext;

namespace voxgrad {

// A descriptor of cuDNN's backend interface, destroyed with its owner.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(int type);  // a cudnnBackendDescriptorType_t
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&&) noexcept;
  CudnnDescriptor& operator=(CudnnDescriptor&&) noexcept;

  // `attribute` and `type` are a cudnnBackendAttributeName_t and a cudnnBackendAttributeType_t.
  CudnnDescriptor& set(int attribute, int type, int64_t count, const void* values);
  CudnnDescriptor& link(int attribute, const CudnnDescriptor&);
  CudnnDescriptor& set(int attribute, const std::vector<int64_t>&);
  void finalize();
  bool try_finalize();  // false where cuDNN does not support what it describes
  void* get() const { return handle_; }

 private:
  void* handle_ = nullptr;
};

enum class CudnnPass { forward, input_gradient, weight_gradient };

// What is computed: the pass of p on x {n, c, in}, w {k, c / groups, kernel} and y {n, k, out}, channels last, all of one dtype and
// aligned to `alignment` bytes. Sums are f32.
struct CudnnConvolution {
  Conv3dProblem p;
  CudnnPass pass = CudnnPass::forward;
  DType dtype = DType::f32;
  int64_t alignment = 16;
};

// The finalised descriptors of an operation. Its tensors have the identifiers 'x', 'w' and 'y'.
struct CudnnOperation {
  explicit CudnnOperation(const CudnnConvolution&);
  CudnnDescriptor x, w, y, convolution, operation;
};

// Where a plan will run: on the device of a handle or, to see what cuDNN would choose there, on one that is described and need not exist.
struct CudnnTarget {
  cudnnContext* handle = nullptr;
  const CudnnDescriptor* device = nullptr;  // a CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR
};

// The first of cuDNN's engines for the target, in the order of its heuristics, that gives the same bits every time: a function of
// the convolution, the device and the version of cuDNN alone. Without tf32 where p.exact_f32.
class CudnnPlan {
 public:
  CudnnPlan(const CudnnTarget&, const CudnnConvolution&);
  int64_t workspace() const { return workspace_; }
  int64_t engine() const { return engine_; }    // cuDNN's number of it
  bool repeats() const { return repeats_; }     // its bits
  void run(cudnnContext*, void* x, void* w, void* y, void* workspace) const;

 private:
  struct Graph {
    CudnnOperation operation;
    CudnnDescriptor graph;
    Graph(const CudnnTarget&, const CudnnConvolution&);
  };
  friend void for_cudnn_plans(const CudnnTarget&, const CudnnConvolution&, bool, const std::function<bool(CudnnPlan)>&);
  CudnnPlan(std::shared_ptr<const Graph>, CudnnDescriptor plan);

  std::shared_ptr<const Graph> graph_;
  CudnnDescriptor plan_;
  int64_t workspace_ = 0, engine_ = 0;
  bool repeats_ = true;
};
// Gives the plans of the engines that multiply as precisely as is wanted, in the order of cuDNN's heuristics, until `take` returns false;
// repeating: those alone that give the same bits every time.
void for_cudnn_plans(const CudnnTarget&, const CudnnConvolution&, bool repeating, const std::function<bool(CudnnPlan)>& take);

// Throws with cuDNN's own words unless the status is that of success.
void check_cudnn(int status, const char* what);

}  // namespace voxgrad
