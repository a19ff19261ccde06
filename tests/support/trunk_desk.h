/* The desk of trunk-auth, and what its tests ask for most. */
#ifndef LK_TESTS_SUPPORT_TRUNK_DESK_H
#define LK_TESTS_SUPPORT_TRUNK_DESK_H

#include "tests/support/desk.h"

/* As desk_open. */
void trunk_desk_open(desk_t *desk, bool sealed);

/* Copies the body's uuid. */
void desk_uuid(const desk_t *desk, char out[UUID_SIZE]);

/* Makes a trunk and copies its uuid; aborts if that fails. */
void desk_trunk(desk_t *desk, char out[UUID_SIZE]);

#endif
