#include "tests/support/migrated.h"

#include "common/file.h"
#include "services/common/use.h"

status_t migrate_once(const store_spec_t *spec, const char *directory, int64_t *out_version,
                      err_t *err)
{
    AUTO(file_close) int use = -1;
    status_t status = use_take(spec, directory, USE_SHARED, &use, err);
    migrated_t found = {.version = 0};
    if (status == STATUS_OK)
        status = migrate(spec, directory, use, &found, err);
    if (status == STATUS_OK && out_version != NULL)
        *out_version = found.version;
    return status;
}
