/* From here on the process may compute, read and write what it has open, and nothing else: opening
 * a file, making a socket or starting a program ends it by SIGSYS (seccomp). */
#ifndef LK_TESTS_SUPPORT_SEAL_H
#define LK_TESTS_SUPPORT_SEAL_H

/* For this thread and those that it starts, for good. Exits with 2 where the kernel has no seccomp.
 */
void seal(void);

#endif
