# plumbline_library(<room> SOURCES ... [TESTS ...] [LINK ...] [LABELS ...]): one folder, one static
# library plumbline_<room> with the alias plumbline::<room>, and its unit tests beside the sources.
# LINK takes PUBLIC/PRIVATE lists as target_link_libraries does. Files that don't exist are errors.
#
# plumbline_test(<name> SOURCES ... [LINK ...] [LABELS ...]): one GoogleTest program. Its labels:
# `unit`, or what LABELS says (unit property exact golden model server slow). Tests of the real
# model carry `model`, and run alone: they use every core.

# The targets fast_tests and model_tests build the programs of the tests without and with a model.
add_custom_target(fast_tests)
add_custom_target(model_tests)

# What every test finds in its environment. OpenMP's threads sleep while they wait: where something
# else runs on the machine, spinning ones make the model ten times slower.
set(PLUMBLINE_TEST_ENVIRONMENT
  "PLUMBLINE_MODEL_DIR=${PLUMBLINE_MODEL_DIR}" "PLUMBLINE_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
  "PLUMBLINE_BINARY_DIR=${CMAKE_BINARY_DIR}" "OMP_WAIT_POLICY=passive")

function(plumbline_test_properties name labels)
  set(environment ${PLUMBLINE_TEST_ENVIRONMENT})
  if(PLUMBLINE_LLAMA_SERVER)
    list(APPEND environment "PLUMBLINE_LLAMA_SERVER=${PLUMBLINE_LLAMA_SERVER}")
  endif()
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT 900 ENVIRONMENT "${environment}")
  if("model" IN_LIST labels OR "server" IN_LIST labels)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

function(plumbline_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT PLUMBLINE_BUILD_TESTS)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} plumbline_warnings GTest::gmock_main)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  plumbline_test_properties(${name} "${ARG_LABELS}")
  if("model" IN_LIST ARG_LABELS)
    add_dependencies(model_tests ${name})
  elseif(NOT "server" IN_LIST ARG_LABELS AND NOT "slow" IN_LIST ARG_LABELS)
    add_dependencies(fast_tests ${name})
  endif()
endfunction()

function(plumbline_library room)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;LINK;LABELS" ${ARGN})
  set(target plumbline_${room})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(plumbline::${room} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${room})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:plumbline_warnings> ${ARG_LINK})
  set_property(GLOBAL APPEND PROPERTY PLUMBLINE_ROOMS ${target})
  if(ARG_TESTS)
    plumbline_test(${room}_test SOURCES ${ARG_TESTS} LINK plumbline::${room} LABELS ${ARG_LABELS})
  endif()
endfunction()
