# Finds the parts of ITK that voxgrad uses. Debian's configuration of gdcm reports at length that its programs are not installed.
set(voxgrad_log_level "${CMAKE_MESSAGE_LOG_LEVEL}")
set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
find_package(ITK REQUIRED QUIET
  COMPONENTS ITKCommon ITKIOImageBase ITKIONIFTI ITKIONRRD ITKIOMeta ITKIOGDCM ITKIOTIFF ITKIOPNG ITKIOJPEG)
set(CMAKE_MESSAGE_LOG_LEVEL "${voxgrad_log_level}")
unset(voxgrad_log_level)
