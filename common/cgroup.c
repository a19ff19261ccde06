#include "common/cgroup.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 1024, PATH_SIZE = 2048 };

/* "max", and what can't be read, is no limit. */
static int64_t read_limit(const char *path)
{
    char text[32] = "";
    uint64_t number = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return INT64_MAX;
    bool got = fgets(text, sizeof(text), file) != NULL;
    (void)fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return got && text_number(text, strlen(text), INT64_MAX, &number) == STATUS_OK ? (int64_t)number
                                                                                   : INT64_MAX;
}

/* The group and those above it. In a container the path may be the host's; what is mounted there is
 * the container's own group, where the way up ends. Cuts the path. */
static int64_t least_upwards(const char *root, const char *mount, char *group, const char *name)
{
    int64_t least = INT64_MAX;
    for (;;) {
        char path[PATH_SIZE];
        if (text_format(path, sizeof(path), "%s%s%s/%s", root, mount, group, name) == STATUS_OK) {
            int64_t limit = read_limit(path);
            least = limit < least ? limit : least;
        }
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* A line of /proc/self/cgroup: "ID:CONTROLLERS:/PATH"; version 2 has no controllers. */
static int64_t limit_of_line(const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL)
        return INT64_MAX;
    controllers++;
    *group++ = '\0';
    if (controllers[0] == '\0')
        return least_upwards(root, "/sys/fs/cgroup", group, "memory.max");
    if (strcmp(controllers, "memory") == 0)
        return least_upwards(root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    return INT64_MAX;
}

int64_t cgroup_memory_limit(const char *root)
{
    char path[PATH_SIZE], line[LINE_SIZE];
    int64_t least = INT64_MAX;
    if (text_format(path, sizeof(path), "%s/proc/self/cgroup", root) != STATUS_OK)
        return least;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        int64_t limit = limit_of_line(root, line);
        least = limit < least ? limit : least;
    }
    if (file != NULL)
        (void)fclose(file);
    return least;
}
