/* Must never: delete what a living process works on, or what is no workfile of that store. */
#include "services/common/workfile.h"

#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_LENGTH = 6 };

static const char *const kinds[] = {".incoming-", ".outgoing-"};

static void close_directory(DIR **directory)
{
    if (*directory != NULL)
        (void)closedir(*directory);
}

static bool is_workfile(const char *name, const char *store)
{
    size_t length = strlen(store);
    if (strncmp(name, store, length) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t kind = strlen(kinds[i]);
        if (strncmp(name + length, kinds[i], kind) == 0)
            return strlen(name + length + kind) == RANDOM_LENGTH;
    }
    return false;
}

/* SQLite may have left a journal of it. */
static void remove_stale(int directory, const char *name)
{
    char journal[WORKFILE_PATH_SIZE];
    AUTO(file_close)
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0 || unlinkat(directory, name, 0) != 0)
        return;
    if (text_format(journal, sizeof(journal), "%s-journal", name) == STATUS_OK)
        (void)unlinkat(directory, journal, 0);
}

void workfile_sweep(const char *store)
{
    char path[WORKFILE_PATH_SIZE];
    const char *slash = strrchr(store, '/');
    if (slash == NULL || text_copy(path, sizeof(path), store, (size_t)(slash - store) + 1))
        return;
    AUTO(close_directory) DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        if (is_workfile(entry->d_name, slash + 1))
            remove_stale(dirfd(directory), entry->d_name);
}

/* Whether it is still there: somebody's sweep may have come before the lock. */
static status_t lock(const workfile_t *workfile, bool *out_there, err_t *err)
{
    struct stat info;
    if (flock(workfile->file, LOCK_EX) != 0 || fstat(workfile->file, &info) != 0)
        return err_errno(err, workfile->path, "cannot be locked");
    *out_there = info.st_nlink > 0;
    return STATUS_OK;
}

static status_t make(const char *store, workfile_kind_t kind, workfile_t *out, bool *out_there,
                     err_t *err)
{
    workfile_end(out);
    if (text_format(out->path, sizeof(out->path), "%s%sXXXXXX", store, kinds[kind]) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, store, "its name is too long");
    out->file = mkostemp(out->path, O_CLOEXEC); /* 0600 */
    if (out->file < 0)
        return err_errno(err, out->path, "cannot be made");
    return lock(out, out_there, err);
}

status_t workfile_make(const char *store, workfile_kind_t kind, workfile_t *out, err_t *err)
{
    AUTO(workfile_end) workfile_t made = WORKFILE_NONE;
    bool there = false;
    status_t status = STATUS_OK;
    workfile_sweep(store);
    while (status == STATUS_OK && !there)
        status = make(store, kind, &made, &there, err);
    if (status == STATUS_OK)
        status = file_adopt(made.file, made.path, err);
    if (status != STATUS_OK)
        return status;
    *out = made;
    made.file = -1;
    return STATUS_OK;
}

void workfile_end(workfile_t *workfile)
{
    if (workfile->file >= 0)
        (void)unlink(workfile->path);
    file_close(&workfile->file);
}
