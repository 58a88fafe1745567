# cmake --install gives the program, the headers, one static library a room, and a CMake package:
# find_package(plumbline) with the targets plumbline::<room>.
#
# llama.cpp's own installation has neither `common` nor a version that would be ours, so the static
# libraries that our rooms need come along in lib/plumbline, behind plumbline::bundled_llama_cpp.
# With a GPU backend those need the vendor's libraries too, which this package doesn't describe:
# then only the program is installed. The same goes for PLUMBLINE_SYSTEM_LLAMA.

if(NOT PLUMBLINE_GPU STREQUAL "none" OR PLUMBLINE_SYSTEM_LLAMA)
  message(STATUS "Install: the program alone (the libraries need PLUMBLINE_GPU=none and no "
    "PLUMBLINE_SYSTEM_LLAMA)")
  return()
endif()

include(CMakePackageConfigHelpers)
get_property(rooms GLOBAL PROPERTY PLUMBLINE_ROOMS)
set_target_properties(plumbline_llama_cpp PROPERTIES EXPORT_NAME llama_cpp)
set_target_properties(plumbline_httplib PROPERTIES EXPORT_NAME httplib)
install(TARGETS ${rooms} plumbline_llama_cpp plumbline_httplib EXPORT plumblineTargets
  ARCHIVE DESTINATION lib)
install(DIRECTORY plumbline DESTINATION include FILES_MATCHING PATTERN "*.h")

set(bundled llama-common llama-common-base llama ggml ggml-cpu ggml-base cpp-httplib)
foreach(library ${bundled})
  install(FILES $<TARGET_FILE:${library}> DESTINATION lib/plumbline)
  list(APPEND PLUMBLINE_BUNDLED_FILES "$<TARGET_FILE_NAME:${library}>")
endforeach()
install(FILES "${llama_source}/LICENSE" DESTINATION share/doc/plumbline RENAME LICENSE.llama.cpp)
install(FILES LICENSE DESTINATION share/doc/plumbline)

get_target_property(PLUMBLINE_USES_TLS cpp-httplib INTERFACE_COMPILE_DEFINITIONS)
string(FIND "${PLUMBLINE_USES_TLS}" CPPHTTPLIB_OPENSSL_SUPPORT tls_at)
set(PLUMBLINE_USES_TLS OFF)
if(NOT tls_at EQUAL -1)
  set(PLUMBLINE_USES_TLS ON)
endif()
set(PLUMBLINE_USES_OPENMP ${GGML_OPENMP_ENABLED})

set(package lib/cmake/plumbline)
configure_package_config_file(cmake/plumblineConfig.cmake.in
  "${CMAKE_BINARY_DIR}/plumblineConfig.cmake.generate" INSTALL_DESTINATION ${package})
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/plumblineConfig.cmake"
  INPUT "${CMAKE_BINARY_DIR}/plumblineConfig.cmake.generate")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/plumblineConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/plumblineConfig.cmake"
  "${CMAKE_BINARY_DIR}/plumblineConfigVersion.cmake" DESTINATION ${package})
install(EXPORT plumblineTargets NAMESPACE plumbline:: DESTINATION ${package})
