/* What call authorization asks of trunks: services/common/sip/family.h over the tables of methods.
 *
 * A subject is a trunk, a user a method of type sipuser, a claim a method of type ip. A trunk with
 * the policy "all" wants both: its ranges are in no list, and its users need a source. */
#ifndef LK_SERVICES_TRUNK_AUTH_SIP_FAMILY_H
#define LK_SERVICES_TRUNK_AUTH_SIP_FAMILY_H

#include "services/common/sip/family.h"

extern const sip_family_t trunk_sip_family;

#endif
