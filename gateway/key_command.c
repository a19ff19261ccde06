/* `gateway key`: reads the arguments, calls keys, prints. Must never: show a key twice. */
#include "gateway/key_command.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/mem.h"
#include "common/text.h"
#include "gateway/keys.h"

#include <getopt.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "gateway key: makes, lists and revokes API keys\n"
    "\n"
    "  gateway key create --organization NAME --scope admin|read|sip [--operator]\n"
    "                     [--expires 90d] [--name LABEL] [--rate-limit N] [--json]\n"
    "  gateway key list [--json]\n"
    "  gateway key revoke ID\n"
    "\n"
    "  --organization NAME  whose key it is; made if there is none of that name\n"
    "  --scope SCOPE        admin: everything; read: GET of resources; sip: call authorization\n"
    "  --operator           sees the resources of all organizations\n"
    "  --expires TIME       a number and s, m, h or d, such as 90d; never, if not given\n"
    "  --name LABEL         what you will know it by\n"
    "  --rate-limit N       requests a second, instead of LK_RATE_LIMIT\n"
    "  --json               for programs\n"
    "\n"
    "create writes the key to standard output, this once: only a hash of it is kept.\n"
    "A running gateway honours a revocation within a second.\n"
    "\n"
    "Settings: LK_DATA_DIR, LK_API_KEY_HASH_FILE (see gateway --help).\n"
    "Exit codes: 0 done, 1 failed (or no such key), 64 wrong arguments, 65 the store is damaged, "
    "78 wrong "
    "setting.\n";

typedef struct {
    api_key_t wanted;
    bool has_scope, json;
} arguments_t;

enum { OPT_ORGANIZATION = 256, OPT_SCOPE, OPT_OPERATOR, OPT_EXPIRES, OPT_NAME, OPT_RATE, OPT_JSON };

static int wrong(const char *what, const char *text)
{
    (void)fprintf(stderr, "gateway key: %s%s%s\ntry: gateway key --help\n", what,
                  text[0] == '\0' ? "" : ": ", text);
    return EXIT_BAD_USAGE;
}

static int failed(const err_t *err)
{
    (void)fprintf(stderr, "gateway key: %s: %s\n", err->where, err->text);
    return EXIT_FAILED;
}

static bool parse_expiry(const char *text, int64_t *out)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    size_t length = strlen(text);
    uint64_t number = 0;
    if (length < 2 || text_number(text, length - 1, 1000000000, &number) != STATUS_OK ||
        number == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (text[length - 1] == units[i].unit) {
            *out = clock_utc_ms() + (int64_t)number * units[i].ms;
            return true;
        }
    }
    return false;
}

static int read_option(int option, const char *value, arguments_t *out)
{
    uint64_t number = 0;
    switch (option) {
    case OPT_ORGANIZATION:
        return text_copy(out->wanted.organization, sizeof out->wanted.organization, value,
                         strlen(value)) == STATUS_OK
                   ? EXIT_OK
                   : wrong("--organization is too long", "");
    case OPT_NAME:
        return text_copy(out->wanted.label, sizeof out->wanted.label, value, strlen(value)) ==
                       STATUS_OK
                   ? EXIT_OK
                   : wrong("--name is too long", "");
    case OPT_SCOPE:
        out->has_scope = true;
        return scope_parse(value, &out->wanted.scope) == STATUS_OK
                   ? EXIT_OK
                   : wrong("--scope is none of admin, read, sip", value);
    case OPT_EXPIRES:
        return parse_expiry(value, &out->wanted.expires_at)
                   ? EXIT_OK
                   : wrong("--expires is not a number and s, m, h or d", value);
    case OPT_RATE:
        if (text_number(value, strlen(value), 1000000, &number) != STATUS_OK || number == 0)
            return wrong("--rate-limit is not a number from 1 to 1000000", value);
        out->wanted.rate_limit = (int64_t)number;
        return EXIT_OK;
    case OPT_OPERATOR:
        out->wanted.is_operator = true;
        return EXIT_OK;
    case OPT_JSON:
        out->json = true;
        return EXIT_OK;
    default: /* not an enum: getopt's '?' */
        return wrong("unknown or incomplete option", "");
    }
}

