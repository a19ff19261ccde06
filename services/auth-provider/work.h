/* What auth-provider does beside calls. */
#ifndef LK_SERVICES_AUTH_PROVIDER_WORK_H
#define LK_SERVICES_AUTH_PROVIDER_WORK_H

#include "services/auth-provider/sso/refreshing.h"

/* As worker_spec_t has it; ground->settings is a setup_t, ground->own what setup_open has made. */
status_t work_begin(const ground_t *ground, void **out_work, err_t *err) MUST_CHECK;
void work_end(void **work);
enum { WORK_DESCRIPTORS = REFRESHING_DESCRIPTORS };

#endif
