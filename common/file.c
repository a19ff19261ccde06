#include "common/file.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 65536 };

void file_close(int *file)
{
    if (*file >= 0)
        (void)close(*file);
    *file = -1;
}

static status_t fail_write(const char *where, err_t *err)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return err_set(err, STATUS_FULL, where, "there is no room for it");
    return err_errno(err, where, "cannot be written");
}

status_t file_write(int file, const char *bytes, size_t length, const char *where, err_t *err)
{
    while (length > 0) {
        ssize_t written = write(file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail_write(where, err);
        bytes += written;
        length -= (size_t)written;
    }
    return STATUS_OK;
}

status_t file_copy(int from, int to, const char *where, err_t *err)
{
    char chunk[CHUNK];
    for (;;) {
        ssize_t length = read(from, chunk, sizeof(chunk));
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return err_errno(err, where, "what is copied there cannot be read");
        if (length == 0)
            break;
        status_t status = file_write(to, chunk, (size_t)length, where, err);
        if (status != STATUS_OK)
            return status;
    }
    struct stat info;
    if (fstat(to, &info) != 0 || (S_ISREG(info.st_mode) && fsync(to) != 0))
        return fail_write(where, err);
    return STATUS_OK;
}

static status_t open_directory(const char *path, int *out, err_t *err)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    status_t status = STATUS_OK;
    if (slash == NULL)
        text_cut(directory, sizeof(directory), ".");
    else if (length == 0)
        text_cut(directory, sizeof(directory), "/");
    else
        status = text_copy(directory, sizeof(directory), path, length);
    if (status != STATUS_OK)
        return err_set(err, status, path, "its name is too long");
    *out = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out >= 0 ? STATUS_OK : err_errno(err, directory, "cannot be opened");
}

status_t file_adopt(int file, const char *path, err_t *err)
{
    AUTO(file_close) int directory = -1;
    struct stat info;
    if (geteuid() != 0)
        return STATUS_OK;
    status_t status = open_directory(path, &directory, err);
    if (status != STATUS_OK)
        return status;
    if (fstat(directory, &info) != 0 || fchown(file, info.st_uid, info.st_gid) != 0)
        return err_errno(err, path, "cannot be given to the directory's owner");
    return STATUS_OK;
}

status_t file_sync_directory(const char *path, err_t *err)
{
    AUTO(file_close) int directory = -1;
    status_t status = open_directory(path, &directory, err);
    if (status == STATUS_OK && fsync(directory) != 0)
        status = err_errno(err, path, "its directory cannot be synced");
    return status;
}
