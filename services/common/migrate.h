/* Brings a database to the shape that this program knows. */
#ifndef LK_SERVICES_COMMON_MIGRATE_H
#define LK_SERVICES_COMMON_MIGRATE_H

#include "services/common/store.h"

/* Makes the database if it is not there, checks it (PRAGMA quick_check) and applies the missing
 * migrations, each in one transaction, all under the gate: however many replicas start together, each
 * migration runs once. STATUS_REFUSED if the database is newer than this program (the text says
 * both versions); STATUS_CORRUPT if the check finds damage; STATUS_TIMEOUT if the gate is not to be
 * had within 30 s. */
status_t migrate(const store_spec_t *spec, const char *directory, err_t *err) MUST_CHECK;

#endif
