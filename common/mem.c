#include "common/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *present(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

void *mem_zalloc(size_t size)
{
    return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return present(calloc(count, size));
}

void *mem_resize(void *memory, size_t size)
{
    return present(realloc(memory, size == 0 ? 1 : size));
}

char *mem_copy(const void *bytes, size_t size)
{
    if (size == SIZE_MAX)
        abort();
    char *copy = present(malloc(size + 1));
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void mem_free(void *memory)
{
    free(memory);
}

void mem_release(char **text)
{
    free(*text);
    *text = NULL;
}
