/* What is wrong with a request: every faulty field at once, each with its place and a code.
 *
 * A fault is shown to the client by its dialect (dialect.h); it never repeats a value, since the
 * value may be a secret. */
#ifndef LK_PROTO_FAULTS_H
#define LK_PROTO_FAULTS_H

#include "common/compiler.h"

#include <stddef.h>

enum { FAULTS_MAX = 32 }; /* further faults are dropped: the first 32 are enough to work on */

typedef enum {
    FAULT_REQUIRED, /* is missing */
    FAULT_TYPE,     /* is of another JSON type */
    FAULT_RANGE,    /* too long, too short, too large, too small */
    FAULT_CHOICE,   /* is none of the allowed words */
    FAULT_FORMAT,   /* is not well-formed */
    FAULT_TAKEN,    /* must be unique and is not */
    FAULT_RULE,     /* goes against a rule over several fields, or over what is stored */
} fault_code_t;

typedef enum { FAULT_IN_BODY, FAULT_IN_QUERY, FAULT_IN_PATH } fault_place_t;

typedef struct {
    fault_code_t code;
    fault_place_t place;
    char where[96]; /* JSON pointer (RFC 6901) in a body, "/settings/name"; else the parameter's
                       name */
    char message[160];
} fault_t;

typedef struct {
    size_t count;
    fault_t items[FAULTS_MAX];
} faults_t;

/* Adds one; cuts what is too long. */
void faults_add(faults_t *faults, fault_code_t code, fault_place_t place, const char *where,
                const char *format, ...) PRINTF_LIKE(5, 6);

/* The code's word on the wire, such as "required". Static. */
const char *fault_code_name(fault_code_t code);
/* The place's word on the wire: "body", "query", "path". Static. */
const char *fault_place_name(fault_place_t place);

#endif
