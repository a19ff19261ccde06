/* `PROGRAM backup` and `PROGRAM restore`: the same for the gateway and every worker. */
#ifndef LK_SERVICES_COMMON_BACKUP_COMMAND_H
#define LK_SERVICES_COMMON_BACKUP_COMMAND_H

#include "services/common/store.h"

/* Of --help: what stands in front of "backup", and as many blanks. */
#define BACKUP_USAGE(program, blanks)                                                              \
    "  " program "backup FILE|-            copy the store, in use or not, to a new file or out\n"  \
    "  " program "restore FILE|-           check a copy, put it in the place of the store\n"       \
    "  " blanks "        --check FILE|-   only check it\n"                                         \
    "  " blanks "        --dry-run FILE|- all but the change\n"                                    \
    "  " blanks "        --stage FILE|-   all but the change, and keep it beside the store\n"      \
    "  " blanks "        --staged         put that in the place of the store: in a moment\n"       \
    "  " blanks "        --unstage        delete that, and what killed ones left\n"

enum {
    EXIT_BAD_DATA = 65, /* EX_DATAERR: the copy is damaged, or not for this program or these keys */
    EXIT_IN_USE = 75,   /* EX_TEMPFAIL: a process works with the store */
};

typedef struct {
    const char *program;
    const store_spec_t *spec;
    const char *directory;     /* LK_DATA_DIR */
    const char *seal_key_file; /* LK_SEAL_KEY_FILE; "": none */
} backup_command_t;

/* Whether these arguments (main's) are for backup_command. */
bool backup_is_meant(int argc, char *const argv[]);
/* Carries them out. What is in the copy is told on standard output, a fact a line, or on standard
 * error where the copy itself goes to standard output. Returns main's exit code. */
int backup_command(const backup_command_t *command, int argc, char *const argv[]);

#endif
