# Debian 12 packages, as imported targets. Why each one: docs/adr/.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libczmq libzmq)
# Folders of what libzmq itself is made with, one by "-isystem": CMake 3.25 takes that apart in its first run, but not out of
# its cache, and all would be compiled anew after the second. ZeroMQ's own headers need none of them.
set_target_properties(PkgConfig::ZMQ PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${ZMQ_libczmq_INCLUDEDIR};${ZMQ_libzmq_INCLUDEDIR}" INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(XML REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
# Debian's civetweb carries no pkg-config file.
find_library(CIVETWEB_LIBRARY civetweb REQUIRED)
find_path(CIVETWEB_INCLUDE civetweb.h REQUIRED)
add_library(civetweb INTERFACE IMPORTED)
target_link_libraries(civetweb INTERFACE "${CIVETWEB_LIBRARY}")
target_include_directories(civetweb SYSTEM INTERFACE "${CIVETWEB_INCLUDE}")
if(LK_TESTS)
    pkg_check_modules(TLS REQUIRED IMPORTED_TARGET libssl)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
