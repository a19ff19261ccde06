/* Key pairs are czmq's zcert; its files are not used (docs/adr/0016).
 * Must never: leave a secret key behind in memory that is ours, or name one in an error.
 * Next: gateway/zap.c, services/common/peer.c. */
#include "proto/curve.h"

#include "common/keyfile.h"
#include "common/mem.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <czmq.h>
#include <sodium.h>
#include <string.h>

enum {
    KEY_BYTES = 32,
    FILE_SIZE = 128,
    PATH_SIZE = 1024,
    /* In libzmq since 4.3, in its header among the drafts: no handler, no admission. */
    ENFORCE_DOMAIN = 93,
};

struct curve {
    zcert_t *pair;
    char gateway[CURVE_KEY_SIZE]; /* of a worker; else empty */
};

/* ---- keys as text ---- */

static bool is_z85(const char *text, size_t length)
{
    static const char characters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0' || strchr(characters, text[i]) == NULL)
            return false;
    return true;
}

void curve_write_key(const void *key, char out[CURVE_KEY_SIZE])
{
    (void)zmq_z85_encode(out, key, KEY_BYTES);
}

status_t curve_read_key(const char *text, size_t length, char out[CURVE_KEY_SIZE])
{
    uint8_t bytes[KEY_BYTES];
    char z85[CURVE_KEY_SIZE];
    status_t status = STATUS_INVALID;
    if (length == CURVE_KEY_LENGTH && is_z85(text, length)) {
        memcpy(z85, text, length);
        z85[length] = '\0';
        /* Five characters can stand for more than four bytes. */
        if (zmq_z85_decode(bytes, z85) != NULL)
            status = STATUS_OK;
    } else {
        status = text_unhex(bytes, sizeof(bytes), text, length);
    }
    if (status == STATUS_OK)
        curve_write_key(bytes, out);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(z85, sizeof(z85));
    return status;
}

static status_t read_file(const char *directory, const char *name, char out[CURVE_KEY_SIZE],
                          err_t *err)
{
    char path[PATH_SIZE];
    char text[FILE_SIZE];
    size_t length = 0;
    if (text_format(path, sizeof(path), "%s/%s", directory, name) != STATUS_OK)
        return err_set(err, STATUS_INVALID, "LK_CURVE_DIR", "is too long");
    status_t status = keyfile_read(path, text, sizeof(text), &length, err);
    if (status == STATUS_UNKNOWN)
        return err_set(err, STATUS_UNKNOWN, path,
                       "is not there: `gateway curve-keys` makes the keys in LK_CURVE_DIR, and "
                       "LK_CURVE=off does without, on this machine alone");
    if (status != STATUS_OK)
        return status;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    if (curve_read_key(text, length, out) != STATUS_OK)
        status = err_set(err, STATUS_INVALID, path,
                         "is not one line with a key: 40 characters of Z85 or 64 hexadecimal "
                         "digits");
    sodium_memzero(text, sizeof(text));
    return status;
}

/* ---- pairs ---- */

static curve_t *own(zcert_t *pair)
{
    curve_t *curve = mem_zalloc(sizeof(*curve));
    curve->pair = pair;
    return curve;
}

curve_t *curve_new(void)
{
    zcert_t *pair = zcert_new();
    assert(pair != NULL); /* a libzmq without CURVE is none of ours */
    return own(pair);
}

static status_t open_pair(const char *directory, const char *name, curve_t **out, err_t *err)
{
    char public_key[CURVE_KEY_SIZE];
    char secret[CURVE_KEY_SIZE];
    uint8_t public_bytes[KEY_BYTES];
    uint8_t secret_bytes[KEY_BYTES];
    status_t status = read_file(directory, name, secret, err);
    if (status != STATUS_OK)
        return status;
    if (zmq_curve_public(public_key, secret) == 0 &&
        zmq_z85_decode(public_bytes, public_key) != NULL &&
        zmq_z85_decode(secret_bytes, secret) != NULL)
        *out = own(zcert_new_from(public_bytes, secret_bytes));
    else
        status = err_set(err, STATUS_SYSTEM, name, "libzmq can't make its public key");
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(secret_bytes, sizeof(secret_bytes));
    return status;
}

