#include "proto/mask.h"

#include <string.h>

void mask_refuse(const presence_t *fields, unsigned row, const char *secret, const char *where,
                 faults_t *faults)
{
    if (field_set(fields, row) && secret[strspn(secret, "*")] == '\0')
        faults_add(faults, FAULT_FORMAT, FAULT_IN_BODY, where,
                   "is the mask that answers show; send the %s itself, or leave it out",
                   strrchr(where, '/') + 1);
}
