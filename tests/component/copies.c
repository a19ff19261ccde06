#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/component/copies.h"

#include "common/text.h"
#include "tests/support/migrated.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

scratch_t scratch;
err_t err;

void must(status_t status)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
}

int copies_set_up(void **state)
{
    (void)state;
    scratch = scratch_make();
    must(migrate_once(&sample_spec, scratch.path, NULL, &err));
    return 0;
}

int copies_tear_down(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

void path_of(const char *name, char out[STORE_PATH_SIZE])
{
    assert_int_equal(text_format(out, STORE_PATH_SIZE, "%s", scratch_file(&scratch, name)),
                     STATUS_OK);
}

store_t *open_store(const char *directory, store_role_t role)
{
    store_t *store = NULL;
    must(store_open(&sample_spec, directory, role, &store, &err));
    return store;
}

void back_up(const char *name, backup_facts_t *out)
{
    char target[STORE_PATH_SIZE];
    path_of(name, target);
    must(backup_write(&sample_spec, scratch.path, target, NULL, NULL, out, &err));
}

size_t count_files(const char *part, bool remove)
{
    size_t count = 0;
    DIR *folder = opendir(scratch.path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (strstr(entry->d_name, part) == NULL)
            continue;
        count++;
        if (remove)
            assert_int_equal(unlink(scratch_file(&scratch, entry->d_name)), 0);
    }
    (void)closedir(folder);
    return count;
}
