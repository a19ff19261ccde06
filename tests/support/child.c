#include "tests/support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 32 };

static void must(int result, const char *what)
{
    if (result >= 0)
        return;
    perror(what);
    abort();
}

static _Noreturn void become(const char *program, char *arguments[], char *environment[], int log)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(log, STDERR_FILENO);
    (void)execve(program, arguments, environment);
    _exit(127);
}

child_t child_start(const char *program, const char *const settings[], const char *argument,
                    const char *log)
{
    static const char *const kept[] = {"PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};
    char *environment[ENVIRONMENT_MAX] = {NULL};
    char inherited[4][4096];
    size_t count = 0;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        const char *value = getenv(kept[i]);
        if (value != NULL) {
            (void)snprintf(inherited[i], sizeof(inherited[i]), "%s=%s", kept[i], value);
            environment[count++] = inherited[i];
        }
    }
    char *owned[ENVIRONMENT_MAX] = {NULL};
    for (size_t i = 0; settings[i] != NULL && count < ENVIRONMENT_MAX - 1; i++)
        environment[count++] = owned[i] = strdup(settings[i]);
    char *name = strdup(program);
    char *option = argument == NULL ? NULL : strdup(argument);
    char *arguments[] = {name, option, NULL};
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(file, log);
    pid_t pid = fork();
    must(pid, "fork");
    if (pid == 0)
        become(program, arguments, environment, file);
    (void)close(file);
    free(name);
    free(option);
    for (size_t i = 0; i < ENVIRONMENT_MAX; i++)
        free(owned[i]);
    return (child_t){.pid = pid};
}

void child_signal(const child_t *child, int number)
{
    must(kill(child->pid, number), "kill");
}

int child_wait(child_t *child, int ms)
{
    int file = (int)syscall(SYS_pidfd_open, child->pid, 0);
    must(file, "pidfd_open");
    struct pollfd item = {.fd = file, .events = POLLIN};
    int ready = poll(&item, 1, ms);
    (void)close(file);
    if (ready <= 0)
        return -1;
    int status = 0;
    must(waitpid(child->pid, &status, 0), "waitpid");
    child->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

void child_kill(child_t *child)
{
    if (child->pid == 0)
        return;
    (void)kill(child->pid, SIGKILL);
    (void)waitpid(child->pid, NULL, 0);
    child->pid = 0;
}
