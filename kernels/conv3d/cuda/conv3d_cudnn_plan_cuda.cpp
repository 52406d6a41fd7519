#include "kernels/conv3d/cuda/conv3d_cudnn_plan.h"

#include <cudnn.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"

namespace voxgrad {
namespace {

using Attribute = cudnnBackendAttributeName_t;
using Type = cudnnBackendAttributeType_t;

cudnnDataType_t cudnn_type(DType t) {
  return t == DType::bf16 ? CUDNN_DATA_BFLOAT16 : t == DType::f16 ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
}

// {a, channels, d, h, w} with the channels innermost in memory.
CudnnDescriptor tensor(int64_t id, int64_t a, int64_t channels, const Int3& size, const CudnnConvolution& c) {
  const int64_t d = size.d, h = size.h, w = size.w;
  const cudnnDataType_t type = cudnn_type(c.dtype);
  CudnnDescriptor t(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  t.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, {a, channels, d, h, w})
      .set(CUDNN_ATTR_TENSOR_STRIDES, {d * h * w * channels, 1, h * w * channels, w * channels, channels})
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id})
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {c.alignment});
  t.finalize();
  return t;
}

CudnnDescriptor geometry(const Conv3dProblem& p) {
  const auto axes = [&](auto of) { return std::vector<int64_t>{of(0), of(1), of(2)}; };
  const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  CudnnDescriptor g(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  g.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {3})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, axes([&](int a) { return int64_t(p.stride[a]); }))
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, axes([&](int a) { return int64_t(p.dilation[a]); }))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, axes([&](int a) { return int64_t(p.padding[a]); }))
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, axes([&](int a) { return int64_t(p.padding[a]); }));
  g.finalize();
  return g;
}

struct OperationNames {
  cudnnBackendDescriptorType_t type;
  Attribute convolution, alpha, beta, x, w, y;
};
OperationNames names_of(CudnnPass pass) {
#define VOXGRAD_OPERATION(type, name, x, w, y)                                                                    \
  OperationNames {                                                                                                \
    CUDNN_BACKEND_OPERATION_CONVOLUTION_##type##_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_CONV_DESC, \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_BETA,          \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_##x, CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_##w,             \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_##y                                                             \
  }
  return pass == CudnnPass::forward          ? VOXGRAD_OPERATION(FORWARD, FORWARD, X, W, Y)
         : pass == CudnnPass::input_gradient ? VOXGRAD_OPERATION(BACKWARD_DATA, BWD_DATA, DX, W, DY)
                                             : VOXGRAD_OPERATION(BACKWARD_FILTER, BWD_FILTER, X, DW, DY);
#undef VOXGRAD_OPERATION
}

int64_t count_of(const CudnnDescriptor& d, Attribute a, Type t) {
  int64_t n = 0;
  check_cudnn(cudnnBackendGetAttribute(d.get(), a, t, 0, &n, nullptr), "counting");
  return n;
}

// Engine configurations of one mode of the heuristics, best first.
std::vector<CudnnDescriptor> configurations(const CudnnTarget& on, const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode) {
  CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
#if CUDNN_VERSION >= 90800
  if (on.device) heuristics.link(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *on.device);
#endif
  heuristics.link(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  std::vector<CudnnDescriptor> found;
  if (!heuristics.try_finalize()) return found;
  int64_t n = count_of(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < n; ++i) raw.push_back(found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
  if (n > 0)
    check_cudnn(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, &n, raw.data()),
                "the results of the heuristics");
  found.erase(found.begin() + std::min<int64_t>(n, int64_t(found.size())), found.end());
  return found;
}

// What a configuration's engine is.
struct Engine {
  int64_t index = 0;
  bool repeats = true, precise = true;  // precise: multiplies as is wanted
};
Engine engine_of(const CudnnDescriptor& configuration, const CudnnConvolution& c) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  Engine out;
  int64_t n = 0;
  check_cudnn(cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &raw),
              "the engine of a configuration");
  check_cudnn(cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &n, &out.index),
              "the number of an engine");
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  check_cudnn(cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, int64_t(notes.size()), &n,
                                       notes.data()),
              "the notes of an engine");
  const auto has = [&](cudnnBackendNumericalNote_t note) { return std::find(notes.begin(), notes.begin() + n, note) != notes.begin() + n; };
  out.repeats = !has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
  out.precise = !has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
  if (c.dtype == DType::f32) {
    const bool rounds = has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) || has(CUDNN_NUMERICAL_NOTE_FFT) || has(CUDNN_NUMERICAL_NOTE_WINOGRAD);
    out.precise = out.precise && !has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) && !(c.p.exact_f32 && rounds);
  }
  return out;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // before 9.10 they are needed
constexpr Attribute kHandleOfGraph = CUDNN_ATTR_OPERATIONGRAPH_HANDLE, kHandleOfPlan = CUDNN_ATTR_EXECUTION_PLAN_HANDLE;
#pragma GCC diagnostic pop

}  // namespace

