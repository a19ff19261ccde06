/* A store's file replaced by another one, by names alone. For who has the store for himself (use.h,
 * and the gate). */
#ifndef LK_SERVICES_COMMON_REPLACE_H
#define LK_SERVICES_COMMON_REPLACE_H

#include "services/common/store.h"

/* Takes the store's WAL up into it, so that replace_file has no more to do than to give names. A
 * store that is not there, or too damaged for that, is left as it is: STATUS_OK.
 * STATUS_BUSY: a process works with it; STATUS_FULL; STATUS_SYSTEM; the store is whole then, with
 * its WAL beside it. */
status_t replace_fold(const char *store, err_t *err) MUST_CHECK;

/* Puts the file at `copy`, in the same directory, in the store's place, in one step. What was there
 * is then out_aside, "STORE.before-TIME", with its WAL beside it if that can't be folded; "":
 * nothing was there. STATUS_CONFLICT: there is a file of that name; replace_fold's errors. On
 * failure the store is as it was; killed in between, it is still there, but the WAL of a damaged
 * one may be aside already. */
status_t replace_file(const char *store, const char *copy, char out_aside[STORE_PATH_SIZE],
                      err_t *err) MUST_CHECK;

#endif
