/* The service "notes" as a process. */
#include "tests/component/notes.h"

int main(int argc, char *argv[])
{
    return worker_main(&notes_spec, argc, argv);
}
