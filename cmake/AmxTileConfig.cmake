# Cures llama.cpp's AMX code when GCC's header miscompiles it; see amx/tile_loadconfig.h for the
# fault. The source folder may be the user's and is never written: the cure is a header that the
# compiler is told to read first, for the one file that loads a tile configuration.
#
# GCC has the fault up to 11.4, 12.3 and 13.2. Everything before 14 gets the cure: it costs nothing
# where the compiler's own header is right already.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  set(PLUMBLINE_AMX_CURE_HEADER "${CMAKE_CURRENT_LIST_DIR}/amx/tile_loadconfig.h")
  set(PLUMBLINE_AMX_CURE_OPTIONS -include "${PLUMBLINE_AMX_CURE_HEADER}")
endif()

function(plumbline_cure_amx_tile_config llama_source)
  if(PLUMBLINE_AMX_CURE_OPTIONS)
    set_source_files_properties("${llama_source}/ggml/src/ggml-cpu/amx/mmq.cpp"
      DIRECTORY "${llama_source}/ggml/src"
      PROPERTIES COMPILE_OPTIONS "${PLUMBLINE_AMX_CURE_OPTIONS}")
  endif()
endfunction()
