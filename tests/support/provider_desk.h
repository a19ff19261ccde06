/* The desk of auth-provider, and what its tests ask for most. */
#ifndef LK_TESTS_SUPPORT_PROVIDER_DESK_H
#define LK_TESTS_SUPPORT_PROVIDER_DESK_H

#include "tests/support/desk.h"

/* 20 bytes, and 32. */
#define PRINT_20 "13:38:C7:BB:C9:FF:4A:70:38:3A:E3:D9:5C:CD:DB:2E:50:1E:80:A7"
#define PRINT_32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
/* What settings must have, as the inside of a JSON object with single quotes. */
#define SETTINGS_NEEDED                                                                            \
    "'idp_entity_id': 'https://idp.example/', 'idp_sso_target_url': 'https://idp.example/sso', "   \
    "'idp_cert_fingerprint': '" PRINT_20 "'"

/* As desk_open; the public URL is "https://lk.example/", metadata may be on private hosts. */
void provider_desk_open(desk_t *desk);
void provider_desk_close(desk_t *desk);

/* Makes a provider of that short name, named the same, and copies its id; aborts if that fails. */
void desk_provider(desk_t *desk, const char *short_name, char out_id[UUID_SIZE]);

/* A member of the latest body's settings, as desk_text. */
const char *desk_setting(const desk_t *desk, const char *member);

#endif
