/* Next: sso/expiry.c, sso/refreshing.h. */
#include "services/auth-provider/work.h"

#include "services/auth-provider/sso/expiry.h"

status_t work_begin(const ground_t *ground, void **out_work, err_t *err)
{
    refreshing_t *refreshing = NULL;
    chore_t expiry = expiry_chore();
    chores_add(ground->chores, &expiry);
    status_t status = refreshing_begin(ground->settings, setup_fetcher_of(ground->own),
                                       ground->chores, &refreshing, err);
    if (status == STATUS_OK)
        *out_work = refreshing;
    return status;
}

void work_end(void **work)
{
    refreshing_t *refreshing = *work;
    refreshing_end(&refreshing);
    *work = NULL;
}
