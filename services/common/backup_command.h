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
    BACKUP_CHECK_SIZE = 65,
    EXIT_BAD_DATA = 65, /* EX_DATAERR: the copy is damaged, or not for this program or these keys */
    EXIT_IN_USE = 75,   /* EX_TEMPFAIL: a process works with the store */
};

/* Tells the key of a file from any other, and nothing of it: 64 hexadecimal digits, derived from it
 * (crypto_kdf, context "lk-check"). */
typedef status_t backup_key_check_t(const char *file, char out[BACKUP_CHECK_SIZE], err_t *err);

typedef struct {
    const char *program;
    const store_spec_t *spec;
    const char *directory;              /* LK_DATA_DIR */
    const char *seal_key_file;          /* LK_SEAL_KEY_FILE; "": none */
    const char *hash_key_file;          /* LK_API_KEY_HASH_FILE, of the gateway's alone */
    backup_key_check_t *check_hash_key; /* NULL: there is no such key */
} backup_command_t;

/* Says so on standard error; returns the exit code for it. */
int backup_command_failed(const backup_command_t *command, const err_t *err);

/* Whether these arguments (main's) are for backup_command. */
bool backup_is_meant(int argc, char *const argv[]);
/* Carries them out. What is in the copy is told on standard output, a fact a line, or on standard
 * error where the copy itself goes to standard output; with it, of each key that the copy is of no
 * use without, "key-check FILE [ID] DIGITS" (backup_key_check_t), if it can be read: nobody finds
 * out otherwise that a key is another one under the same id. Returns main's exit code. */
int backup_command(const backup_command_t *command, int argc, char *const argv[]);

#endif
