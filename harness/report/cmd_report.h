/** `resmark report`: result files for people to look at. */
#ifndef RESMARK_HARNESS_REPORT_CMD_REPORT_H
#define RESMARK_HARNESS_REPORT_CMD_REPORT_H

/**
 * Runs `report` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0; 1 when a result file cannot be used or the report cannot be written; 2 after a usage error.
 * Each error is one line on stderr.
 */
int cmd_report(int argc, char **argv);

#endif
