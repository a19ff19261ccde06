/* Must never: replace a key, or put one back on the allow list that was taken off it.
 * Next: proto/curve.c. */
#include "gateway/curve_command.h"

#include "common/config.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/text.h"
#include "proto/curve.h"
#include "proto/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 64, LINE_SIZE = 128 };

/* ---- files in the directory ---- */

static bool is_there(int directory, const char *name)
{
    return faccessat(directory, name, F_OK, 0) == 0;
}

static status_t write_all(int file, const char *name, const char *text, err_t *err)
{
    status_t status = file_write(file, text, strlen(text), name, err);
    if (status == STATUS_OK && fsync(file) != 0)
        status = err_errno(err, name, "cannot be written");
    return status;
}

/* A file with one line, all of it or nothing. */
static status_t put_line(int directory, const char *name, const char *line, err_t *err)
{
    char fresh[NAME_SIZE + 4];
    char text[LINE_SIZE];
    status_t status = text_format(fresh, sizeof(fresh), "%s.new", name);
    if (status == STATUS_OK)
        status = text_format(text, sizeof(text), "%s\n", line);
    if (status != STATUS_OK)
        return err_set(err, status, name, "is too long");
    AUTO(file_close)
    int file = openat(directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    status = file < 0 ? err_errno(err, fresh, "cannot be made") : write_all(file, fresh, text, err);
    sodium_memzero(text, sizeof(text));
    if (status == STATUS_OK &&
        (renameat(directory, fresh, directory, name) != 0 || fsync(directory) != 0))
        status = err_errno(err, name, "cannot be put in its place");
    if (status == STATUS_OK)
        printf("%s\n", name);
    return status;
}

/* The list is edited by people: lines are added at its end, and nothing else is done to it. */
static status_t add_line(int directory, const char *name, const char *line, err_t *err)
{
    char text[LINE_SIZE];
    struct stat info;
    AUTO(file_close)
    int file = openat(directory, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || fstat(file, &info) != 0)
        return err_errno(err, name, "cannot be opened");
    char last = '\n';
    if (info.st_size > 0 && pread(file, &last, 1, info.st_size - 1) != 1)
        return err_errno(err, name, "cannot be read");
    status_t status = text_format(text, sizeof(text), "%s%s\n", last == '\n' ? "" : "\n", line);
    if (status != STATUS_OK)
        return err_set(err, status, name, "is too long");
    status = write_all(file, name, text, err);
    if (status == STATUS_OK)
        printf("%s\n", name);
    return status;
}

/* ---- keys ---- */

static status_t put_secret(int directory, const char *name, const curve_t *curve, err_t *err)
{
    char secret[CURVE_KEY_SIZE];
    curve_secret(curve, secret);
    status_t status = put_line(directory, name, secret, err);
    sodium_memzero(secret, sizeof(secret));
    return status;
}

static status_t make_gateway(int directory, const char *path, err_t *err)
{
    AUTO(curve_close) curve_t *curve = NULL;
    status_t status = STATUS_OK;
    if (!is_there(directory, CURVE_GATEWAY_KEY)) {
        curve = curve_new();
        status = put_secret(directory, CURVE_GATEWAY_KEY, curve, err);
    } else if (!is_there(directory, CURVE_GATEWAY_PUBLIC)) {
        status = curve_open_gateway(path, &curve, err);
    }
    if (status == STATUS_OK && curve != NULL)
        status = put_line(directory, CURVE_GATEWAY_PUBLIC, curve_public(curve), err);
    return status;
}

/* The list first: cut short here, the next run makes another pair, and a key is allowed that nobody
 * has. */
static status_t make_service(int directory, const char *service, err_t *err)
{
    char name[NAME_SIZE];
    char line[LINE_SIZE];
    status_t status = text_format(name, sizeof(name), "%s.key", service);
    if (status != STATUS_OK || is_there(directory, name))
        return status;
    AUTO(curve_close) curve_t *curve = curve_new();
    status = text_format(line, sizeof(line), "%s %s", service, curve_public(curve));
    if (status == STATUS_OK)
        status = add_line(directory, CURVE_WORKERS, line, err);
    if (status == STATUS_OK)
        status = put_secret(directory, name, curve, err);
    return status;
}

static status_t make_keys(const char *path, err_t *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_errno(err, path, "cannot be made");
    AUTO(file_close) int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || flock(directory, LOCK_EX) != 0)
        return err_errno(err, path, "cannot be opened");
    status_t status = make_gateway(directory, path, err);
    for (size_t i = 0; status == STATUS_OK && i < registry_count; i++)
        status = make_service(directory, registry[i]->name, err);
    return status;
}

int curve_command(const char *directory)
{
    err_t err = {0};
    if (make_keys(directory, &err) == STATUS_OK && fflush(stdout) == 0)
        return EXIT_OK;
    (void)fprintf(stderr, "gateway curve-keys: %s: %s\n", err.where, err.text);
    return EXIT_FAILED;
}
