/* Must never: checkpoint, or hold the gate. Next: backup_check.c. */
#include "services/common/backup.h"

#include "common/file.h"
#include "common/text.h"
#include "services/common/sqlite.h"
#include "services/common/use.h"
#include "services/common/workfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 10000, STEP_PAGES = 256 };

typedef struct {
    backup_progress_t *progress;
    void *context;
} copying_t;

/* Opened like any connection, and closed without a checkpoint. Its one transaction begins with the
 * first read: were each step one of its own, the copy would begin anew after each write. */
static status_t open_source(const char *path, sqlite3 **out, err_t *err)
{
    int64_t version = 0;
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == ENOENT ? err_set(err, STATUS_UNKNOWN, path, "there is no such store")
                               : err_errno(err, path, "cannot be looked at");
    status_t status = sqlite_open(path, BUSY_MS, out, path, err);
    if (status != STATUS_OK)
        return status;
    int code = sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code != SQLITE_OK)
        return sqlite_fail(*out, code, path, err);
    status = sqlite_execute(*out, "PRAGMA query_only=ON; BEGIN", path, err);
    if (status == STATUS_OK)
        status = sqlite_number(*out, "PRAGMA user_version", &version, path, err);
    return status;
}

/* A journal of its own would be of no use: what is not complete is thrown away. Locked for this
 * connection alone, so that the file system need not do shared memory. */
static status_t open_target(const char *path, sqlite3 **out, err_t *err)
{
    status_t status = sqlite_open(path, 0, out, path, err);
    if (status == STATUS_OK)
        status = sqlite_execute(*out,
                                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY;"
                                "PRAGMA synchronous=OFF",
                                path, err);
    return status;
}

static status_t copy_pages(sqlite3 *from, sqlite3 *to, const char *path, const copying_t *copying,
                           err_t *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return sqlite_fail(to, sqlite3_extended_errcode(to), path, err);
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        int64_t all = sqlite3_backup_pagecount(backup);
        if (copying->progress != NULL && (code == SQLITE_OK || code == SQLITE_DONE))
            copying->progress(copying->context, all - sqlite3_backup_remaining(backup), all);
    }
    int end = sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        return sqlite_fail(to, code, path, err);
    return end == SQLITE_OK ? STATUS_OK : sqlite_fail(to, end, path, err);
}

/* Page 1 says WAL, as the source's does: then the copy could not be read where nothing may be
 * written. */
static status_t copy_database(const char *source, const char *target, const copying_t *copying,
                              err_t *err)
{
    AUTO(sqlite_close) sqlite3 *from = NULL;
    AUTO(sqlite_close) sqlite3 *to = NULL;
    status_t status = open_source(source, &from, err);
    if (status == STATUS_OK)
        status = open_target(target, &to, err);
    if (status == STATUS_OK)
        status = copy_pages(from, to, target, copying, err);
    if (status == STATUS_OK)
        status = sqlite_execute(to, "PRAGMA journal_mode=DELETE", target, err);
    return status;
}

static status_t sync_file(const char *path, err_t *err)
{
    AUTO(file_close) int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fsync(file) != 0)
        return err_errno(err, path, "cannot be synced");
    return STATUS_OK;
}

/* Never over another file: not every file system can be asked for that. */
static status_t give_name(const char *part, const char *target, err_t *err)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, target, RENAME_NOREPLACE) != 0) {
        bool unable = errno == EINVAL || errno == ENOSYS;
        if (!unable && errno == EEXIST)
            return err_set(err, STATUS_CONFLICT, target, "is there already");
        if (!unable || rename(part, target) != 0)
            return err_errno(err, target, "cannot be given its name");
    }
    return file_sync_directory(target, err);
}

static status_t make_part(const char *part, const char *target, err_t *err)
{
    if (access(target, F_OK) == 0)
        return err_set(err, STATUS_CONFLICT, target, "is there already");
    AUTO(file_close) int file = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0)
        return STATUS_OK;
    if (errno == EEXIST)
        return err_set(err, STATUS_CONFLICT, part,
                       "is there: another backup writes it, or a killed one has left it");
    return err_errno(err, part, "cannot be made");
}

/* The file is there, and empty. */
static status_t fill(const store_spec_t *spec, const char *source, const char *file,
                     const copying_t *copying, backup_facts_t *out, err_t *err)
{
    status_t status = copy_database(source, file, copying, err);
    return status == STATUS_OK ? backup_check(spec, file, source, "", out, err) : status;
}

status_t backup_write(const store_spec_t *spec, const char *directory, const char *target,
                      backup_progress_t *progress, void *context, backup_facts_t *out, err_t *err)
{
    AUTO(file_close) int use = -1;
    char source[STORE_PATH_SIZE];
    char part[STORE_PATH_SIZE];
    const copying_t copying = {.progress = progress, .context = context};
    status_t status = store_path(spec, directory, source, err);
    if (status == STATUS_OK && text_format(part, sizeof(part), "%s.part", target) != STATUS_OK)
        status = err_set(err, STATUS_TOO_LARGE, target, "its name is too long");
    if (status == STATUS_OK)
        status = use_take(spec, directory, USE_SHARED, &use, err);
    if (status == STATUS_OK)
        status = make_part(part, target, err);
    if (status != STATUS_OK)
        return status;
    status = fill(spec, source, part, &copying, out, err);
    if (status == STATUS_OK)
        status = sync_file(part, err);
    if (status == STATUS_OK)
        status = give_name(part, target, err);
    if (status != STATUS_OK)
        (void)unlink(part);
    return status;
}

/* By way of a file: what is written page by page can't be sent as it comes. */
status_t backup_send(const store_spec_t *spec, const char *directory, int to,
                     backup_progress_t *progress, void *context, backup_facts_t *out, err_t *err)
{
    AUTO(file_close) int use = -1;
    AUTO(workfile_end) workfile_t outgoing = WORKFILE_NONE;
    char source[STORE_PATH_SIZE];
    const copying_t copying = {.progress = progress, .context = context};
    status_t status = store_path(spec, directory, source, err);
    if (status == STATUS_OK)
        status = use_take(spec, directory, USE_SHARED, &use, err);
    if (status == STATUS_OK)
        status = workfile_make(source, WORKFILE_OUTGOING, &outgoing, err);
    if (status == STATUS_OK)
        status = fill(spec, source, outgoing.path, &copying, out, err);
    if (status == STATUS_OK && unlink(outgoing.path) != 0)
        status = err_errno(err, outgoing.path, "cannot be deleted");
    return status == STATUS_OK ? file_copy(outgoing.file, to, "the copy", err) : status;
}
