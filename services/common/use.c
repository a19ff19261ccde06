/* Locks that tell who is there. Must never: be waited for inside the gate. Next: migrate.c. */
#include "services/common/use.h"

#include "common/file.h"
#include "services/common/gate.h"

#include <errno.h>
#include <fcntl.h>

/* Of an open file description: fcntl(2). */
static struct flock lock_of(gate_byte_t byte, short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static bool lock(int file, gate_byte_t byte, short type)
{
    struct flock wanted = lock_of(byte, type);
    return fcntl(file, F_OFD_SETLK, &wanted) == 0;
}

status_t use_take(const store_spec_t *spec, const char *directory, use_t use, int *out_use,
                  err_t *err)
{
    char path[STORE_PATH_SIZE];
    AUTO(file_close) int file = -1;
    status_t status = store_path(spec, directory, path, err);
    if (status == STATUS_OK)
        status = gate_open_file(path, &file, err);
    if (status != STATUS_OK)
        return status;
    if (!lock(file, GATE_BYTE_USE, use == USE_ALONE ? F_WRLCK : F_RDLCK)) {
        if (errno != EAGAIN && errno != EACCES)
            return err_errno(err, path, "its gate cannot be locked");
        return err_set(err, STATUS_BUSY, path, "%s",
                       use == USE_ALONE ? "is in use: stop every process that works with it first"
                                        : "is being restored: start again when that is done");
    }
    *out_use = file;
    file = -1;
    return STATUS_OK;
}

static bool any_other(int use)
{
    struct flock found = lock_of(GATE_BYTE_LOOK, F_WRLCK);
    return fcntl(use, F_OFD_GETLK, &found) == 0 && found.l_type != F_UNLCK;
}

/* Who looks it over may die between two of these steps; nobody else can come, in the gate. */
use_claim_t use_claim(int use)
{
    if (lock(use, GATE_BYTE_LOOK, F_WRLCK))
        return USE_FIRST;
    if (!lock(use, GATE_BYTE_LOOK, F_RDLCK))
        return USE_UNSETTLED;
    if (any_other(use))
        return USE_AMONG;
    return lock(use, GATE_BYTE_LOOK, F_WRLCK) ? USE_FIRST : USE_AMONG;
}

void use_settle(int use, bool good)
{
    (void)lock(use, GATE_BYTE_LOOK, good ? F_RDLCK : F_UNLCK);
}
