#include "common/keyfile.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static status_t check_permissions(int file, const char *path, err_t *err)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return err_errno(err, path, "cannot be examined");
    if (!S_ISREG(info.st_mode))
        return err_set(err, STATUS_REFUSED, path, "is not a regular file");
    if (info.st_uid != 0 && info.st_uid != geteuid())
        return err_set(err, STATUS_REFUSED, path,
                       "belongs to user %u: make root or this process's user its owner",
                       (unsigned)info.st_uid);
    if ((info.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
        return err_set(err, STATUS_REFUSED, path,
                       "has mode %04o: others must not read or write it, nor its group write it "
                       "(chmod 0600)",
                       (unsigned)info.st_mode & 07777U);
    return STATUS_OK;
}

status_t keyfile_read(const char *path, char *out, size_t size, size_t *out_length, err_t *err)
{
    /* O_NONBLOCK: a named pipe is refused below instead of being waited for here. */
    AUTO(file_close) int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0 && errno == ENOENT)
        return err_set(err, STATUS_UNKNOWN, path, "is not there");
    if (file < 0)
        return err_errno(err, path, "cannot be opened");
    status_t status = check_permissions(file, path, err);
    if (status != STATUS_OK)
        return status;
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(file, out + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            sodium_memzero(out, used);
            return err_errno(err, path, "cannot be read");
        }
        if (got == 0) {
            out[used] = '\0';
            *out_length = used;
            return STATUS_OK;
        }
        used += (size_t)got;
    }
    sodium_memzero(out, used);
    return err_set(err, STATUS_TOO_LARGE, path, "is larger than %zu bytes", size - 1);
}
