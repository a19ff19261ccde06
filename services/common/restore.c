/* Must never: change the store before its copy is whole beside it, or while others work with it.
 * Next: replace.c. */
#include "services/common/restore.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "services/common/gate.h"
#include "services/common/replace.h"
#include "services/common/use.h"
#include "services/common/workfile.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { GATE_WAIT_MS = 5000 };

typedef struct {
    char store[STORE_PATH_SIZE];
    char staged[STORE_PATH_SIZE];
} paths_t;

static status_t make_paths(const store_spec_t *spec, const char *directory, paths_t *out,
                           err_t *err)
{
    status_t status = store_path(spec, directory, out->store, err);
    if (status == STATUS_OK &&
        text_format(out->staged, sizeof(out->staged), "%s.staged", out->store) != STATUS_OK)
        status = err_set(err, STATUS_TOO_LARGE, out->store, "its name is too long");
    return status;
}

/* Beside the store, since only there can it become it in one step. */
static status_t receive(const store_spec_t *spec, const char *store, const restore_t *restore,
                        workfile_t *out_copy, backup_facts_t *out, err_t *err)
{
    status_t status = workfile_make(store, WORKFILE_INCOMING, out_copy, err);
    if (status == STATUS_OK)
        status = file_copy(restore->copy, out_copy->file, out_copy->path, err);
    if (status == STATUS_OK)
        status =
            backup_check(spec, out_copy->path, restore->name, restore->seal_key_file, out, err);
    return status;
}

static status_t enter_gate(const char *store, gate_t **out, err_t *err)
{
    status_t status = gate_open(store, out, err);
    return status == STATUS_OK ? gate_take(*out, clock_ms() + GATE_WAIT_MS, err) : status;
}

static status_t replace(const char *store, const char *copy, char out_aside[STORE_PATH_SIZE],
                        err_t *err)
{
    AUTO(gate_close) gate_t *gate = NULL;
    status_t status = enter_gate(store, &gate, err);
    return status == STATUS_OK ? replace_file(store, copy, out_aside, err) : status;
}

/* Folded now, while a failure is none of half the stores. */
static status_t stage(const paths_t *paths, const char *copy, err_t *err)
{
    AUTO(gate_close) gate_t *gate = NULL;
    status_t status = enter_gate(paths->store, &gate, err);
    if (status == STATUS_OK)
        status = replace_fold(paths->store, err);
    if (status == STATUS_OK && rename(copy, paths->staged) != 0)
        status = err_errno(err, paths->staged, "cannot be made");
    return status == STATUS_OK ? file_sync_directory(paths->store, err) : status;
}

static status_t go_on(restore_depth_t depth, const paths_t *paths, const char *copy,
                      char out_aside[STORE_PATH_SIZE], err_t *err)
{
    switch (depth) {
    case RESTORE_CHECK:
    case RESTORE_TRY:
        break;
    case RESTORE_STAGE:
        return stage(paths, copy, err);
    case RESTORE_DO:
        return replace(paths->store, copy, out_aside, err);
    }
    return STATUS_OK;
}

status_t restore_store(const store_spec_t *spec, const char *directory, const restore_t *restore,
                       backup_facts_t *out, char out_aside[STORE_PATH_SIZE], err_t *err)
{
    AUTO(file_close) int use = -1;
    AUTO(workfile_end) workfile_t copy = WORKFILE_NONE;
    paths_t paths;
    backup_facts_t facts = {.version = 0};
    char aside[STORE_PATH_SIZE] = "";
    status_t status = make_paths(spec, directory, &paths, err);
    if (status == STATUS_OK && restore->depth != RESTORE_CHECK)
        status = use_take(spec, directory, USE_ALONE, &use, err);
    if (status == STATUS_OK)
        status = receive(spec, paths.store, restore, &copy, &facts, err);
    if (status == STATUS_OK)
        status = go_on(restore->depth, &paths, copy.path, aside, err);
    if (status != STATUS_OK)
        return status;
    *out = facts;
    text_cut(out_aside, STORE_PATH_SIZE, aside);
    return STATUS_OK;
}

status_t restore_staged(const store_spec_t *spec, const char *directory,
                        char out_aside[STORE_PATH_SIZE], err_t *err)
{
    AUTO(file_close) int use = -1;
    paths_t paths;
    status_t status = make_paths(spec, directory, &paths, err);
    if (status == STATUS_OK)
        status = use_take(spec, directory, USE_ALONE, &use, err);
    if (status == STATUS_OK && access(paths.staged, F_OK) != 0)
        status = errno == ENOENT ? err_set(err, STATUS_UNKNOWN, paths.staged, "is not there")
                                 : err_errno(err, paths.staged, "cannot be looked at");
    return status == STATUS_OK ? replace(paths.store, paths.staged, out_aside, err) : status;
}

status_t restore_unstage(const store_spec_t *spec, const char *directory, err_t *err)
{
    paths_t paths;
    status_t status = make_paths(spec, directory, &paths, err);
    if (status == STATUS_OK && unlink(paths.staged) != 0 && errno != ENOENT)
        status = err_errno(err, paths.staged, "cannot be deleted");
    if (status == STATUS_OK)
        workfile_sweep(paths.store);
    return status;
}
