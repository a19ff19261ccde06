/* Who uses a store. Every process that opens one holds it for as long as it does, with others; a
 * restore takes it alone, so that no database is replaced under somebody's feet.
 *
 * A lock of an open file description (fcntl(2)) on the second byte of the gate's file, which has
 * the first for itself. It ends with the process, however that ends. */
#ifndef LK_SERVICES_COMMON_USE_H
#define LK_SERVICES_COMMON_USE_H

#include "services/common/store.h"

typedef enum {
    USE_SHARED, /* to work with it */
    USE_ALONE,  /* to replace it */
} use_t;

/* Takes it without waiting; *out_file holds it until it is closed (file_close). The directory must
 * exist. STATUS_BUSY: others work with it, or it is being replaced; STATUS_SYSTEM. */
status_t use_take(const store_spec_t *spec, const char *directory, use_t use, int *out_file,
                  err_t *err) MUST_CHECK;

#endif
