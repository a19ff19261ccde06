/* Settings by environment variable: one table per program drives reading, bounds, --help and the
 * documented table (docs/settings.md is compared with it by a test).
 *
 * A setting lives in a plain struct of the program's; its row says where. */
#ifndef LK_COMMON_CONFIG_H
#define LK_COMMON_CONFIG_H

#include "common/metrics.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { SETTING_TEXT, SETTING_NUMBER, SETTING_SWITCH } setting_type_t;

typedef struct {
    const char *name; /* "LK_LISTEN" */
    setting_type_t type;
    size_t offset;    /* of the member: char[size], int64_t or bool */
    size_t size;      /* of a char array */
    const char *dflt; /* as it would be written in the environment; NULL: must be given */
    int64_t min, max; /* of a number */
    const char *doc;  /* one sentence */
} setting_t;

/* Rows, with the member's type checked by the compiler. */
#define SETTING_TEXT_ROW(type_, member, env, default_, doc_)                                       \
    {                                                                                              \
        .name = (env), .type = SETTING_TEXT, .dflt = (default_), .doc = (doc_),                    \
        .size = sizeof(((type_ *)0)->member),                                                      \
        .offset = offsetof(type_, member) +                                                        \
                  COMPILE_CHECK(_Generic(&((type_ *)0)->member[0], char * : 1, default : 0),       \
                                "a text setting is a char array")                                  \
    }
#define SETTING_NUMBER_ROW(type_, member, env, default_, min_, max_, doc_)                         \
    {                                                                                              \
        .name = (env), .type = SETTING_NUMBER, .dflt = (default_), .min = (min_), .max = (max_),   \
        .doc = (doc_),                                                                             \
        .offset = offsetof(type_, member) +                                                        \
                  COMPILE_CHECK(_Generic(((type_ *)0)->member, int64_t : 1, default : 0),          \
                                "a number setting is an int64_t")                                  \
    }
#define SETTING_SWITCH_ROW(type_, member, env, default_, doc_)                                     \
    {                                                                                              \
        .name = (env), .type = SETTING_SWITCH, .dflt = (default_), .doc = (doc_),                  \
        .offset = offsetof(type_, member) +                                                        \
                  COMPILE_CHECK(_Generic(((type_ *)0)->member, bool : 1, default : 0),             \
                                "a switch setting is a bool")                                      \
    }

/* What a program says of itself. */
typedef struct {
    const char *name;
    const char *summary; /* one line */
    const char *usage;   /* further lines of --help: commands, exit codes; may be NULL */
    const setting_t *settings;
    size_t setting_count;
    const metrics_t *metrics; /* NULL: none */
} program_t;

/* Reads every setting into the struct at out. An empty variable counts as absent. A switch is
 * on, off, yes, no, true, false, 1 or 0. STATUS_INVALID names the variable and what it may hold. */
status_t config_load(const program_t *program, void *out, err_t *err) MUST_CHECK;

/* Answers --help, --version and --metrics on standard output and returns true; false if argv has
 * neither. */
bool config_answer(const program_t *program, int argc, char *const argv[]);

/* The exit codes of every program (sysexits(3) where it has one). */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,     /* it ran and failed */
    EXIT_BAD_USAGE = 64, /* EX_USAGE: unknown option or argument */
    EXIT_DAMAGED = 65,   /* EX_DATAERR: a database is damaged: a backup is needed */
    EXIT_BAD_CONFIG =
        78, /* EX_CONFIG: a setting or a key file is wrong: starting again won't help */
};

#endif
