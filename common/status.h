/* How a fallible function ends, and where and why it failed.
 *
 * Three kinds of failure, three answers: our own bug is an assert; out of memory aborts in mem;
 * the world (clients, peers, disk, network) is a status_t that the caller must look at, with an
 * err_t for people to read. Outputs are left untouched on failure. Next: mem.h. */
#ifndef LK_COMMON_STATUS_H
#define LK_COMMON_STATUS_H

#include "common/compiler.h"

typedef enum {
    STATUS_OK = 0,
    STATUS_INVALID,   /* input is not well-formed, or a setting is wrong */
    STATUS_UNKNOWN,   /* what was asked for does not exist */
    STATUS_CONFLICT,  /* a uniqueness rule stands against it */
    STATUS_TOO_LARGE, /* over a stated bound */
    STATUS_TIMEOUT,   /* a deadline passed */
    STATUS_BUSY,      /* a bounded queue or a lock is full or taken: try later */
    STATUS_CLOSED,    /* the peer or the file is gone */
    STATUS_REFUSED,   /* not allowed: permissions, keys, versions */
    STATUS_FULL,      /* no room on the device */
    STATUS_CORRUPT,   /* stored data is damaged */
    STATUS_SYSTEM,    /* a system call or library failed */
} status_t;

/* A failure to show to a person: what failed and what to do. Never holds a secret. */
typedef struct {
    status_t status;
    char where[128]; /* a file, a setting, an SQL statement's name */
    char text[256];
} err_t;

/* The status as a lower-case word for logs, such as "too_large". Static. */
const char *status_name(status_t status);

/* Fills err (may be NULL) and returns status, so that a failing function can end with it:
 * return err_set(err, STATUS_INVALID, "LK_LISTEN", "is not host:port"). Text is cut to fit. */
status_t err_set(err_t *err, status_t status, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* err_set with STATUS_SYSTEM and the text of errno after the message. */
status_t err_errno(err_t *err, const char *where, const char *doing);

#endif
