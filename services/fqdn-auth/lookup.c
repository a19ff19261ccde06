#include "services/fqdn-auth/lookup.h"

#include "common/mem.h"
#include "common/text.h"

#include <ares.h>
#include <string.h>
#include <sys/time.h>

enum { QUESTIONS_MAX = FINDING_SERVICES + FINDING_HOSTS_MAX * HOST_FAMILIES };

typedef struct {
    lookup_t *lookup;
    char name[DNS_NAME_SIZE];
    dns_type_t type;
    int service;
    size_t host;
} question_t;

struct lookup {
    ares_channel channel;
    char fqdn[DNS_NAME_SIZE];
    size_t asked, pending;
    question_t questions[QUESTIONS_MAX];
    finding_t finding;
};

static const char *const service_names[FINDING_SERVICES] = {"_sip._udp.", "_sip._tcp.",
                                                            "_sips._tcp."};

static void on_answer(void *context, int status, int timeouts, unsigned char *bytes, int length);

/* A name that is too long to be asked for stays unanswered. */
static void ask(lookup_t *lookup, const char *before, const char *name, question_t question)
{
    question_t *asked = &lookup->questions[lookup->asked];
    if (lookup->asked == QUESTIONS_MAX)
        return;
    *asked = question;
    asked->lookup = lookup;
    if (text_format(asked->name, sizeof(asked->name), "%s%s", before, name) != STATUS_OK)
        return;
    lookup->asked++;
    lookup->pending++;
    ares_query(lookup->channel, asked->name, 1 /* IN */, (int)question.type, on_answer, asked);
}

static void ask_for_host(lookup_t *lookup, size_t host, const char *name)
{
    ask(lookup, "", name, (question_t){.type = DNS_A, .host = host});
    ask(lookup, "", name, (question_t){.type = DNS_AAAA, .host = host});
}

static void take_targets(lookup_t *lookup, int service, const dns_answer_t *answer)
{
    finding_t *finding = &lookup->finding;
    finding->service_answered[service] = true;
    if (answer->count > 0 && answer->ttl < finding->ttl)
        finding->ttl = answer->ttl;
    for (size_t i = 0; i < answer->count; i++) {
        size_t host = 0;
        const char *target = answer->items[i].target;
        if (finding_link(finding, service, target, &host))
            ask_for_host(lookup, host, target);
    }
}

/* c-ares calls it once for each question, from ares_query at the earliest. */
static void on_answer(void *context, int status, int timeouts, unsigned char *bytes, int length)
{
    (void)timeouts;
    const question_t *question = context;
    lookup_t *lookup = question->lookup;
    lookup->pending--;
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
        return;
    bool answered = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
    dns_answer_t answer;
    if (!answered || bytes == NULL || length <= 0 ||
        dns_message_read(bytes, (size_t)length, question->name, question->type, &answer) !=
            STATUS_OK)
        return;
    if (question->type == DNS_SRV)
        take_targets(lookup, question->service, &answer);
    else
        finding_host_answer(&lookup->finding, question->host,
                            question->type == DNS_A ? HOST_IPV4 : HOST_IPV6, &answer);
}

static status_t open_channel(const lookup_settings_t *settings, ares_channel *out, err_t *err)
{
    static char dns_alone[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = (int)settings->timeout_ms,
        .tries = (int)settings->tries,
        .lookups = dns_alone,
    };
    ares_channel channel = NULL;
    int status =
        ares_init_options(&channel, &options,
                          ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS);
    if (status != ARES_SUCCESS)
        return err_set(err, STATUS_SYSTEM, "c-ares", "%s", ares_strerror(status));
    if (settings->servers[0] != '\0' &&
        ares_set_servers_ports_csv(channel, settings->servers) != ARES_SUCCESS) {
        ares_destroy(channel);
        return err_set(err, STATUS_INVALID, "LK_DNS_SERVERS",
                       "is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT between commas");
    }
    *out = channel;
    return STATUS_OK;
}

status_t lookup_check(const lookup_settings_t *settings, err_t *err)
{
    size_t commas = 0;
    for (const char *at = settings->servers; *at != '\0'; at++)
        commas += *at == ',' ? 1 : 0;
    if (commas >= LOOKUP_SERVERS_MAX)
        return err_set(err, STATUS_INVALID, "LK_DNS_SERVERS", "names more than %d servers",
                       LOOKUP_SERVERS_MAX);
    ares_channel channel = NULL;
    status_t status = open_channel(settings, &channel, err);
    if (status == STATUS_OK)
        ares_destroy(channel);
    return status;
}

status_t lookup_start(const lookup_settings_t *settings, const char *fqdn, bool srv, lookup_t **out,
                      err_t *err)
{
    lookup_t *lookup = mem_zalloc(sizeof(*lookup));
    status_t status = open_channel(settings, &lookup->channel, err);
    if (status != STATUS_OK) {
        mem_free(lookup);
        return status;
    }
    text_cut(lookup->fqdn, sizeof(lookup->fqdn), fqdn);
    finding_begin(&lookup->finding, srv);
    if (srv)
        for (int service = 1; service <= FINDING_SERVICES; service++)
            ask(lookup, service_names[service - 1], fqdn,
                (question_t){.type = DNS_SRV, .service = service});
    else
        ask_for_host(lookup, 0, fqdn);
    *out = lookup;
    return STATUS_OK;
}

void lookup_free(lookup_t **lookup)
{
    if (*lookup == NULL)
        return;
    ares_destroy((*lookup)->channel);
    mem_free(*lookup);
    *lookup = NULL;
}

size_t lookup_sockets(const lookup_t *lookup, struct pollfd out[LOOKUP_SOCKETS_MAX])
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    /* Its own macros shift into the sign. */
    unsigned wanted = (unsigned)ares_getsock(lookup->channel, sockets, ARES_GETSOCK_MAXNUM);
    size_t count = 0;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM && count < LOOKUP_SOCKETS_MAX; i++) {
        short events = 0;
        if ((wanted >> i & 1U) != 0)
            events |= POLLIN;
        if ((wanted >> (i + ARES_GETSOCK_MAXNUM) & 1U) != 0)
            events |= POLLOUT;
        if (events != 0)
            out[count++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    return count;
}

int lookup_wait_ms(const lookup_t *lookup, int most)
{
    struct timeval limit = {.tv_sec = most / 1000, .tv_usec = (suseconds_t)(most % 1000) * 1000},
                   left;
    const struct timeval *wait = ares_timeout(lookup->channel, &limit, &left);
    return (int)(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000);
}

void lookup_go_on(lookup_t *lookup, const struct pollfd *sockets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool in = (sockets[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
        bool out = (sockets[i].revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
        if (in || out)
            ares_process_fd(lookup->channel, in ? sockets[i].fd : ARES_SOCKET_BAD,
                            out ? sockets[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what is overdue */
}

bool lookup_is_over(const lookup_t *lookup)
{
    return lookup->pending == 0;
}

const finding_t *lookup_finding(lookup_t *lookup)
{
    finding_t *finding = &lookup->finding;
    finding->failed = false;
    for (size_t i = 0; i < finding->host_count; i++)
        if (!finding->hosts[i].answered[HOST_IPV4] || !finding->hosts[i].answered[HOST_IPV6])
            finding->failed = true;
    for (int i = 1; i <= FINDING_SERVICES; i++)
        if (!finding->service_answered[0] && !finding->service_answered[i])
            finding->failed = true;
    return finding;
}
