/** `resmark classify`: what is in pictures, by a network with real weights. */
#ifndef RESMARK_HARNESS_CLASSIFY_CMD_CLASSIFY_H
#define RESMARK_HARNESS_CLASSIFY_CMD_CLASSIFY_H

/**
 * Runs the command; argv[0] is its name. Returns the exit status: 0, 1 when something failed, be it
 * one image, 2 on wrong usage.
 */
int cmd_classify(int argc, char **argv);

#endif
