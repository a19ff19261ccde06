#include "common/mapfile.h"

#include "common/file.h"
#include "common/mem.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_MAX = 256 };

static status_t fill(int made, const char *name, const mapfile_t *file, err_t *err)
{
    int failed = posix_fallocate(made, 0, (off_t)file->size);
    if (failed != 0) {
        errno = failed;
        return failed == ENOSPC || failed == EDQUOT
                   ? err_set(err, STATUS_FULL, file->path, "there is no room for it")
                   : err_errno(err, file->path, "cannot be made");
    }
    status_t status = file_write(made, file->head, file->head_length, file->path, err);
    if (status == STATUS_OK && fchmod(made, file->mode) != 0)
        status = err_errno(err, file->path, "cannot get its permissions");
    return status == STATUS_OK ? file_adopt(made, name, err) : status;
}

static status_t give_name(const char *name, const mapfile_t *file, err_t *err)
{
    int failed = file->replaces ? rename(name, file->path) : link(name, file->path);
    if (failed != 0 && (file->replaces || errno != EEXIST))
        return err_errno(err, file->path, "cannot be made");
    return STATUS_OK;
}

status_t mapfile_make(const mapfile_t *file, err_t *err)
{
    char name[PATH_MAX];
    if (text_format(name, sizeof(name), "%s.XXXXXX", file->path) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, file->path, "its name is too long");
    AUTO(file_close) int made = mkostemp(name, O_CLOEXEC);
    if (made < 0)
        return err_errno(err, file->path, "cannot be made");
    status_t status = fill(made, name, file, err);
    if (status == STATUS_OK)
        status = give_name(name, file, err);
    (void)unlink(name); /* not there any more once it replaces */
    return status;
}

static status_t check(int opened, const mapfile_t *file, err_t *err)
{
    char head[HEAD_MAX];
    struct stat info;
    if (fstat(opened, &info) != 0)
        return err_errno(err, file->path, "cannot be looked at");
    size_t size = (size_t)info.st_size;
    bool fits = file->or_larger ? size >= file->size : size == file->size;
    bool whole = S_ISREG(info.st_mode) && fits && file->head_length <= sizeof(head) &&
                 pread(opened, head, file->head_length, 0) == (ssize_t)file->head_length;
    if (!whole || memcmp(head, file->head, file->head_length) != 0)
        return err_set(err, STATUS_CORRUPT, file->path, "is of another form");
    return STATUS_OK;
}

status_t mapfile_open(const mapfile_t *file, bool writes, int *out_file, err_t *err)
{
    int access = writes ? O_RDWR : O_RDONLY;
    int opened = open(file->path, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (opened < 0 && errno == ENOENT)
        return err_set(err, STATUS_UNKNOWN, file->path, "is not there");
    if (opened < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
        return err_set(err, STATUS_CORRUPT, file->path, "is no file");
    if (opened < 0)
        return err_errno(err, file->path, "cannot be opened");
    status_t status = check(opened, file, err);
    if (status == STATUS_OK)
        *out_file = opened;
    else
        file_close(&opened);
    return status;
}
