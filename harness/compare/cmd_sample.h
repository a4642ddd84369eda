/** `resmark sample`: one side of a live comparison, a process that measures when it is told to. */
#ifndef RESMARK_HARNESS_COMPARE_CMD_SAMPLE_H
#define RESMARK_HARNESS_COMPARE_CMD_SAMPLE_H

/**
 * Runs `sample` with its own arguments, argv[0] being the command's name. Returns the exit status:
 * 0, 1 after a failure, 2 after a usage error, each with one line on stderr.
 *
 * It prints one line of JSON that says what it runs, then reads lines from stdin, a number of runs
 * each, and answers each with as many lines: nanoseconds of the whole by the wall clock, of CPU
 * time, and of each layer. It ends with stdin.
 */
int cmd_sample(int argc, char **argv);

#endif
