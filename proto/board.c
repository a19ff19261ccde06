/* Must never: raise a page that the path does not lead to, or trust one that it does not lead to.
 * Next: services/common/writer.c, which raises it. */
#include "proto/board.h"

#include "common/file.h"
#include "common/mapfile.h"
#include "common/mem.h"
#include "common/text.h"

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PAGE = 4096, PATH_SIZE = 1024, TRIES = 8, FORM_SIZE = 16 };

static const char form[FORM_SIZE] = "linekeeper-brd1";

typedef atomic_uint_least64_t word_t;

typedef struct {
    char form[FORM_SIZE];
    word_t id;
    char apart[104]; /* its cache line is for the word that changes */
    word_t version;  /* even; odd while a change is under way */
} page_t;

_Static_assert(sizeof(page_t) <= PAGE, "one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a word is written whole, without a lock");

struct board {
    page_t *page; /* stays where it is; the file behind it may become another one */
    word_t device, inode;
    bool raises;
    pthread_mutex_t lock; /* of who changes the file */
    char path[PATH_SIZE];
};

/* ---- the file ---- */

static mapfile_t file_of(const char *path)
{
    return (mapfile_t){
        .path = path, .mode = 0644, .size = PAGE, .head = form, .head_length = sizeof(form)};
}

static uint64_t draw(void)
{
    uint64_t drawn = 0;
    while (drawn < 4) /* 0 is none, and even */
        randombytes_buf(&drawn, sizeof(drawn));
    return drawn & ~UINT64_C(1);
}

static status_t make(const char *path, bool replaces, err_t *err)
{
    page_t page = {.id = draw(), .version = draw()};
    memcpy(page.form, form, sizeof(form));
    mapfile_t file = file_of(path);
    file.head = &page;
    file.head_length = sizeof(page);
    file.replaces = replaces;
    return mapfile_make(&file, err);
}

/* Others may make and delete it meanwhile. */
static status_t open_or_make(const char *path, int *out_file, err_t *err)
{
    mapfile_t file = file_of(path);
    status_t status = mapfile_open(&file, true, out_file, err);
    for (int i = 0; i < TRIES && (status == STATUS_UNKNOWN || status == STATUS_CORRUPT); i++) {
        bool replaces = status == STATUS_CORRUPT;
        status = make(path, replaces, err);
        if (status == STATUS_OK)
            status = mapfile_open(&file, true, out_file, err);
    }
    return status;
}

/* A page that is shared with another host is none: what is written there comes late. Of a kind that
 * is not known to be this host's own nobody knows. */
static bool is_local(int file)
{
    enum { ZFS = 0x2fc12fc1 };
    static const unsigned long kinds[] = {
        EXT4_SUPER_MAGIC, /* and ext2, ext3 */
        XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,      ZFS,
        TMPFS_MAGIC,      RAMFS_MAGIC,       OVERLAYFS_SUPER_MAGIC,
    };
    struct statfs info;
    if (fstatfs(file, &info) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if ((unsigned long)info.f_type == kinds[i])
            return true;
    return false;
}

static status_t open_to_read(const char *path, int *out_file, err_t *err)
{
    mapfile_t file = file_of(path);
    AUTO(file_close) int opened = -1;
    status_t status = mapfile_open(&file, false, &opened, err);
    if (status == STATUS_CORRUPT)
        return err_set(err, STATUS_UNKNOWN, path, "is of another form");
    if (status == STATUS_OK && !is_local(opened))
        return err_set(err, STATUS_UNKNOWN, path, "lies on no file system of this host alone");
    if (status != STATUS_OK)
        return status;
    *out_file = opened;
    opened = -1;
    return STATUS_OK;
}

/* ---- the mapping ---- */

/* In one step for who reads meanwhile. The inode comes last: whoever finds the one that the path
 * leads to reads that file's words or a later one's, whose id is another. */
static status_t attach(board_t *board, int file, err_t *err)
{
    struct stat info;
    int access = board->raises ? PROT_READ | PROT_WRITE : PROT_READ;
    if (fstat(file, &info) != 0)
        return err_errno(err, board->path, "cannot be looked at");
    void *page = mmap(NULL, PAGE, access, MAP_SHARED, file, 0);
    if (page == MAP_FAILED)
        return err_errno(err, board->path, "cannot be mapped");
    if (mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, board->page) == MAP_FAILED) {
        (void)munmap(page, PAGE);
        return err_errno(err, board->path, "cannot be mapped");
    }
    atomic_store(&board->device, info.st_dev);
    atomic_store(&board->inode, info.st_ino);
    return STATUS_OK;
}

