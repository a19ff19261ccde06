#include "tests/component/worker_desk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void desk_start_with(fixture_t *f, const char *extra)
{
    char gateways[256];
    char directory[128];
    (void)snprintf(gateways, sizeof(gateways), "LK_GATEWAYS=%s", f->gateway.endpoint);
    (void)snprintf(directory, sizeof(directory), "LK_DATA_DIR=%s", f->scratch.path);
    const char *settings[] = {directory,
                              "LK_DIGEST=off",
                              "LK_CURVE=off",
                              "LK_SLOW_THREADS=1",
                              extra == NULL ? "LK_WINDOW=64" : extra,
                              gateways,
                              NULL};
    if (extra != NULL && strncmp(extra, "LK_GATEWAYS=", 12) == 0)
        settings[5] = NULL;
    f->worker = child_start(NOTES_WORKER, settings, NULL, scratch_file(&f->scratch, "log"));
}

void desk_start(fixture_t *f)
{
    unsigned before = f->gateway.readies;
    desk_start_with(f, NULL);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, before + 1));
}

int desk_set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    *state = f;
    f->scratch = scratch_make();
    (void)snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s/gateway", f->scratch.path);
    fake_open(&f->gateway, f->endpoint);
    return 0;
}

/* A sanitizer that found something shows in the exit code. */
int desk_tear_down(void **state)
{
    fixture_t *f = *state;
    int code = 0;
    if (f->worker.pid != 0) {
        scratch_write(&f->scratch, "release", "", 0600);
        child_signal(&f->worker, SIGTERM);
        code = child_wait(&f->worker, EXIT_WAIT_MS);
    }
    child_kill(&f->worker);
    fake_close(&f->gateway);
    if (code != 0)
        (void)fprintf(stderr, "the worker ended with %d: %s\n", code, f->scratch.path);
    else
        scratch_remove(&f->scratch);
    free(f);
    return code == 0 ? 0 : -1;
}

void desk_release_slow(fixture_t *f)
{
    scratch_write(&f->scratch, "release", "", 0600);
}

bool desk_log_has(fixture_t *f, const char *text)
{
    static char bytes[65536];
    int file = open(scratch_file(&f->scratch, "log"), O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, bytes, sizeof(bytes) - 1);
    assert_true(length >= 0);
    (void)close(file);
    bytes[length] = '\0';
    return strstr(bytes, text) != NULL;
}

ask_t desk_create(const char *body)
{
    return (ask_t){.operation = "note_create", .body = body};
}

ask_t desk_read_one(const char *path)
{
    return (ask_t){.operation = "note_read", .path = path};
}

outcome_t desk_make(fixture_t *f, const char *body)
{
    ask_t ask = desk_create(body);
    return fake_do(&f->gateway, &ask, &f->reply);
}

outcome_t desk_look(fixture_t *f, const char *path)
{
    ask_t ask = desk_read_one(path);
    return fake_do(&f->gateway, &ask, &f->reply);
}
