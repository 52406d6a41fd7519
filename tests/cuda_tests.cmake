# Tests of CUDA devices, real or emulated.
set(kernel_log ${CMAKE_CURRENT_BINARY_DIR}/kernels_run.txt)
set(no_device "this machine has 0 CUDA devices")

add_test(NAME kernel_log COMMAND ${CMAKE_COMMAND} -E rm -f ${kernel_log})
set_tests_properties(kernel_log PROPERTIES FIXTURES_SETUP kernel_log)

target_compile_definitions(op_case_test PRIVATE $<$<BOOL:${VOXGRAD_EMULATE_CUDA}>:VOXGRAD_EMULATED>)
add_test(NAME op_cases_cuda COMMAND op_case_test --device cuda)
set_tests_properties(op_cases_cuda PROPERTIES ENVIRONMENT "VOXGRAD_EMULATOR_LOG=${kernel_log}" FIXTURES_SETUP kernels_run
  FIXTURES_REQUIRED kernel_log SKIP_REGULAR_EXPRESSION ${no_device})

# Convolutions by each way of the tensor cores that they have, whichever the table would choose: the cases and dtypes that launch its
# kernel, which recording them tells without running them. What runs where: everywhere, results by f32 (tf32, and exact where the way has
# it), bf16 and f16 against f64, memory, and equal bits of runs in different orders; with sanitizers two such runs in place of four, and
# gradients that are not wanted and what is kept for backward by op_cases_cuda alone. --emulate and a device (tools/gpu_check) do all of
# it by every way.
set(kernel_of_mma conv3d_mma)
set(kernel_of_wgmma wgmma)
set(kernel_of_tma wgmma)
set(kernel_of_lines conv3d_wgmma_lines_kernel)
set(kernel_of_lines_tma conv3d_wgmma_lines_kernel)
set(kernel_of_winograd conv3d_winograd)
foreach(way mma wgmma tma lines lines_tma winograd)
  add_test(NAME op_cases_cuda_${way} COMMAND op_case_test --device cuda --launching ${kernel_of_${way}} conv)
  set_tests_properties(op_cases_cuda_${way} PROPERTIES ENVIRONMENT "VOXGRAD_EMULATOR_LOG=${kernel_log};VOXGRAD_CONV_CUDA=${way}"
    FIXTURES_SETUP kernels_run FIXTURES_REQUIRED kernel_log SKIP_REGULAR_EXPRESSION ${no_device})
endforeach()

file(GLOB cuda_unit_sources CONFIGURE_DEPENDS cuda/*_cuda_test.cpp cuda/*/*_cuda_test.cpp)
add_executable(cuda_unit_tests ${cuda_unit_sources})
target_link_libraries(cuda_unit_tests PRIVATE voxgrad catch)
voxgrad_kernels(cuda_unit_tests cuda/hopper_facts.cu cuda/boxes/box_facts.cu cuda/clusters/cluster_facts.cu)
if(VOXGRAD_CUDNN_FOUND)
  target_compile_definitions(cuda_unit_tests PRIVATE VOXGRAD_CUDNN)
  target_include_directories(cuda_unit_tests SYSTEM PRIVATE ${CUDNN_INCLUDE})
  target_link_libraries(cuda_unit_tests PRIVATE ${CUDNN_LIBRARY})
  add_test(NAME cudnn_plans COMMAND cuda_unit_tests "cuDNN*")  # without a GPU too
endif()
target_compile_definitions(cuda_unit_tests PRIVATE $<$<BOOL:${VOXGRAD_EMULATE_CUDA}>:VOXGRAD_EMULATED>)
target_compile_options(cuda_unit_tests PRIVATE ${warnings} ${light})
add_dependencies(test_programs cuda_unit_tests)
add_test(NAME cuda_unit_tests COMMAND cuda_unit_tests)
set_tests_properties(cuda_unit_tests PROPERTIES ENVIRONMENT "VOXGRAD_EMULATOR_LOG=${kernel_log}" FIXTURES_SETUP kernels_run
  FIXTURES_REQUIRED kernel_log SKIP_REGULAR_EXPRESSION ${no_device})

# Checks of memory wait for every release, and so hide that streams do not wait for each other.
add_test(NAME streams_cuda COMMAND cuda_unit_tests "batch feed*,side work*")
set_tests_properties(streams_cuda PROPERTIES ENVIRONMENT VOXGRAD_CHECK_MEMORY=0 SKIP_REGULAR_EXPRESSION ${no_device})

if(TARGET voxgrad_cli)
  add_dependencies(test_programs voxgrad_cli)
  add_test(NAME cuda_program COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cuda/cuda_program $<TARGET_FILE:voxgrad_cli> ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(cuda_program PROPERTIES SKIP_RETURN_CODE 77 COST 110)
endif()

if(VOXGRAD_EMULATE_CUDA)
  # Every kernel of the sources was run by one of the tests above.
  add_test(NAME cuda_kernels COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cuda/cuda_kernels_run ${CMAKE_SOURCE_DIR} ${kernel_log})
  set_tests_properties(cuda_kernels PROPERTIES FIXTURES_REQUIRED kernels_run)

  # The same sources through nvcc, where it is here.
  add_test(NAME nvcc_check COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cuda/nvcc/nvcc_check ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(nvcc_check PROPERTIES SKIP_RETURN_CODE 77 COST 300)  # the longest first
  set_tests_properties(cuda_unit_tests PROPERTIES COST 280)
  set_tests_properties(op_cases_cuda PROPERTIES COST 150)

  if(TARGET voxgrad_cli)
    add_test(NAME cuda_failures COMMAND
      ${CMAKE_CURRENT_SOURCE_DIR}/cuda/cuda_failures $<TARGET_FILE:voxgrad_cli> ${CMAKE_CURRENT_BINARY_DIR})
  endif()

  add_executable(emulator_test cuda/emulator_test.cpp cuda/emulator_runtime_test.cpp
    cuda/emulator_feed_test.cpp cuda/emulator_hopper_test.cpp cuda/conv_counts_test.cpp cuda/convolutions/conv_thin_counts_test.cpp
    cuda/convolutions/conv_statistics_counts_test.cpp cuda/convolutions/conv_depthwise_counts_test.cpp
    cuda/convolutions/conv_plans_test.cpp cuda/convolutions/conv_weights_counts_test.cpp cuda/convolutions/conv_clusters_test.cpp
    cuda/convolutions/conv_classes_test.cpp cuda/convolutions/conv_large_halo_test.cpp cuda/convolutions/conv_weights_clusters_test.cpp
    cuda/convolutions/conv_conflicts_test.cpp cuda/convolutions/conv_places_counts_test.cpp
    cuda/convolutions/conv_winograd_counts_test.cpp
    cuda/boxes/emulator_box_test.cpp cuda/clusters/emulator_cluster_test.cpp
    cuda/emulator_faults.cu cuda/hopper_faults.cu cuda/boxes/box_faults.cu cuda/clusters/cluster_faults.cu)
  set_source_files_properties(cuda/emulator_faults.cu cuda/hopper_faults.cu cuda/boxes/box_faults.cu cuda/clusters/cluster_faults.cu
    PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${emulated}")
  target_link_libraries(emulator_test PRIVATE voxgrad catch)
  target_compile_options(emulator_test PRIVATE ${warnings} ${light})
  add_dependencies(test_programs emulator_test)
  add_test(NAME emulator_test COMMAND emulator_test ~[counts])
  add_test(NAME emulator_counts COMMAND emulator_test [counts])  # of loads and stores
  set_tests_properties(emulator_test emulator_counts PROPERTIES COST 120)
endif()