/* argv[0] is the command. *out_rest: index of the first argument that is no option. */
static int read_options(int argc, char *const argv[], arguments_t *out, int *out_rest)
{
    static const struct option options[] = {
        {"organization", required_argument, NULL, OPT_ORGANIZATION},
        {"scope", required_argument, NULL, OPT_SCOPE},
        {"operator", no_argument, NULL, OPT_OPERATOR},
        {"expires", required_argument, NULL, OPT_EXPIRES},
        {"name", required_argument, NULL, OPT_NAME},
        {"rate-limit", required_argument, NULL, OPT_RATE},
        {"json", no_argument, NULL, OPT_JSON},
        {NULL, 0, NULL, 0},
    };
    int option = 0;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        int code = read_option(option, optarg, out);
        if (code != EXIT_OK)
            return code;
    }
    *out_rest = optind;
    return EXIT_OK;
}

static void format_time(int64_t when, const char *none, char out[CLOCK_RFC3339_SIZE])
{
    if (when == 0)
        text_cut(out, CLOCK_RFC3339_SIZE, none);
    else
        clock_format_time(when, out);
}

static const char *state(const api_key_t *key)
{
    if (key->revoked_at != 0)
        return "revoked";
    return key->expires_at != 0 && key->expires_at <= clock_utc_ms() ? "expired" : "live";
}

static json_t *json_time(int64_t when)
{
    char text[CLOCK_RFC3339_SIZE];
    if (when == 0)
        return json_null();
    clock_format_time(when, text);
    return json_string(text);
}

static json_t *json_key(const api_key_t *key)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:I, s:o, s:o, s:o}", "id", key->id, "organization_id",
        key->organization_id, "organization", key->organization, "name", key->label, "scope",
        scope_name(key->scope), "operator", (int)key->is_operator, "state", state(key),
        "rate_limit", (json_int_t)key->rate_limit, "created_at", json_time(key->created_at),
        "expires_at", json_time(key->expires_at), "revoked_at", json_time(key->revoked_at));
}

static int print_json(json_t *value)
{
    int code = value != NULL && json_dumpf(value, stdout, JSON_INDENT(2)) == 0 &&
                       putchar('\n') != EOF && fflush(stdout) == 0
                   ? EXIT_OK
                   : EXIT_FAILED;
    json_decref(value);
    return code;
}

