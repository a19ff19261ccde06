/* Scheme basic: the password itself. Must never: hash on the link thread, or hash less for nobody
 * than for somebody. Next: services/common/password.h. */
#include "services/common/sip/verify.h"

#include <string.h>

/* The current password, then the one before, whether there is one or not: who has two is not to be
 * told from who has one or is not there. A right one ends it at once. */
static const char *find_right(const inquiry_t *inquiry, bool known)
{
    const sip_call_t *asked = &inquiry->asked;
    const char *const hashes[] = {inquiry->user.password_hash, inquiry->user.previous_hash};
    static const char *const details[] = {"right", "right: the one before, in its grace"};
    char nobodys[PASSWORD_HASH_SIZE];
    password_stand_in(&inquiry->call->keeper->password_cost, nobodys);
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        bool there = known && hashes[i][0] != '\0';
        bool right =
            password_matches(there ? hashes[i] : nobodys, asked->password, strlen(asked->password));
        if (there && right)
            return details[i];
    }
    return NULL;
}

status_t verify_basic_password(inquiry_t *inquiry, err_t *err)
{
    bool known = false;
    if (call_defer(inquiry->call))
        return STATUS_OK;
    status_t status = verify_find_user(inquiry, &known, err);
    if (status != STATUS_OK)
        return status;
    const char *right = find_right(inquiry, known);
    if (!known)
        return verify_disproves(inquiry, "user", REASON_UNKNOWN_USER, "nobody has this name");
    if (right == NULL)
        return verify_disproves(inquiry, "password", REASON_WRONG_PASSWORD, "is another one");
    verify_proves(inquiry, right);
    return STATUS_OK;
}
