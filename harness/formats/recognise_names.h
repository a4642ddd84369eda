/** Which network a file holds, by the names of its tensors. */
#ifndef RESMARK_HARNESS_FORMATS_RECOGNISE_NAMES_H
#define RESMARK_HARNESS_FORMATS_RECOGNISE_NAMES_H

#include "harness/formats/bound_network.h"

/**
 * Finds the known network whose parameters have exactly the names in the table, which may share a
 * prefix ("resnetv24_", "module."), and binds them; the number of classes is that of the last
 * layer. `said` is a network's name that the file itself gives, or empty: it decides between
 * networks that differ in nothing else.
 *
 * False with `e` set when none fits: it names a tensor by which the file differs from the nearest.
 * bound_network_free() releases. Shapes and numbers are bound_network_check()'s.
 */
bool recognise_names(struct bound_network *bound, const struct tensor_table *table,
                     const char *said, struct error *e);

#endif
