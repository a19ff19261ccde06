/* trunk-auth: SIP trunks and the methods that authorize calls on them. Next: handlers.c. */
#include "services/trunk-auth/handlers.h"

int main(int argc, char *argv[])
{
    return worker_main(&trunk_auth_spec, argc, argv);
}
