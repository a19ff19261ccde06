#include "services/common/use.h"

#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>

enum { USE_BYTE = 1 }; /* gate.c: the door is byte 0 */

static status_t lock(int file, const char *path, use_t use, err_t *err)
{
    struct flock byte = {.l_type = use == USE_ALONE ? F_WRLCK : F_RDLCK,
                         .l_whence = SEEK_SET,
                         .l_start = USE_BYTE,
                         .l_len = 1};
    if (fcntl(file, F_OFD_SETLK, &byte) == 0)
        return STATUS_OK;
    if (errno != EAGAIN && errno != EACCES)
        return err_errno(err, path, "its gate cannot be locked");
    return err_set(err, STATUS_BUSY, path, "%s",
                   use == USE_ALONE ? "is in use: stop every process that works with it first"
                                    : "is being restored: start again when that is done");
}

status_t use_take(const store_spec_t *spec, const char *directory, use_t use, int *out_file,
                  err_t *err)
{
    char path[STORE_PATH_SIZE];
    char gate[STORE_PATH_SIZE];
    status_t status = store_path(spec, directory, path, err);
    if (status == STATUS_OK && text_format(gate, sizeof(gate), "%s.gate", path) != STATUS_OK)
        status = err_set(err, STATUS_TOO_LARGE, spec->file, "its directory's name is too long");
    if (status != STATUS_OK)
        return status;
    int file = open(gate, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (file < 0)
        return err_errno(err, gate, "cannot be opened");
    status = file_adopt(file, gate, err);
    if (status == STATUS_OK)
        status = lock(file, path, use, err);
    if (status == STATUS_OK)
        *out_file = file;
    else
        file_close(&file);
    return status;
}
