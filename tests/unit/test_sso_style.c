/* The pages' style is the one that their policy admits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/sso_style.h"

#include <sodium.h>
#include <string.h>

static void the_hash_is_the_styles(void **state)
{
    (void)state;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char base64[64], source[96];
    assert_int_equal(
        crypto_hash_sha256(hash, (const unsigned char *)SSO_STYLE, sizeof(SSO_STYLE) - 1), 0);
    (void)sodium_bin2base64(base64, sizeof(base64), hash, sizeof(hash),
                            sodium_base64_VARIANT_ORIGINAL);
    assert_int_equal(text_format(source, sizeof(source), "'sha256-%s'", base64), STATUS_OK);
    assert_string_equal(source, SSO_STYLE_HASH);
    assert_non_null(strstr(SSO_POLICY, SSO_STYLE_HASH));
    assert_null(strchr(SSO_STYLE, '<'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_hash_is_the_styles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
