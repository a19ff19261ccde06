/* Runs a fuzz target once with every file of the given directories, so that every input that was
 * ever of interest is tried in every build. A failure aborts; the last name printed is the culprit.
 */
#include "tests/fuzz/replay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20 };

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *read = malloc(INPUT_MAX), *exact = NULL;
    if (read == NULL)
        abort();
    size_t size = fread(read, 1, INPUT_MAX, file);
    (void)fclose(file);
    exact = malloc(size == 0 ? 1 : size); /* a sanitizer then sees a read behind the end */
    if (exact == NULL)
        abort();
    memcpy(exact, read, size);
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(read);
    return 0;
}

static int run_directory(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort), failed = 0, files = 0;
    for (int i = 0; i < count; i++) {
        char name[4096];
        int size = snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && size > 0 && (size_t)size < sizeof(name)) {
            failed |= run_file(name);
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    if (files == 0)
        (void)fprintf(stderr, "%s: there is no corpus\n", path);
    return failed || files == 0;
}

int main(int argc, char *argv[])
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= run_directory(argv[i]);
    return failed;
}
