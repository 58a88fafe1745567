# llama.cpp with its `common` library (Jinja chat templates), static and without network. Gives
# plumbline::llama_cpp, and plumbline::httplib (the cpp-httplib that llama.cpp carries).
#
# The source is, in this order:
#   LLAMA_CPP_DIR           a folder with llama.cpp's source; it is only read;
#   the cache               what scripts/fetch-llama.sh took and checked (the pinned version).
# PLUMBLINE_SYSTEM_LLAMA=ON links an installed libllama and libggml instead of building them; the
# source is needed even so, for `common` (which no installation carries), and has to be the same
# version: see SystemLlamaCpp.cmake.
#
# The GPU is one option, PLUMBLINE_GPU; see the table below.

# Where scripts/fetch-llama.sh puts the pinned version; the script is the one place that names it.
function(plumbline_cached_llama_dir out)
  file(STRINGS "${CMAKE_SOURCE_DIR}/scripts/fetch-llama.sh" pin REGEX "^readonly LLAMA_VERSION=")
  string(REGEX REPLACE "^readonly LLAMA_VERSION=" "" version "${pin}")
  if(DEFINED ENV{PLUMBLINE_CACHE})
    set(cache "$ENV{PLUMBLINE_CACHE}")
  else()
    set(cache "$ENV{HOME}/.cache/plumbline")
  endif()
  set(${out} "${cache}/llama.cpp-${version}" PARENT_SCOPE)
endfunction()

set(LLAMA_CPP_DIR "" CACHE PATH
  "Folder with llama.cpp's source; empty: what scripts/fetch-llama.sh fetched")
option(PLUMBLINE_SYSTEM_LLAMA
  "Link an installed llama.cpp; `common` still comes from the source" OFF)
option(PLUMBLINE_BUILD_PEERS
  "Build llama-server and llama-batched-bench from the same source, for tests and benchmarks"
  ${PLUMBLINE_BUILD_TESTS})
option(PLUMBLINE_TLS "Speak https to remote models (needs OpenSSL's development files)" ON)
set(PLUMBLINE_GPU "none" CACHE STRING
  "GPU backend: none, cuda, hip, metal, musa, opencl, sycl, vulkan")
set_property(CACHE PLUMBLINE_GPU PROPERTY STRINGS none cuda hip metal musa opencl sycl vulkan)

set(llama_source "${LLAMA_CPP_DIR}")
if(NOT llama_source)
  plumbline_cached_llama_dir(llama_source)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS scripts/fetch-llama.sh)
  set(LLAMA_ALL_WARNINGS OFF)  # GCC 12 has hundreds about AVX-512 code, none of them right
endif()
if(NOT EXISTS "${llama_source}/include/llama.h")
  message(FATAL_ERROR "No llama.cpp source in '${llama_source}' (there is no include/llama.h). "
    "Run scripts/fetch-llama.sh, which fetches and checks the pinned version, or pass "
    "-DLLAMA_CPP_DIR=<folder with llama.cpp's source>.")
endif()
message(STATUS "llama.cpp source: ${llama_source}")

# One option for the user, one GGML_<BACKEND> switch a backend. A GGML_* given by hand stays.
set(gpu_backends cuda hip metal musa opencl sycl vulkan)
if(NOT PLUMBLINE_GPU STREQUAL "none")
  if(NOT PLUMBLINE_GPU IN_LIST gpu_backends)
    list(JOIN gpu_backends ", " gpu_names)
    message(FATAL_ERROR "PLUMBLINE_GPU='${PLUMBLINE_GPU}' is not known; use none, ${gpu_names}.")
  endif()
  string(TOUPPER "GGML_${PLUMBLINE_GPU}" gpu_switch)
  set(${gpu_switch} ON)
endif()

set(BUILD_SHARED_LIBS OFF)
set(LLAMA_BUILD_COMMON ON)
set(LLAMA_BUILD_TESTS OFF)
set(LLAMA_BUILD_EXAMPLES OFF)
set(LLAMA_BUILD_APP OFF)
set(LLAMA_BUILD_TOOLS ${PLUMBLINE_BUILD_PEERS})
set(LLAMA_BUILD_SERVER ${PLUMBLINE_BUILD_PEERS})
set(LLAMA_BUILD_UI OFF)          # the server's page would be fetched or built with npm
set(LLAMA_USE_PREBUILT_UI OFF)
set(LLAMA_OPENSSL ${PLUMBLINE_TLS})

include(AmxTileConfig)
if(PLUMBLINE_SYSTEM_LLAMA)
  include(SystemLlamaCpp)
else()
  add_subdirectory("${llama_source}" ${CMAKE_BINARY_DIR}/llama.cpp EXCLUDE_FROM_ALL SYSTEM)
  plumbline_cure_amx_tile_config("${llama_source}")
endif()

# What rooms link. An installed Plumbline brings the static libraries behind these two names along
# (see Install.cmake), since llama.cpp's own installation has no `common`.
add_library(plumbline_llama_cpp INTERFACE)
add_library(plumbline::llama_cpp ALIAS plumbline_llama_cpp)
target_link_libraries(plumbline_llama_cpp INTERFACE
  $<BUILD_INTERFACE:llama-common> $<BUILD_INTERFACE:llama>
  $<INSTALL_INTERFACE:plumbline::bundled_llama_cpp>)

# #include <cpp-httplib/httplib.h>. The same library that llama-common links, so that a program
# never holds two copies.
add_library(plumbline_httplib INTERFACE)
add_library(plumbline::httplib ALIAS plumbline_httplib)
target_include_directories(plumbline_httplib SYSTEM INTERFACE
  $<BUILD_INTERFACE:${llama_source}/vendor>)
target_link_libraries(plumbline_httplib INTERFACE Threads::Threads
  $<BUILD_INTERFACE:cpp-httplib> $<INSTALL_INTERFACE:plumbline::bundled_llama_cpp>)

# What tests and benchmarks run against; nothing of it is installed.
if(PLUMBLINE_BUILD_PEERS)
  add_custom_target(plumbline_peers ALL DEPENDS llama-server llama-batched-bench llama-bench)
  set(PLUMBLINE_LLAMA_SERVER "${CMAKE_BINARY_DIR}/bin/llama-server")
  set(PLUMBLINE_LLAMA_BATCHED_BENCH "${CMAKE_BINARY_DIR}/bin/llama-batched-bench")
endif()
