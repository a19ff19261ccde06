# lk_migrations(target folder prefix): builds the folder's NNN-name.sql files into the target, as
# `const migration_t <prefix>_migrations[]` and the constant <prefix>_migration_count, declared in
# the generated header "<prefix>_migrations.h", which the target can include.
function(lk_migrations target folder prefix)
    get_filename_component(folder "${folder}" ABSOLUTE)
    file(GLOB files CONFIGURE_DEPENDS "${folder}/*.sql")
    set(generated "${CMAKE_CURRENT_BINARY_DIR}/${prefix}_migrations")
    add_custom_command(
        OUTPUT "${generated}.c" "${generated}.h"
        COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${folder}" "-DPREFIX=${prefix}" "-DOUTPUT=${generated}"
                -P "${CMAKE_SOURCE_DIR}/cmake/EmbedMigrations.cmake"
        DEPENDS ${files} "${CMAKE_SOURCE_DIR}/cmake/EmbedMigrations.cmake"
        COMMENT "Embedding the migrations of ${prefix}" VERBATIM)
    target_sources(${target} PRIVATE "${generated}.c" "${generated}.h")
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
