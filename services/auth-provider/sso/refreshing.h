/* Fetches the metadata of providers again when it is due, without anybody asking (refresh.h says
 * what is made of it). ADR 0033.
 *
 * All replicas take part. One claims a provider in the store, by putting it off for as long as a
 * refresh may take; threads of this file fetch; the writer stores what came of it. If a replica
 * dies in between, the claim lapses and another one fetches.
 *
 * Fetched are active providers whose settings are from settings_url, over https; with
 * LK_METADATA_ALLOW_PRIVATE=on, where the network is one's own, over http too: over it anybody on
 * the way could have his certificate trusted. */
#ifndef LK_AUTH_PROVIDER_SSO_REFRESHING_H
#define LK_AUTH_PROVIDER_SSO_REFRESHING_H

#include "services/auth-provider/setup.h"
#include "services/common/worker.h"

enum {
    REFRESHING_THREADS = 4,
    REFRESHING_TASKS = 2 * REFRESHING_THREADS, /* claimed at a time */
    REFRESHING_CLAIM_MS = 2 * 60 * 1000,
    REFRESHING_DESCRIPTORS = 4 * REFRESHING_THREADS,
};

typedef struct refreshing refreshing_t;

/* Adds a chore, and starts the threads unless LK_METADATA_REFRESH_SECONDS is 0. setup and fetcher
 * are borrowed until the end. */
status_t refreshing_begin(const setup_t *setup, const fetcher_t *fetcher, chores_t *chores,
                          refreshing_t **out, err_t *err) MUST_CHECK;
/* When the writer has ended: waits for fetches under way. NULL-safe; clears *refreshing. */
void refreshing_end(refreshing_t **refreshing);

#endif
