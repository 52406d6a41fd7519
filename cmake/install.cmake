# The installed package: find_package(voxgrad) gives voxgrad::voxgrad. Headers lie in include/voxgrad as in the source tree.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(voxgrad_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/voxgrad)
install(TARGETS voxgrad EXPORT voxgrad_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Headers include each other as "core/tensor.h"; programs write <voxgrad/core/tensor.h> or the same.
target_include_directories(voxgrad INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
                                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/voxgrad>)
include(cmake/umbrella.cmake)
if(TARGET voxgrad_cli)
  install(TARGETS voxgrad_program EXPORT voxgrad_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES cli/program.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/voxgrad/cli)
  install(TARGETS voxgrad_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${library_folders} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/voxgrad
        FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT voxgrad_targets NAMESPACE voxgrad:: DESTINATION ${voxgrad_package_dir} FILE voxgrad-targets.cmake)
configure_package_config_file(cmake/voxgrad-config.cmake.in voxgrad-config.cmake INSTALL_DESTINATION ${voxgrad_package_dir})
write_basic_package_version_file(voxgrad-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/voxgrad-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/voxgrad-config-version.cmake
              cmake/find_itk.cmake cmake/voxgrad-kernels.cmake DESTINATION ${voxgrad_package_dir})
