/* What is not built yet. Must be gone at the end. */
#include "services/auth-provider/sso/ops.h"

#define STUB(name_)                                                                                \
    void name_(call_t *call, store_t *store)                                                       \
    {                                                                                              \
        (void)store;                                                                               \
        call_refuse(call, OUTCOME_UNAVAILABLE, NULL);                                              \
    }


STUB(provider_validate)
