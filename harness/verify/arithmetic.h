/** Whether threads compute as the kernels' contract says: denormals kept, round to nearest. */
#ifndef RESMARK_HARNESS_VERIFY_ARITHMETIC_H
#define RESMARK_HARNESS_VERIFY_ARITHMETIC_H

#include "harness/team.h"

/** What is wrong with the calling thread's arithmetic, as words such as "flushes denormal results
 * to zero"; NULL when nothing is. Tried out by computing. */
const char *arithmetic_fault(void);

/**
 * The first thread of a team with a fault, whose words `*fault` becomes; -1 when none has one. All
 * threads have the right mode afterwards, so that the next one to change it is found, too.
 */
int arithmetic_check(struct team *team, const char **fault);

#endif
