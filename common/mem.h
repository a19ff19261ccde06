/* Memory that is there or the process is not: out of memory aborts here and nowhere else. */
#ifndef LK_COMMON_MEM_H
#define LK_COMMON_MEM_H

#include <stddef.h>

/* size zeroed bytes; the caller frees with mem_free. size 0 yields a valid pointer. */
void *mem_zalloc(size_t size);

/* count * size zeroed bytes; aborts on overflow. */
void *mem_array(size_t count, size_t size);

/* Grows or shrinks; new bytes are not zeroed. The old pointer is void afterwards. */
void *mem_resize(void *memory, size_t size);

/* A copy of size bytes plus a terminating NUL. */
char *mem_copy(const void *bytes, size_t size);

/* NULL-safe. */
void mem_free(void *memory);

/* For AUTO(mem_release) on a char pointer: frees and clears it. */
void mem_release(char **text);

#endif
