/* A small service, "notes", for the tests of the worker's runtime. */
#ifndef LK_TESTS_COMPONENT_NOTES_H
#define LK_TESTS_COMPONENT_NOTES_H

#include "services/common/worker.h"

/* Its operations. Slow ones wait until the file "release" stands in LK_DATA_DIR, and at most ten
 * seconds. */
enum {
    NOTE_READ,        /* note_read: path id */
    NOTE_READ_SLOWLY, /* note_read_slowly: the same; a malformed id is told */
    NOTE_LIST,        /* note_list: query limit */
    NOTE_CREATE,      /* note_create: body id, text, secret */
    NOTE_HASH,        /* note_hash: the same, slow; each hashing adds a byte to the file "hashed" */
    NOTE_FETCH,       /* note_fetch: the same, waits until the file "TEXT" stands in LK_DATA_DIR */
    NOTE_CLASH,       /* note_clash: makes the note, then refuses */
    NOTE_BREAK,       /* note_break: makes the note, then fails */
    NOTE_ENTER, /* note_enter: open; body id, text; head Cookie. Makes the note, and ends as text
                   says: "in" (with Location and Set-Cookie), "denied" (a page, and Set-Cookie),
                   "undone" (Set-Cookie, then INVALID) or "cookie" (the Cookie as message) */
    NOTE_OPERATIONS,
};

extern const worker_spec_t notes_spec;

#endif
