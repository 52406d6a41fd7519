# Finds the parts of ITK that voxgrad uses, for the build and for the installed package. Says nothing: Debian's configuration of gdcm
# reports at length that programs of gdcm are not installed.
if(NOT CMAKE_C_COMPILER_LOADED)
  enable_language(C)  # ITK's configuration compiles C to look at HDF5
endif()
set(voxgrad_log_level "${CMAKE_MESSAGE_LOG_LEVEL}")
set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
find_package(ITK QUIET COMPONENTS ITKCommon ITKIOImageBase ITKIOGDCM ITKIOTIFF ITKIOPNG ITKIOJPEG ITKIOBMP)
set(CMAKE_MESSAGE_LOG_LEVEL "${voxgrad_log_level}")
unset(voxgrad_log_level)
