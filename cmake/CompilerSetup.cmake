# ccache, warnings, sanitizers and coverage.

find_program(PLUMBLINE_CCACHE ccache)
if(PLUMBLINE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${PLUMBLINE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PLUMBLINE_CCACHE})
endif()

# For our own code alone; third-party headers come in as system headers.
option(PLUMBLINE_WERROR "Warnings in our own code are errors" OFF)
add_library(plumbline_warnings INTERFACE)
target_compile_options(plumbline_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
  # GCC 12 sees overlapping copies in std::string that are none (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<BOOL:${PLUMBLINE_WERROR}>:-Werror>)

# Sanitizers and coverage see our own code alone (so that llama.cpp's objects come out of ccache);
# every program links their runtime. PLUMBLINE_CHECK does not depend on NDEBUG.
add_library(plumbline_instrumentation INTERFACE)
if(PLUMBLINE_SANITIZE)
  target_compile_options(plumbline_instrumentation INTERFACE -fsanitize=${PLUMBLINE_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${PLUMBLINE_SANITIZE})
endif()

option(PLUMBLINE_COVERAGE "Instrument our code for coverage (clang's source-based one)" OFF)
if(PLUMBLINE_COVERAGE)
  target_compile_options(plumbline_instrumentation INTERFACE
    -fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
target_link_libraries(plumbline_warnings INTERFACE plumbline_instrumentation)
