/* Next: sso/expiry.c. */
#include "services/auth-provider/work.h"

#include "services/auth-provider/sso/expiry.h"

status_t work_begin(const ground_t *ground, void **out_work, err_t *err)
{
    (void)err;
    chore_t expiry = expiry_chore();
    chores_add(ground->chores, &expiry);
    *out_work = NULL;
    return STATUS_OK;
}

void work_end(void **work)
{
    *work = NULL;
}
