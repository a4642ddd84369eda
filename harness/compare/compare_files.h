/**
 * Result files compared with one of them, the base: each way of running the network that both have,
 * as a whole and layer by layer.
 */
#ifndef RESMARK_HARNESS_COMPARE_COMPARE_FILES_H
#define RESMARK_HARNESS_COMPARE_COMPARE_FILES_H

#include "harness/compare/outcome.h"
#include "harness/result/result.h"

#include <stddef.h>

/** Time of another over time of the base, with its 95 % interval; 0, 0, 0: not known. */
struct file_ratio {
    float ratio, low, high;
};

/** One row, or one layer of a row. */
struct file_figure {
    float ms; /**< median of the other; the base's is in its row */
    struct file_ratio absolute;
    struct file_ratio normalised; /**< by the FMA ceiling measured beside the repetitions */
    struct file_ratio cycles;     /**< by the clock measured beside them; rows alone */
    double p;                     /**< that there is no difference, adjusted for all comparisons */
    enum outcome outcome;         /**< of `normalised` */
};

/** A row that both files have. */
struct file_row {
    int base;  /**< index of the base's row */
    bool cold; /**< of flushed caches: a few repetitions, which share the error of the layers */
    /** Why no verdict of faster or slower is given, and in which file, or empty: a reason's code;
     * "not_settled", the fastest repetitions disagree; "core_shared", the ceilings a cycle do. */
    char suspect[64];
    struct file_figure total;
    int layer_count; /**< as many as the base's row has, or 0 where the layers are others */
    struct file_figure *layers;
};

/** One file against the base. */
struct compared_file {
    char *path;
    int row_count;
    struct file_row *rows;
    struct differences differences;
};

struct file_options {
    bool force;
    double between_runs; /**< standard deviation, as a share; see compare_files() */
    /** Called before each file is read, with how many have been; from several threads. */
    void (*progress)(size_t done, size_t count);
};

struct file_comparison {
    struct result base;
    char *base_path;
    size_t file_count;
    struct compared_file *files;
    size_t comparisons; /**< made: rows and layers with a verdict */
};

/**
 * Compares the files with the first of the paths. False with `e` set: a file that cannot be read,
 * or that differs in what forbids a comparison unless it is forced, or has no row in common with
 * the base. file_comparison_free() releases, whatever happened.
 *
 * What is judged are the normalised figures of row_figures.h: of the fastest repetitions, times the
 * FMA ceiling measured beside them, so that what slowed both takes itself out; the absolute medians
 * are shown. Layers are judged by their medians, each normalised by the ceiling beside it. The
 * variance of a logarithm of a ratio is that of both figures, from their intervals, plus that
 * between runs, which no single run shows: two runs of the same thing differ, normalised, by
 * `between_runs`, times the square root of two; layers by four times that and more the shorter
 * they are, and also by how far the medians of their rows lie above the fastest repetitions.
 * Verdicts are by Holm's procedure over all of them (multiple.h): the rows share 4/5 of the error,
 * the layers and cold rows 1/5. Where a run was disturbed so that neither its intervals nor its
 * ceilings show it, the verdict is "suspect" in place of faster and slower, unless it is forced.
 */
bool compare_files(struct file_comparison *comparison, char *const *paths, size_t count,
                   const struct file_options *options, struct error *e);
void file_comparison_free(struct file_comparison *comparison);

#endif
