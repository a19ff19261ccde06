/* A directory of a test's own. */
#ifndef LK_TESTS_SUPPORT_SCRATCH_H
#define LK_TESTS_SUPPORT_SCRATCH_H

typedef struct {
    char path[64];
} scratch_t;

/* Makes it below TMPDIR (default /tmp); aborts if that can't be done. */
scratch_t scratch_make(void);
/* path + "/" + name; valid until this thread's next call. */
const char *scratch_file(const scratch_t *scratch, const char *name);
/* Makes or replaces a file in it. */
void scratch_write(const scratch_t *scratch, const char *name, const char *content, unsigned mode);
/* Removes it with everything in it. */
void scratch_remove(const scratch_t *scratch);

#endif
