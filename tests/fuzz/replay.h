/* What libFuzzer calls, and replay.c with each file of a corpus. */
#ifndef LK_TESTS_FUZZ_REPLAY_H
#define LK_TESTS_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
