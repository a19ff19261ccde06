# lk_pytest(NAME LABEL integration FILE test_x.py [TIMEOUT seconds]): one Python file in ctest, run by
# Debian's python3 against the programs of this build. They start processes: two at a time. Where all of a file
# is skipped (tests/conftest.py), ctest says so too.
find_program(LK_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
function(lk_pytest name)
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT;FILE" "" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 180)
    endif()
    set(patience 1)
    if(LK_SANITIZE)
        set(patience 4)
    endif()
    math(EXPR timeout "${ARG_TIMEOUT} * ${patience}")
    add_test(NAME ${name} COMMAND "${LK_PYTHON}" -m pytest -q -rs -p no:cacheprovider --tb=short
             "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_FILE}")
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77
        ENVIRONMENT "LK_BIN_DIR=${CMAKE_BINARY_DIR}/bin;LK_RUN_BUILD_DIR=${CMAKE_BINARY_DIR}/run;LK_TEST_PATIENCE=${patience};PYTHONDONTWRITEBYTECODE=1;ASAN_OPTIONS=detect_stack_use_after_return=1;TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp")
endfunction()
