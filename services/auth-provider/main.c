/* auth-provider: identity providers that people log in by. Next: handlers.c. */
#include "services/auth-provider/handlers.h"

int main(int argc, char *argv[])
{
    return worker_main(&auth_provider_spec, argc, argv);
}
