/* The desk of the service fqdn-auth: desk.h. */
#ifndef LK_TESTS_SUPPORT_FQDN_DESK_H
#define LK_TESTS_SUPPORT_FQDN_DESK_H

#include "proto/fqdn_auth.h"
#include "tests/support/desk.h"

void fqdn_desk_open(desk_t *desk, bool sealed);

/* Copies the latest body's id. */
void fqdn_desk_id(const desk_t *desk, char out[UUID_SIZE]);

/* Makes a connection and copies its id; aborts if that fails. v1: without authentication; v2: with
 * one that nothing is set in. */
void fqdn_desk_connection_v1(desk_t *desk, char out[UUID_SIZE]);
void fqdn_desk_connection_v2(desk_t *desk, char out[UUID_SIZE]);

/* A member of an object in the latest body, such as "outbound", "tech_prefix"; NULL: null. */
const char *fqdn_desk_inner(const desk_t *desk, const char *object, const char *member);

#endif
