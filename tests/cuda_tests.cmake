# Tests of a build with VOXGRAD_EMULATE_CUDA: what runs on emulated devices, and nothing else.
add_custom_target(test_programs DEPENDS op_case_test)

set(kernel_log ${CMAKE_CURRENT_BINARY_DIR}/kernels_run.txt)
add_test(NAME op_cases_cuda COMMAND op_case_test --device cuda)
set_tests_properties(op_cases_cuda PROPERTIES ENVIRONMENT "VOXGRAD_EMULATOR_LOG=${kernel_log}" FIXTURES_SETUP kernels_run)

file(GLOB cuda_unit_sources CONFIGURE_DEPENDS *_cuda_test.cpp)
add_executable(cuda_unit_tests catch_main.cpp ${cuda_unit_sources})
target_link_libraries(cuda_unit_tests PRIVATE voxgrad Catch2::Catch2)
target_compile_options(cuda_unit_tests PRIVATE ${warnings})
add_dependencies(test_programs cuda_unit_tests)
add_test(NAME cuda_unit_tests COMMAND cuda_unit_tests)
set_tests_properties(cuda_unit_tests PROPERTIES ENVIRONMENT "VOXGRAD_EMULATOR_LOG=${kernel_log}" FIXTURES_SETUP kernels_run)

# Every kernel of the sources was run by one of the tests before.
add_test(NAME cuda_kernels COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cuda_kernels_run ${CMAKE_SOURCE_DIR} ${kernel_log})
set_tests_properties(cuda_kernels PROPERTIES FIXTURES_REQUIRED kernels_run)

add_executable(emulator_test catch_main.cpp emulator_test.cpp emulator_faults.cu)
set_source_files_properties(emulator_faults.cu PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${emulated}")
target_link_libraries(emulator_test PRIVATE voxgrad Catch2::Catch2)
target_compile_options(emulator_test PRIVATE ${warnings})
add_dependencies(test_programs emulator_test)
add_test(NAME emulator_test COMMAND emulator_test)
