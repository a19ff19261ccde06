#include "tests/support/memory_desk.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sip_memory_t *memory_open_again(memory_desk_t *desk, bool alone)
{
    err_t err = {0};
    sip_memory_t *memory = NULL;
    if (sip_memory_open(desk->scratch.path, "svc", alone, &desk->settings, desk->board, &memory,
                        &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", err.where, err.text);
        abort();
    }
    return memory;
}

int memory_set_up(void **state)
{
    memory_desk_t *desk = calloc(1, sizeof(*desk));
    *state = desk;
    if (sodium_init() < 0)
        return -1;
    desk->scratch = scratch_make();
    desk->settings = (sip_settings_t){.lockout_failures = 3,
                                      .lockout_source_failures = 5,
                                      .lockout_window_s = 60,
                                      .lockout_s = 10,
                                      .lockout_max_s = 80,
                                      .lockout_exempt = "192.0.2.0/24",
                                      .nonce_s = 60,
                                      .memory_mib = SIP_MEMORY_MIB_LEAST};
    if (board_open(desk->scratch.path, "svc", false, &desk->board, NULL) != STATUS_OK)
        return -1;
    desk->memory = memory_open_again(desk, false);
    return 0;
}

int memory_tear_down(void **state)
{
    memory_desk_t *desk = *state;
    sip_memory_close(&desk->memory);
    board_close(&desk->board);
    scratch_remove(&desk->scratch);
    free(desk);
    return 0;
}

ipnet_t memory_net(const char *text)
{
    ipnet_t net;
    if (ipnet_parse(text, strlen(text), &net) != STATUS_OK)
        abort();
    return net;
}
