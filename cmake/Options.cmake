# How every target is compiled: language level, warnings, hardening, sanitizers.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

option(LK_TESTS "Build the tests" ON)
option(LK_FUZZERS "Build the libFuzzer programs (clang only)" OFF)
option(LK_COVERAGE "Instrument for coverage" OFF)
option(LK_HARDENED "Hardening flags of a release build" OFF)
set(LK_SANITIZE "" CACHE STRING "Value of -fsanitize=, for example address,undefined or thread")

add_compile_definitions(_GNU_SOURCE LK_VERSION="${PROJECT_VERSION}")
# Assertions guard against our own bugs, in release builds too.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wundef -Wvla -Walloca -Wcast-qual
    -Wcast-align -Wpointer-arith -Wwrite-strings -Wswitch-enum -Wnull-dereference
    -Wdouble-promotion -Wimplicit-fallthrough)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
    add_compile_options(-Wconditional-uninitialized -Wcomma -Wshorten-64-to-32)
endif()

if(LK_SANITIZE)
    add_compile_options(-fsanitize=${LK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${LK_SANITIZE})
endif()
if(LK_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
if(LK_HARDENED)
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection
                        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    add_link_options(-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endif()
add_link_options(-Wl,--as-needed)
