/** How a kernel asks for its loops to be unrolled: GCC and clang understand only their own pragmas.
 */
#ifndef RESMARK_KERNELS_UNROLL_H
#define RESMARK_KERNELS_UNROLL_H

#define UNROLL_PRAGMA(text) _Pragma(#text)

/**
 * Unrolls the loop that follows as a whole; its rounds, at most `n` (a literal), are constant once
 * the function is inlined. Clang would not wait for that if it were told the number; it also moves
 * loads through a long body until registers run out, so not where a tile needs all 32 of them.
 */
#ifdef __clang__
#define UNROLLED(n) UNROLL_PRAGMA(clang loop unroll(full))
#else
#define UNROLLED(n) UNROLL_PRAGMA(GCC unroll n)
#endif

#endif
