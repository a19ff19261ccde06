/* fqdn-auth: connections, their FQDN authentication and their FQDNs. Next: handlers.c. */
#include "services/fqdn-auth/handlers.h"

int main(int argc, char *argv[])
{
    return worker_main(&fqdn_auth_spec, argc, argv);
}
