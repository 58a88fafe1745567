# PLUMBLINE_SYSTEM_LLAMA: an installed libllama and libggml (find it by CMAKE_PREFIX_PATH), and from
# the source folder only what no installation carries: `common`, and cpp-httplib. `common` talks to
# libllama through llama.h, so the two have to be of one version: their llama.h must be the same.

find_package(llama REQUIRED)
foreach(header llama.h ggml.h)
  set(source_header "${llama_source}/include/${header}")
  if(header STREQUAL "ggml.h")
    set(source_header "${llama_source}/ggml/include/${header}")
  endif()
  file(SHA256 "${LLAMA_INCLUDE_DIR}/${header}" installed)
  file(SHA256 "${source_header}" expected)
  if(NOT installed STREQUAL expected)
    message(FATAL_ERROR
      "The installed llama.cpp (version ${LLAMA_VERSION}, ${LLAMA_INCLUDE_DIR}) is not the "
      "version of the source in ${llama_source}: their ${header} differ. Pass "
      "-DLLAMA_CPP_DIR=<the source that was installed>, or leave out PLUMBLINE_SYSTEM_LLAMA.")
  endif()
endforeach()
if(PLUMBLINE_BUILD_PEERS)
  message(FATAL_ERROR "PLUMBLINE_BUILD_PEERS builds llama-server with its own libllama; with "
    "PLUMBLINE_SYSTEM_LLAMA pass -DPLUMBLINE_BUILD_PEERS=OFF (or -DPLUMBLINE_BUILD_TESTS=OFF).")
endif()
add_subdirectory(cmake/system_llama "${CMAKE_BINARY_DIR}/llama.cpp" EXCLUDE_FROM_ALL SYSTEM)