static int show_created(const api_key_t *key, const char *secret, bool json)
{
    char expires[CLOCK_RFC3339_SIZE];
    if (json) {
        json_t *value = json_key(key);
        if (value != NULL && json_object_set_new(value, "key", json_string(secret)) != 0)
            return EXIT_FAILED;
        return print_json(value);
    }
    format_time(key->expires_at, "never", expires);
    (void)fprintf(stderr, "key %s of %s, scope %s%s, expires %s; it is shown this once:\n", key->id,
                  key->organization, scope_name(key->scope), key->is_operator ? ", operator" : "",
                  expires);
    return printf("%s\n", secret) > 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

static int create(keys_t *keys, const arguments_t *arguments)
{
    err_t err = {0};
    api_key_t key;
    char secret[KEY_SIZE];
    status_t status = keys_create(keys, &arguments->wanted, secret, &key, &err);
    if (status == STATUS_INVALID)
        return wrong(err.where, err.text);
    if (status != STATUS_OK)
        return failed(&err);
    int code = show_created(&key, secret, arguments->json);
    sodium_memzero(secret, sizeof secret);
    return code;
}

static void print_table(const api_key_t *list, size_t count)
{
    char created[CLOCK_RFC3339_SIZE], expires[CLOCK_RFC3339_SIZE], rate[24];
    (void)printf("%-36s  %-7s  %-5s  %-8s  %-24s  %-24s  %-6s  %-20s  %s\n", "ID", "STATE", "SCOPE",
                 "OPERATOR", "CREATED", "EXPIRES", "RATE", "ORGANIZATION", "NAME");
    for (size_t i = 0; i < count; i++) {
        const api_key_t *key = &list[i];
        format_time(key->created_at, "-", created);
        format_time(key->expires_at, "never", expires);
        if (key->rate_limit == 0 ||
            text_format(rate, sizeof rate, "%lld", (long long)key->rate_limit) != STATUS_OK)
            text_cut(rate, sizeof rate, "-");
        (void)printf("%-36s  %-7s  %-5s  %-8s  %-24s  %-24s  %-6s  %-20s  %s\n", key->id,
                     state(key), scope_name(key->scope), key->is_operator ? "yes" : "no", created,
                     expires, rate, key->organization, key->label);
    }
}

static int list(keys_t *keys, bool json)
{
    err_t err = {0};
    api_key_t *found = NULL;
    size_t count = 0;
    int code = EXIT_OK;
    if (keys_list(keys, &found, &count, &err) != STATUS_OK)
        return failed(&err);
    if (json) {
        json_t *array = json_array();
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(array, json_key(&found[i]));
        code = print_json(array);
    } else {
        print_table(found, count);
        code = fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
    }
    mem_free(found);
    return code;
}

static int revoke(keys_t *keys, const char *id)
{
    err_t err = {0};
    if (keys_revoke(keys, id, &err) != STATUS_OK)
        return failed(&err);
    (void)fprintf(stderr, "key %s is revoked\n", id);
    return EXIT_OK;
}

typedef enum { CREATE, LIST, REVOKE } action_t;

static int check(action_t action, const arguments_t *arguments, int rest)
{
    if (rest != (action == REVOKE ? 1 : 0))
        return action == REVOKE ? wrong("revoke needs one ID", "")
                                : wrong("too many arguments", "");
    if (action != CREATE)
        return EXIT_OK;
    if (arguments->wanted.organization[0] == '\0')
        return wrong("--organization is needed", "");
    return arguments->has_scope ? EXIT_OK : wrong("--scope is needed", "");
}

static int run(action_t action, keys_t *keys, const arguments_t *arguments, const char *id)
{
    switch (action) {
    case CREATE:
        return create(keys, arguments);
    case LIST:
        return list(keys, arguments->json);
    case REVOKE:
        return revoke(keys, id);
    }
    return EXIT_BAD_USAGE;
}

static bool wants_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int key_command(int argc, char *const argv[], const char *directory, const char *hash_file)
{
    static const char *const names[] = {[CREATE] = "create", [LIST] = "list", [REVOKE] = "revoke"};
    AUTO(keys_close) keys_t *keys = NULL;
    arguments_t arguments = {0};
    err_t err = {0};
    int rest = 0;
    size_t action = 0;
    if (wants_help(argc, argv))
        return fputs(usage, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
    while (argc > 0 && action < ARRAY_LEN(names) && strcmp(argv[0], names[action]) != 0)
        action++;
    if (argc == 0 || action == ARRAY_LEN(names))
        return wrong("create, list or revoke is needed", "");
    int code = read_options(argc, argv, &arguments, &rest);
    if (code == EXIT_OK)
        code = check((action_t)action, &arguments, argc - rest);
    if (code != EXIT_OK)
        return code;
    status_t status = keys_open(directory, hash_file, &keys, &err);
    if (status != STATUS_OK) {
        (void)failed(&err);
        if (status == STATUS_CORRUPT)
            return EXIT_DAMAGED;
        return status == STATUS_BUSY || status == STATUS_TIMEOUT ? EXIT_FAILED : EXIT_BAD_CONFIG;
    }
    return run((action_t)action, keys, &arguments, argv[argc - 1]);
}
