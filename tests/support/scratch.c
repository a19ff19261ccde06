#include "tests/support/scratch.h"

#include "common/text.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int worked, const char *what)
{
    if (worked)
        return;
    perror(what);
    abort();
}

scratch_t scratch_make(void)
{
    scratch_t scratch;
    const char *base = getenv("TMPDIR");
    must(text_format(scratch.path, sizeof(scratch.path), "%s/lk-test-XXXXXX",
                     base == NULL ? "/tmp" : base) == STATUS_OK,
         "TMPDIR");
    must(mkdtemp(scratch.path) != NULL, scratch.path);
    return scratch;
}

const char *scratch_file(const scratch_t *scratch, const char *name)
{
    static _Thread_local char path[256];
    must(text_format(path, sizeof(path), "%s/%s", scratch->path, name) == STATUS_OK, name);
    return path;
}

void scratch_write(const scratch_t *scratch, const char *name, const char *content, unsigned mode)
{
    const char *path = scratch_file(scratch, name);
    (void)unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(file >= 0, path);
    must(write(file, content, strlen(content)) == (ssize_t)strlen(content), path);
    must(fchmod(file, (mode_t)mode) == 0, path);
    must(close(file) == 0, path);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_remove(const scratch_t *scratch)
{
    (void)nftw(scratch->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
