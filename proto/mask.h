/* The mask that stands for a secret in answers: FIELD_MASK. */
#ifndef LK_PROTO_MASK_H
#define LK_PROTO_MASK_H

#include "proto/field.h"

/* A client that sends back what it was shown must not set a secret to asterisks: adds a fault at
 * `where` if the field is set to asterisks alone. For rules of schemas. */
void mask_refuse(const presence_t *fields, unsigned row, const char *secret, const char *where,
                 faults_t *faults);

#endif
