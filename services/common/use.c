/* Locks that tell who is there. Must never: be waited for. Next: migrate.c. */
#include "services/common/use.h"

#include "common/file.h"

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

/* Locks of our own do not count. */
static bool others_have(int use, gate_byte_t byte)
{
    struct flock found = lock_of(byte, F_WRLCK);
    return fcntl(use, F_OFD_GETLK, &found) == 0 && found.l_type != F_UNLCK;
}

/* Who looks may settle it, or die, between any two of these steps. */
use_claim_t use_claim(int use)
{
    bool looks = lock(use, GATE_BYTE_LOOK, F_WRLCK);
    if (!others_have(use, GATE_BYTE_GOOD))
        return looks ? USE_FIRST : USE_UNSETTLED;
    use_settle(use, true);
    return USE_AMONG;
}

void use_settle(int use, bool good)
{
    if (good)
        (void)lock(use, GATE_BYTE_GOOD, F_RDLCK);
    (void)lock(use, GATE_BYTE_LOOK, F_UNLCK);
}

bool use_lead(int file, gate_byte_t byte)
{
    return lock(file, byte, F_WRLCK);
}
