/* A getpid() that is no system call, for programs whose libraries ask it all the time. */
#ifndef LK_COMMON_GETPID_H
#define LK_COMMON_GETPID_H

/* Once, at the start of main, before any thread. Linking the file in is what replaces getpid(2);
 * this makes it safe across fork(2). A child made by clone(2) or vfork(2) without fork's handlers
 * must not rely on getpid(). */
void getpid_keep(void);

#endif
