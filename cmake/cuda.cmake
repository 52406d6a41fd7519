# The CUDA side of the library: kernels (*_cuda.cu) and the host code beside them (*_cuda.cpp, core/cuda). With nvcc, or with
# VOXGRAD_EMULATE_CUDA compiled by the C++ compiler and run on the emulator of tests/emulator, without a toolkit or a GPU.
set(cuda_globs ${library_folders})
list(TRANSFORM cuda_globs APPEND "/*_cuda.cu")
file(GLOB_RECURSE cuda_kernels CONFIGURE_DEPENDS ${cuda_globs})
list(TRANSFORM cuda_globs REPLACE "\\.cu$" ".cpp")
file(GLOB_RECURSE cuda_host CONFIGURE_DEPENDS core/cuda/*.cpp ${cuda_globs})
list(REMOVE_DUPLICATES cuda_host)

if(VOXGRAD_EMULATE_CUDA)
  file(GLOB emulator CONFIGURE_DEPENDS tests/emulator/*.cpp)
  list(FILTER cuda_host EXCLUDE REGEX "/core/cuda/[a-z_]*_cuda\\.cpp$|_cudnn_(plan_)?cuda\\.cpp$")
  # Optimised, and in front of each file what nvcc has in front of it. CMake takes the ending .cu for another language's.
  set(emulated -x c++ -O2 -include ${CMAKE_CURRENT_SOURCE_DIR}/tests/emulator/builtins.h -fno-trapping-math -fno-math-errno)
  set(telling -fsanitize=kernel-address -fsanitize-recover=kernel-address --param asan-stack=0 --param asan-globals=0
      --param asan-instrumentation-with-call-threshold=0)
  if(VOXGRAD_SANITIZE MATCHES address)
    list(APPEND emulated -O1 --param asan-stack=0 -fno-sanitize=undefined --param asan-instrumentation-with-call-threshold=7000)
    list(PREPEND telling -fno-sanitize=all)
    set_source_files_properties(${emulator} PROPERTIES COMPILE_OPTIONS
      "-O2;--param;asan-stack=0;-fno-sanitize=undefined;--param;asan-instrumentation-with-call-threshold=7000" SKIP_PRECOMPILE_HEADERS ON)
  endif()
  set_source_files_properties(${cuda_kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${emulated}"
    OBJECT_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/emulator/builtins.h)
  # Kernels of convolutions tell the emulator of their loads and stores, which tests count, and which it hands on to AddressSanitizer where
  # that is there (tests/emulator/accesses.h). Plans are host code.
  set(counted ${cuda_kernels})
  list(FILTER counted INCLUDE REGEX "/kernels/conv3d/")
  list(FILTER counted EXCLUDE REGEX "_plan_cuda\\.cu$")
  set_source_files_properties(${counted} PROPERTIES COMPILE_OPTIONS "${emulated};${telling}")
  target_sources(voxgrad PRIVATE ${cuda_kernels} ${cuda_host} ${emulator})
else()
  # "90a" and not "90": tensor-core instructions of one generation are in no other one's code.
  set(VOXGRAD_CUDA_ARCHITECTURES 90a-real CACHE STRING "GPUs to compile for; releases: preset cuda-release")
  set(CMAKE_CUDA_ARCHITECTURES ${VOXGRAD_CUDA_ARCHITECTURES})
  enable_language(CUDA)
  find_package(CUDAToolkit 12.4 REQUIRED)
  # CMake 3.25 does not know how nvcc 12 and later are asked for C++20.
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  set_target_properties(voxgrad PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON
    CUDA_ARCHITECTURES "${VOXGRAD_CUDA_ARCHITECTURES}")
  # Contraction to fma is off as on the CPU: kernels that want it say fmaf.
  set_source_files_properties(${cuda_kernels} PROPERTIES COMPILE_OPTIONS -fmad=false)
  # cuDNN 9 may do the convolutions (--conv cudnn) and is what they are compared with.
  if(VOXGRAD_WITH_CUDNN)
    set(CUDNN_ROOT "" CACHE PATH "where cuDNN lies, if not beside the toolkit")
    find_path(CUDNN_INCLUDE cudnn_graph.h HINTS ${CUDNN_ROOT} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
    find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 NAMES_PER_DIR HINTS ${CUDNN_ROOT} ${CUDAToolkit_LIBRARY_DIR}
                 PATH_SUFFIXES lib lib64)
  endif()
  if(VOXGRAD_WITH_CUDNN AND CUDNN_INCLUDE AND CUDNN_LIBRARY)
    set(VOXGRAD_CUDNN_FOUND ON)
    list(FILTER cuda_host EXCLUDE REGEX "_cudnn_absent_cuda\\.cpp$")
    target_include_directories(voxgrad SYSTEM PRIVATE ${CUDNN_INCLUDE})
    target_compile_definitions(voxgrad PRIVATE VOXGRAD_CUDNN)
    target_link_libraries(voxgrad PRIVATE ${CUDNN_LIBRARY})
  else()
    message(STATUS "cuDNN is not here: convolutions on CUDA are the library's own alone")
    list(FILTER cuda_host EXCLUDE REGEX "_cudnn_(plan_)?cuda\\.cpp$")
  endif()
  target_sources(voxgrad PRIVATE ${cuda_kernels} ${cuda_host})
  target_link_libraries(voxgrad PUBLIC CUDA::cudart_static CUDA::cublas)
endif()
target_compile_definitions(voxgrad PUBLIC VOXGRAD_CUDA)
