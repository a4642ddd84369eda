/** `resmark export`: a network with synthetic weights as a file for other engines. */
#ifndef RESMARK_HARNESS_CMD_EXPORT_H
#define RESMARK_HARNESS_CMD_EXPORT_H

/**
 * Runs `export` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0; 1 after a failure; 2 after a usage error. Each error is one line on stderr.
 */
int cmd_export(int argc, char **argv);

#endif
