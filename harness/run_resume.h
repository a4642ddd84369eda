/**
 * Interrupted runs: what a result file keeps beside its figures so that `resmark run --resume` can
 * go on where it was stopped, and taking it up again.
 */
#ifndef RESMARK_HARNESS_RUN_RESUME_H
#define RESMARK_HARNESS_RUN_RESUME_H

#include "harness/json_reader.h"
#include "harness/run.h"

#include <jansson.h>

/** Most arguments of a run that is resumed. */
#define RUN_RESUME_MAX_ARGUMENTS 64

/** An interrupted run as its file has it. */
struct run_resume {
    const char *path; /**< as given, not owned */
    struct json_document document;
    int argc; /**< the arguments that it was started with, argv[0] included; they belong to the
                   document */
    char *argv[RUN_RESUME_MAX_ARGUMENTS + 1];
};

/**
 * Reads the file. False with `e` set when it is none of an interrupted run, or of another version;
 * run_resume_close() releases in any case.
 */
bool run_resume_open(struct run_resume *resume, const char *path, struct error *e);
void run_resume_close(struct run_resume *resume);

/**
 * Gives the contenders, which have run once, the repetitions that the file holds. False with `e`
 * set when the program, the machine, a plan or the bits are others now, or the file is damaged.
 */
bool run_resume_apply(const struct run_resume *resume, struct run *run, struct error *e);

/** What the file of an interrupted run holds for that; NULL when memory runs out. */
json_t *run_resume_json(const struct run *run);

#endif