status_t curve_open_gateway(const char *directory, curve_t **out, err_t *err)
{
    return open_pair(directory, CURVE_GATEWAY_KEY, out, err);
}

status_t curve_open_worker(const char *directory, const char *service, curve_t **out, err_t *err)
{
    AUTO(curve_close) curve_t *curve = NULL;
    char name[64];
    status_t status = text_format(name, sizeof(name), "%s.key", service);
    assert(status == STATUS_OK); /* services are named by us */
    status = open_pair(directory, name, &curve, err);
    if (status == STATUS_OK)
        status = read_file(directory, CURVE_GATEWAY_PUBLIC, curve->gateway, err);
    if (status == STATUS_OK)
        *out = TAKE(curve);
    return status;
}

/* zcert gives its keys out as constant and does not wipe them. */
static void wipe(const void *bytes, size_t length)
{
    union {
        const void *given;
        void *ours;
    } key = {.given = bytes};
    sodium_memzero(key.ours, length);
}

void curve_close(curve_t **curve)
{
    if (*curve == NULL)
        return;
    wipe(zcert_secret_key((*curve)->pair), KEY_BYTES);
    wipe(zcert_secret_txt((*curve)->pair), CURVE_KEY_LENGTH);
    zcert_destroy(&(*curve)->pair);
    mem_free(*curve);
    *curve = NULL;
}

const char *curve_public(const curve_t *curve)
{
    return zcert_public_txt(curve->pair);
}

void curve_secret(const curve_t *curve, char out[CURVE_KEY_SIZE])
{
    memcpy(out, zcert_secret_txt(curve->pair), CURVE_KEY_SIZE);
}

/* ---- sockets ---- */

static status_t option_failed(const char *option, err_t *err)
{
    return err_set(err, STATUS_SYSTEM, option, "can't be set: %s", zmq_strerror(zmq_errno()));
}

/* zcert_apply sets both halves of the pair and reports nothing: looked at here. */
static status_t apply_pair(const curve_t *curve, void *socket, err_t *err)
{
    char set[CURVE_KEY_SIZE] = "";
    size_t size = sizeof(set);
    zcert_apply(curve->pair, socket);
    if (zmq_getsockopt(socket, ZMQ_CURVE_PUBLICKEY, set, &size) != 0 ||
        strcmp(set, curve_public(curve)) != 0)
        return option_failed("ZMQ_CURVE_PUBLICKEY", err);
    return STATUS_OK;
}

status_t curve_serve(const curve_t *curve, void *socket, err_t *err)
{
    int on = 1;
    status_t status = apply_pair(curve, socket, err);
    if (status != STATUS_OK)
        return status;
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof(on)) != 0)
        return option_failed("ZMQ_CURVE_SERVER", err);
    if (zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, CURVE_DOMAIN, sizeof(CURVE_DOMAIN) - 1) != 0)
        return option_failed("ZMQ_ZAP_DOMAIN", err);
    if (zmq_setsockopt(socket, ENFORCE_DOMAIN, &on, sizeof(on)) != 0)
        return option_failed("ZMQ_ZAP_ENFORCE_DOMAIN", err);
    return STATUS_OK;
}

status_t curve_dial(const curve_t *curve, const char *gateway, void *socket, err_t *err)
{
    const char *server = gateway == NULL ? curve->gateway : gateway;
    status_t status = apply_pair(curve, socket, err);
    if (status != STATUS_OK)
        return status;
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, CURVE_KEY_SIZE) != 0)
        return option_failed("ZMQ_CURVE_SERVERKEY", err);
    return STATUS_OK;
}

bool curve_is_local(const char *endpoint)
{
    static const char tcp[] = "tcp://";
    char host[64];
    struct in_addr four;
    struct in6_addr six;
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return true;
    const char *colon = strrchr(endpoint, ':');
    if (strncmp(endpoint, tcp, sizeof(tcp) - 1) != 0 || colon < endpoint + sizeof(tcp) - 1)
        return false;
    const char *begin = endpoint + sizeof(tcp) - 1;
    const char *end = colon;
    if (*begin == '[' && end > begin + 1 && end[-1] == ']') {
        begin++;
        end--;
    }
    if (text_copy(host, sizeof(host), begin, (size_t)(end - begin)) != STATUS_OK)
        return false;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}
