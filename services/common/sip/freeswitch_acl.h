/* FreeSWITCH's acl.conf of a family: what /acl?format=freeswitch and /freeswitch both answer. */
#ifndef LK_SERVICES_COMMON_SIP_FREESWITCH_ACL_H
#define LK_SERVICES_COMMON_SIP_FREESWITCH_ACL_H

#include "services/common/sip/document.h"

/* Adds <configuration name="acl.conf">, whose one list is named as the family and denies but for
 * the ranges that suffice alone. */
status_t freeswitch_acl_add(const call_t *call, store_t *reader, document_t *out, err_t *err)
    MUST_CHECK;

#endif
