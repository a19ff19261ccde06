/* Framing: refuses what two readers of the same bytes could cut into different requests
 * (RFC 9112 sections 2.2, 3.2, 5.1, 5.2, 6.1, 6.3), since the other reader may be a proxy that
 * decided who may send what. civetweb 1.15 itself takes two lengths, a length and chunked, "5junk",
 * blanks before a colon, bare line feeds, and drops in silence what follows a folded line or the
 * 64th header.
 *
 * Must never: look at a header that does not frame the request. */
#include "gateway/http_internal.h"

#include "common/text.h"

#include <string.h>
#include <strings.h>

bool http_guard_has_token(const char *list, const char *token)
{
    size_t wanted = strlen(token);
    while (*list != '\0') {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ",");
        size_t word = length;
        while (word > 0 && (list[word - 1] == ' ' || list[word - 1] == '\t'))
            word--;
        if (word == wanted && strncasecmp(list, token, word) == 0)
            return true;
        list += length;
    }
    return false;
}

int http_guard_parse(char *text, struct mg_header *out, int max)
{
    int count = 0;
    while (*text != '\0' && *text != '\r') {
        size_t name = strcspn(text, ": \t\r\n");
        char *end = strstr(text, "\r\n");
        if (name == 0 || text[name] != ':' || end == NULL || count == max)
            return -1;
        text[name] = '\0';
        out[count].name = text;
        char *value = text + name + 1;
        value += strspn(value, " \t");
        out[count++].value = value;
        *end = '\0';
        text = end + 2;
    }
    return count;
}

/* civetweb has put a NUL on every line end and every colon; where they stand tells what was there.
 * The last byte of the head, a line feed, is a NUL too. */
static bool lines_are_clean(const http_request_t *request)
{
    const char *end = request->version + strlen(request->version);
    for (int i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        const char *value = request->headers[i].value;
        if (name != end + 2) /* a bare line feed, or an indented line */
            return false;
        const char *colon = name + strlen(name);
        if (value > colon + 1 && colon[1] == '\0') /* blanks before the colon */
            return false;
        end = value + strlen(value);
    }
    if (end[1] != '\0')
        return false;
    /* Where no header stands, civetweb has blanked the last carriage return as well. */
    return (end[2] == '\r' || (request->header_count == 0 && end[2] == '\0')) && end[3] == '\0';
}

/* RFC 9110 section 5.5: blanks after a value are none of it. civetweb only skips those before, and
 * calls const what stands in its own buffer. (A head with a tab in it never comes here: civetweb
 * answers 400 to any control character.) */
static void trim_values(const http_request_t *request)
{
    for (int i = 0; i < request->header_count; i++) {
        union {
            const char *given;
            char *writable;
        } value = {request->headers[i].value};
        size_t length = strlen(value.given);
        while (length > 0 && (value.given[length - 1] == ' ' || value.given[length - 1] == '\t'))
            value.writable[--length] = '\0';
    }
}

/* civetweb takes two line ends before a request for a whole head, and then takes the real head for
 * the body. Its buffer is one per thread, so that the lowest place ever seen is the buffer's start:
 * there the request must begin, or after a single CR LF (RFC 9112 section 2.2). A thread that has
 * seen no ordinary request yet can't tell one line end from several, and refuses them all: the
 * RFC's leniency is for what old clients send behind a body, never on a fresh connection. */
static bool begins_at_start(const http_request_t *request)
{
    http_line_t *line = request->line;
    uintptr_t here = (uintptr_t)request->method;
    bool aligned = here % _Alignof(max_align_t) == 0; /* as malloc returns it */
    if (aligned && (line->head == NULL || here < (uintptr_t)line->head))
        line->head = request->method;
    if (line->head == NULL || here < (uintptr_t)line->head)
        return false;
    size_t skipped = (size_t)(here - (uintptr_t)line->head);
    return skipped == 0 || (skipped == 2 && line->head[0] == '\r' && line->head[1] == '\n');
}

static bool is_length(const char *value)
{
    size_t digits = strspn(value, "0123456789");
    return digits >= 1 && digits <= 18 && value[digits] == '\0';
}

typedef struct {
    int lengths, encodings, hosts;
    bool bad_length, bad_encoding;
} framing_t;

static framing_t gather(const http_request_t *request)
{
    framing_t found = {0};
    for (int i = 0; i < request->header_count; i++) {
        const struct mg_header *header = &request->headers[i];
        if (strcasecmp(header->name, "Content-Length") == 0) {
            found.lengths++;
            found.bad_length |= !is_length(header->value);
        } else if (strcasecmp(header->name, "Transfer-Encoding") == 0) {
            found.encodings++;
            found.bad_encoding |= strcasecmp(header->value, "chunked") != 0;
        } else if (strcasecmp(header->name, "Host") == 0) {
            found.hosts++;
        }
    }
    return found;
}

static const char *framing_fault(const http_request_t *request, const framing_t *found)
{
    bool old = strcmp(request->version, "1.0") == 0;
    if (found->lengths > 1)
        return "Content-Length stands more than once";
    if (found->bad_length)
        return "Content-Length is not a number";
    if (found->encodings > 0 && found->lengths > 0)
        return "both Content-Length and Transfer-Encoding are given";
    if (found->encodings > 1 || found->bad_encoding)
        return "the only Transfer-Encoding understood is chunked";
    if (found->encodings > 0 && old)
        return "HTTP/1.0 knows no Transfer-Encoding";
    if (found->hosts > 1 || (found->hosts == 0 && !old))
        return "exactly one Host header is needed";
    return NULL;
}

int http_guard(const http_request_t *request, size_t url_limit, const char **out_detail)
{
    if (request->header_count >= MG_MAX_HEADERS) {
        *out_detail = "too many headers: at most 63";
        return 431;
    }
    /* Headers read by http_guard_parse were checked there. */
    if (request->info != NULL && !lines_are_clean(request)) {
        *out_detail = "a header line is malformed, folded, or not ended by CR LF";
        return 400;
    }
    trim_values(request);
    if (!begins_at_start(request)) {
        *out_detail = "blank lines stand before the request";
        return 400;
    }
    framing_t found = gather(request);
    const char *fault = framing_fault(request, &found);
    if (fault != NULL) {
        *out_detail = fault;
        return 400;
    }
    if (http_target_length(request) > url_limit) {
        *out_detail = "the URL is too long";
        return 414;
    }
    return 0;
}