static bool is_at_path(const board_t *board)
{
    struct stat info;
    return stat(board->path, &info) == 0 && info.st_ino == atomic_load(&board->inode) &&
           info.st_dev == atomic_load(&board->device);
}

/* To whom the path leads now. */
static status_t follow(board_t *board, err_t *err)
{
    AUTO(file_close) int file = -1;
    status_t status = board->raises ? open_or_make(board->path, &file, err)
                                    : open_to_read(board->path, &file, err);
    return status == STATUS_OK ? attach(board, file, err) : status;
}

static status_t board_new(const char *directory, const char *service, bool raises, board_t **out,
                          err_t *err)
{
    board_t *board = mem_zalloc(sizeof(*board));
    board->raises = raises;
    (void)pthread_mutex_init(&board->lock, NULL);
    void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        abort(); /* out of memory */
    board->page = page;
    *out = board;
    if (text_format(board->path, sizeof(board->path), "%s/%s.board", directory, service))
        return err_set(err, STATUS_TOO_LARGE, directory, "its name is too long");
    return STATUS_OK;
}

/* In place: a disk may be full by now. Between the steps no version stands. */
static void redraw(page_t *page)
{
    atomic_store(&page->version, atomic_load(&page->version) | 1);
    atomic_store(&page->id, draw());
    atomic_store(&page->version, draw());
}

status_t board_open(const char *directory, const char *service, bool alone, board_t **out,
                    err_t *err)
{
    AUTO(board_close) board_t *board = NULL;
    status_t status = board_new(directory, service, true, &board, err);
    if (status == STATUS_OK)
        status = follow(board, err);
    if (status != STATUS_OK)
        return status;
    if (alone)
        redraw(board->page);
    *out = TAKE(board);
    return STATUS_OK;
}

status_t board_watch(const char *directory, const char *service, board_t **out, err_t *err)
{
    AUTO(board_close) board_t *board = NULL;
    status_t status = board_new(directory, service, false, &board, err);
    if (status == STATUS_OK)
        status = follow(board, err);
    if (status != STATUS_OK)
        return status;
    *out = TAKE(board);
    return STATUS_OK;
}

void board_close(board_t **board)
{
    if (*board == NULL)
        return;
    (void)munmap((*board)->page, PAGE);
    (void)pthread_mutex_destroy(&(*board)->lock);
    mem_free(*board);
    *board = NULL;
}

void board_refresh(board_t *board)
{
    (void)pthread_mutex_lock(&board->lock);
    if (!is_at_path(board) && follow(board, NULL) != STATUS_OK && board->raises &&
        unlink(board->path) != 0 && errno != ENOENT)
        abort();
    (void)pthread_mutex_unlock(&board->lock);
}

/* ---- the words ---- */

uint64_t board_id(const board_t *board)
{
    return atomic_load(&board->page->id);
}

static bool is_changing(uint64_t version)
{
    return (version & 1) != 0;
}

uint64_t board_version(const board_t *board)
{
    uint64_t version = board == NULL ? 0 : atomic_load(&board->page->version);
    return is_changing(version) ? 0 : version;
}

bool board_stands(const board_t *board, uint64_t id, uint64_t version)
{
    return version != 0 && is_at_path(board) && board_id(board) == id &&
           board_version(board) == version;
}

static void find(board_t *board)
{
    if (!is_at_path(board))
        board_refresh(board);
}

void board_raise(board_t *board)
{
    if (board == NULL)
        return;
    find(board);
    (void)atomic_fetch_add(&board->page->version, 2);
}

void board_begin_change(board_t *board)
{
    if (board == NULL)
        return;
    find(board);
    if (!is_changing(atomic_load(&board->page->version)))
        (void)atomic_fetch_add(&board->page->version, 1);
}

/* Even on a board that was made since it began. */
void board_end_change(board_t *board)
{
    if (board == NULL)
        return;
    find(board);
    uint64_t version = atomic_load(&board->page->version);
    (void)atomic_fetch_add(&board->page->version, is_changing(version) ? 1 : 2);
}

void board_mend(board_t *board)
{
    if (board == NULL)
        return;
    find(board);
    if (is_changing(atomic_load(&board->page->version)))
        (void)atomic_fetch_add(&board->page->version, 1);
}
