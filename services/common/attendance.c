/* A lock that tells who is there. Must never: be waited for inside the gate. Next: migrate.c. */
#include "services/common/attendance.h"

#include "common/mem.h"
#include "common/text.h"
#include "services/common/store.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

struct attendance {
    int file;
};

static struct flock third_byte(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = 2, .l_len = 1};
}

static bool lock_as(const attendance_t *attendance, short type)
{
    struct flock lock = third_byte(type);
    return fcntl(attendance->file, F_OFD_SETLK, &lock) == 0;
}

static bool any_other(const attendance_t *attendance)
{
    struct flock lock = third_byte(F_WRLCK);
    return fcntl(attendance->file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

status_t attendance_open(const char *database_path, attendance_t **out, err_t *err)
{
    char path[STORE_PATH_SIZE + 8];
    if (text_format(path, sizeof(path), "%s.gate", database_path) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, database_path, "its name is too long");
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (file < 0)
        return err_errno(err, path, "cannot be opened");
    attendance_t *attendance = mem_zalloc(sizeof(*attendance));
    attendance->file = file;
    *out = attendance;
    return STATUS_OK;
}

void attendance_close(attendance_t **attendance)
{
    if (*attendance == NULL)
        return;
    (void)close((*attendance)->file);
    mem_free(*attendance);
    *attendance = NULL;
}

/* Who looks it over may die between two of these steps; nobody else can come, in the gate. */
attendance_claim_t attendance_claim(attendance_t *attendance)
{
    if (lock_as(attendance, F_WRLCK))
        return ATTENDANCE_FIRST;
    if (!lock_as(attendance, F_RDLCK))
        return ATTENDANCE_UNSETTLED;
    if (any_other(attendance))
        return ATTENDANCE_AMONG;
    return lock_as(attendance, F_WRLCK) ? ATTENDANCE_FIRST : ATTENDANCE_AMONG;
}

void attendance_settle(attendance_t *attendance)
{
    (void)lock_as(attendance, F_RDLCK);
}
