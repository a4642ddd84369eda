/** The arguments of `resmark classify`. */
#ifndef RESMARK_HARNESS_CLASSIFY_CLASSIFY_OPTIONS_H
#define RESMARK_HARNESS_CLASSIFY_CLASSIFY_OPTIONS_H

#include "harness/classify/classifier.h"

struct classify_options {
    struct classifier_options classifier;
    const char *labels; /**< path; NULL: ImageNet's names, or none */
    const char *list;   /**< path of a file with further images; NULL: none */
    int top;
    bool json;
    char **images; /**< of argv */
    int image_count;
};

/** The text of --help. */
extern const char classify_options_help[];

/** Reads the arguments. Returns 0 to classify, 1 for --help, 2 with `e` set. */
int classify_options_parse(int argc, char **argv, struct classify_options *o, struct error *e);

#endif
