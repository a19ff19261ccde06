/* Handlers of proto/sso.h's operations: who each is for stands in the contract's table. */
#ifndef LK_AUTH_PROVIDER_SSO_OPS_H
#define LK_AUTH_PROVIDER_SSO_OPS_H

#include "services/common/call.h"

/* login_op.c, consume_op.c */
void sso_metadata(call_t *call, store_t *reader);
bool sso_login_is_slow(const call_t *call);
void sso_login_prepare(call_t *call, store_t *reader);
void sso_login(call_t *call, store_t *writer);
bool sso_consume_is_slow(const call_t *call);
void sso_consume_prepare(call_t *call, store_t *reader);
void sso_consume(call_t *call, store_t *writer);

/* session_ops.c */
void sso_session_read(call_t *call, store_t *reader);
void sso_session_end(call_t *call, store_t *writer);

/* logout_ops.c, logout_message_op.c; more of them: logout.h */
void sso_logout(call_t *call, store_t *writer);
bool sso_logout_message_is_slow(const call_t *call);
void sso_logout_message_prepare(call_t *call, store_t *reader);
void sso_logout_message(call_t *call, store_t *writer);

/* pages.c */
void sso_logged_out(call_t *call, store_t *reader);

/* certificate_ops.c */
void certificate_list(call_t *call, store_t *reader);
void certificate_add(call_t *call, store_t *writer);
void certificate_retire(call_t *call, store_t *writer);

/* refresh_op.c */
bool provider_refresh_waits(const call_t *call);
void provider_refresh_prepare(call_t *call, store_t *reader);
void provider_refresh(call_t *call, store_t *writer);

/* sessions_op.c */
bool provider_sessions_is_slow(const call_t *call);
void provider_sessions(call_t *call, store_t *reader);
void provider_session_end(call_t *call, store_t *writer);

/* validate_op.c, events_op.c */
bool provider_validate_is_slow(const call_t *call);
void provider_validate(call_t *call, store_t *reader);
void provider_events(call_t *call, store_t *reader);

#endif
