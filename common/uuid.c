#include "common/uuid.h"

#include "common/clock.h"
#include "common/text.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

/* The millisecond and the 12-bit counter within it, as one number that only grows. */
static uint64_t next_stamp(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint64_t last;
    uint64_t stamp = (uint64_t)clock_utc_ms() << 12;
    pthread_mutex_lock(&lock);
    if (stamp <= last)
        stamp = last + 1;
    last = stamp;
    pthread_mutex_unlock(&lock);
    return stamp;
}

void uuid_new(char out[UUID_SIZE])
{
    uint64_t stamp = next_stamp();
    uint8_t bytes[16];
    randombytes_buf(bytes, sizeof(bytes));
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(stamp >> (52 - 8 * i));
    bytes[6] = (uint8_t)(0x70U | ((stamp >> 8) & 0x0fU));
    bytes[7] = (uint8_t)stamp;
    bytes[8] = (uint8_t)(0x80U | (bytes[8] & 0x3fU));
    char hex[33];
    text_hex(hex, bytes, sizeof(bytes));
    static const int starts[] = {0, 8, 12, 16, 20, 32};
    for (size_t group = 0; group + 1 < ARRAY_LEN(starts); group++) {
        size_t length = (size_t)(starts[group + 1] - starts[group]);
        memcpy(out, hex + starts[group], length);
        out[length] = '-';
        out += length + 1;
    }
    out[-1] = '\0';
}

bool uuid_well_formed(const char *bytes, size_t length)
{
    if (length != UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = bytes[i];
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !digit)
            return false;
    }
    return true;
}

void uuid_fold(char out[UUID_SIZE], const char *uuid)
{
    size_t length = strlen(uuid);
    assert(length < UUID_SIZE);
    text_fold(out, uuid, length);
    out[length] = '\0';
}