void check_cudnn(int status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char words[512] = "";
  cudnnGetLastErrorString(words, sizeof words);
  fail("cuDNN: ", what, ": ", cudnnGetErrorString(cudnnStatus_t(status)), words[0] ? ", " : "", words);
}

CudnnDescriptor::CudnnDescriptor(int type) {
  check_cudnn(cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t(type), &handle_), "cudnnBackendCreateDescriptor");
}
CudnnDescriptor::~CudnnDescriptor() {
  if (handle_) cudnnBackendDestroyDescriptor(handle_);
}
CudnnDescriptor::CudnnDescriptor(CudnnDescriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
CudnnDescriptor& CudnnDescriptor::operator=(CudnnDescriptor&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}
CudnnDescriptor& CudnnDescriptor::set(int attribute, int type, int64_t count, const void* values) {
  check_cudnn(cudnnBackendSetAttribute(handle_, Attribute(attribute), Type(type), count, values), "cudnnBackendSetAttribute");
  return *this;
}
CudnnDescriptor& CudnnDescriptor::link(int attribute, const CudnnDescriptor& d) {
  return set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &d.handle_);
}
CudnnDescriptor& CudnnDescriptor::set(int attribute, const std::vector<int64_t>& values) {
  return set(attribute, CUDNN_TYPE_INT64, int64_t(values.size()), values.data());
}
void CudnnDescriptor::finalize() { check_cudnn(cudnnBackendFinalize(handle_), "cudnnBackendFinalize"); }
bool CudnnDescriptor::try_finalize() { return cudnnBackendFinalize(handle_) == CUDNN_STATUS_SUCCESS; }

CudnnOperation::CudnnOperation(const CudnnConvolution& c)
    : x(tensor('x', c.p.n, c.p.c, c.p.in, c)),
      w(tensor('w', c.p.k, c.p.c / c.p.groups, c.p.kernel, c)),
      y(tensor('y', c.p.n, c.p.k, c.p.out, c)),
      convolution(geometry(c.p)),
      operation(names_of(c.pass).type) {
  const OperationNames names = names_of(c.pass);
  const float alpha = 1, beta = 0;
  operation.link(names.convolution, convolution)
      .set(names.alpha, CUDNN_TYPE_FLOAT, 1, &alpha)
      .set(names.beta, CUDNN_TYPE_FLOAT, 1, &beta)
      .link(names.x, x)
      .link(names.w, w)
      .link(names.y, y);
  operation.finalize();
}

CudnnPlan::Graph::Graph(const CudnnTarget& on, const CudnnConvolution& c)
    : operation(c), graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
  if (on.handle) graph.set(kHandleOfGraph, CUDNN_TYPE_HANDLE, 1, &on.handle);
  graph.link(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation.operation);
  graph.finalize();
}

CudnnPlan::CudnnPlan(std::shared_ptr<const Graph> graph, CudnnDescriptor plan) : graph_(std::move(graph)), plan_(std::move(plan)) {
  int64_t n = 0;
  check_cudnn(cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n, &workspace_),
              "the workspace of a plan");
}

void for_cudnn_plans(const CudnnTarget& on, const CudnnConvolution& c, bool repeating, const std::function<bool(CudnnPlan)>& take) {
  const auto graph = std::make_shared<const CudnnPlan::Graph>(on, c);
  for (auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (const CudnnDescriptor& configuration : configurations(on, graph->graph, mode)) {
      const Engine engine = engine_of(configuration, c);
      if (!engine.precise || (repeating && !engine.repeats)) continue;
      CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
#if CUDNN_VERSION >= 90800
      if (on.device) plan.link(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *on.device);
#endif
      if (on.handle) plan.set(kHandleOfPlan, CUDNN_TYPE_HANDLE, 1, &on.handle);
      plan.link(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      if (!plan.try_finalize()) continue;
      CudnnPlan found(graph, std::move(plan));
      found.engine_ = engine.index, found.repeats_ = engine.repeats;
      if (!take(std::move(found))) return;
    }
}

CudnnPlan::CudnnPlan(const CudnnTarget& on, const CudnnConvolution& c) : plan_(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
  for_cudnn_plans(on, c, true, [this](CudnnPlan found) {
    *this = std::move(found);
    return false;
  });
  if (graph_) return;
  const Conv3dProblem& p = c.p;
  fail("conv3d: cuDNN ", cudnnGetVersion(), " has no engine that repeats its bits for ", p.c, " to ", p.k, " channels in ", p.groups,
       " groups, kernel ", p.kernel, ", stride ", p.stride, ", dilation ", p.dilation, " on an input of ", p.in, " in ", name_of(c.dtype),
       "; the library's own convolutions do it (--conv own)");
}

void CudnnPlan::run(cudnnContext* handle, void* x, void* w, void* y, void* workspace) const {
  const std::vector<void*> pointers{x, w, y};
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3, pointers.data())
      .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {'x', 'w', 'y'})
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
  pack.finalize();
  check_cudnn(cudnnBackendExecute(handle, plan_.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace voxgrad
