#include "proto/fingerprint.h"

#include "common/text.h"

#include <assert.h>
#include <string.h>

const char *const fingerprint_words[FINGERPRINT_ALGORITHMS + 1] = {
    [FINGERPRINT_SHA1] = "sha1",
    [FINGERPRINT_SHA256] = "sha256",
    [FINGERPRINT_SHA384] = "sha384",
    [FINGERPRINT_SHA512] = "sha512",
};

static const size_t sizes[FINGERPRINT_ALGORITHMS] = {
    [FINGERPRINT_SHA1] = 20,
    [FINGERPRINT_SHA256] = 32,
    [FINGERPRINT_SHA384] = 48,
    [FINGERPRINT_SHA512] = FINGERPRINT_BYTES_MAX,
};

size_t fingerprint_bytes(fingerprint_algorithm_t algorithm)
{
    assert(algorithm < FINGERPRINT_ALGORITHMS);
    return sizes[algorithm];
}

fingerprint_algorithm_t fingerprint_of_size(size_t size)
{
    unsigned found = 0;
    while (found < FINGERPRINT_ALGORITHMS && sizes[found] != size)
        found++;
    return (fingerprint_algorithm_t)found;
}

status_t fingerprint_read(const char *text, size_t length, uint8_t out[FINGERPRINT_BYTES_MAX],
                          size_t *out_size)
{
    char digits[2 * FINGERPRINT_BYTES_MAX];
    uint8_t bytes[FINGERPRINT_BYTES_MAX];
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ':' || text[i] == ' ')
            continue;
        if (used == sizeof(digits))
            return STATUS_INVALID;
        digits[used++] = text[i];
    }
    size_t size = used / 2;
    if (fingerprint_of_size(size) == FINGERPRINT_ALGORITHMS ||
        text_unhex(bytes, size, digits, used) != STATUS_OK)
        return STATUS_INVALID;
    memcpy(out, bytes, size);
    *out_size = size;
    return STATUS_OK;
}

void fingerprint_write(const uint8_t *bytes, size_t size, char out[FINGERPRINT_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    assert(size > 0 && size <= FINGERPRINT_BYTES_MAX);
    for (size_t i = 0; i < size; i++) {
        out[3 * i] = digits[bytes[i] >> 4];
        out[3 * i + 1] = digits[bytes[i] & 15U];
        out[3 * i + 2] = ':';
    }
    out[3 * size - 1] = '\0';
}
