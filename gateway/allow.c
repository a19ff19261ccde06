/* Must never: let a half-read list come into force. Next: zap.c. */
#include "gateway/allow.h"

#include "common/keyfile.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/text.h"
#include "proto/curve.h"
#include "proto/registry.h"

#include <pthread.h>
#include <string.h>

enum { FILE_SIZE = 65536, PATH_SIZE = 1024 };

typedef struct {
    char key[CURVE_KEY_SIZE];
    uint64_t services; /* a bit each, by index in the registry */
} row_t;

typedef struct {
    row_t rows[ALLOW_KEYS_MAX];
    size_t count;
} list_t;

struct allow {
    char path[PATH_SIZE];
    pthread_mutex_t lock;
    list_t *list;
    list_t *next; /* what a refresh has read, the first time; NULL: nothing new */
};

/* ---- reading ---- */

static const row_t *find(const list_t *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rows[i].key, key) == 0)
            return &list->rows[i];
    return NULL;
}

static bool add_service(row_t *row, const char *name, size_t length)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (strlen(registry[i]->name) == length && memcmp(registry[i]->name, name, length) == 0) {
            row->services |= UINT64_C(1) << i;
            return true;
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of [*at, end), of no length at the end. */
static const char *next_word(const char **at, const char *end, size_t *out_length)
{
    const char *word = *at;
    while (word < end && is_blank(*word))
        word++;
    const char *stop = word;
    while (stop < end && !is_blank(*stop))
        stop++;
    *out_length = (size_t)(stop - word);
    *at = stop;
    return word;
}

/* Returns what is wrong with the line, or NULL. */
static const char *add_row(list_t *list, const char *line, size_t line_length)
{
    const char *end = line + line_length;
    row_t row = {0};
    size_t length = 0;
    const char *word = next_word(&line, end, &length);
    for (;;) {
        size_t next_length = 0;
        const char *next = next_word(&line, end, &next_length);
        if (next_length == 0)
            break;
        if (!add_service(&row, word, length))
            return "names a service that there is not";
        word = next;
        length = next_length;
    }
    if (row.services == 0)
        return "is not SERVICE... KEY";
    if (curve_read_key(word, length, row.key) != STATUS_OK)
        return "does not end with a key: 40 characters of Z85 or 64 hexadecimal digits";
    if (find(list, row.key) != NULL)
        return "has a key that stands above already";
    if (list->count == ALLOW_KEYS_MAX)
        return "is one key too many";
    list->rows[list->count++] = row;
    return NULL;
}

static void free_list(list_t **list)
{
    mem_free(*list);
    *list = NULL;
}

static status_t read_list(const char *path, list_t **out, err_t *err)
{
    AUTO(mem_release) char *text = mem_array(FILE_SIZE, 1);
    AUTO(free_list) list_t *list = mem_zalloc(sizeof(*list));
    lines_t lines;
    const char *line = NULL;
    size_t length = 0;
    status_t status = keyfile_read(path, text, FILE_SIZE, &length, err);
    if (status != STATUS_OK)
        return status;
    lines_begin(&lines, text, length);
    while (lines_next(&lines, &line, &length)) {
        const char *wrong = add_row(list, line, length);
        if (wrong != NULL)
            return err_set(err, STATUS_INVALID, path, "line %zu %s", lines.number, wrong);
    }
    *out = TAKE(list);
    return STATUS_OK;
}

/* ---- keeping ---- */

static bool is_same(const list_t *a, const list_t *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->rows[i].key, b->rows[i].key) == 0 &&
               a->rows[i].services == b->rows[i].services;
    return same;
}

/* Returns whether the list comes into force: the second time in a row that it is read. Takes *list.
 * The mutex is held. */
static bool take_list(allow_t *allow, list_t **list)
{
    bool is_new = !is_same(allow->list, *list);
    bool again = is_new && allow->next != NULL && is_same(allow->next, *list);
    free_list(&allow->next);
    if (again) {
        free_list(&allow->list);
        allow->list = TAKE(*list);
    } else if (is_new) {
        allow->next = TAKE(*list);
    }
    return again;
}

/* The file is small: to read it is simpler than to tell from its times whether it is another. */
status_t allow_refresh(allow_t *allow, bool *out_changed, err_t *err)
{
    AUTO(free_list) list_t *list = NULL;
    status_t status = read_list(allow->path, &list, err);
    (void)pthread_mutex_lock(&allow->lock);
    if (status == STATUS_OK)
        *out_changed = take_list(allow, &list);
    else
        free_list(&allow->next);
    (void)pthread_mutex_unlock(&allow->lock);
    return status;
}

status_t allow_open(const char *path, allow_t **out, err_t *err)
{
    AUTO(allow_close) allow_t *allow = mem_zalloc(sizeof(*allow));
    (void)pthread_mutex_init(&allow->lock, NULL);
    status_t status = text_copy(allow->path, sizeof(allow->path), path, strlen(path));
    if (status != STATUS_OK)
        return err_set(err, STATUS_INVALID, path, "is too long");
    status = read_list(allow->path, &allow->list, err);
    if (status == STATUS_OK && allow->list->count == 0)
        status = err_set(err, STATUS_INVALID, path, "holds no key");
    if (status == STATUS_OK)
        *out = TAKE(allow);
    return status;
}

void allow_close(allow_t **allow)
{
    if (*allow == NULL)
        return;
    free_list(&(*allow)->list);
    free_list(&(*allow)->next);
    (void)pthread_mutex_destroy(&(*allow)->lock);
    mem_free(*allow);
    *allow = NULL;
}

/* ---- asking ---- */

/* The services of a key: no bit for one that is not on the list. */
static uint64_t services_of(allow_t *allow, const char *key)
{
    (void)pthread_mutex_lock(&allow->lock);
    const row_t *row = find(allow->list, key);
    uint64_t services = row == NULL ? 0 : row->services;
    (void)pthread_mutex_unlock(&allow->lock);
    return services;
}

bool allow_knows(allow_t *allow, const char *key)
{
    return services_of(allow, key) != 0;
}

bool allow_serves(allow_t *allow, const char *key, size_t service)
{
    return (services_of(allow, key) >> service & 1) != 0;
}
