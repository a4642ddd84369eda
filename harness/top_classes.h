/** The likeliest classes. */
#ifndef RESMARK_HARNESS_TOP_CLASSES_H
#define RESMARK_HARNESS_TOP_CLASSES_H

/**
 * Writes the indices of the `most` largest of `count` values to `top`, largest first, of equal ones
 * the lower index first; NaNs come last. Returns how many there are: the less of `most` and
 * `count`.
 */
int top_classes(const float *values, int count, int most, int *top);

#endif
