#include "harness/compare/live_output.h"

#include "harness/compare/output.h"

static const char *const end_names[] = {[LIVE_CLEAR] = "clear",
                                        [LIVE_MAX_TIME] = "max_time",
                                        [LIVE_MAX_PAIRS] = "max_pairs",
                                        [LIVE_INTERRUPTED] = "interrupted"};

static const char *const end_texts[] = {[LIVE_CLEAR] = "the verdict is clear",
                                        [LIVE_MAX_TIME] = "the time is up (--max-time)",
                                        [LIVE_MAX_PAIRS] = "all pairs are run (--pairs)",
                                        [LIVE_INTERRUPTED] = "interrupted"};

static const char *clock_name(bool cpu)
{
    return cpu ? "CPU time" : "wall clock";
}

static void print_ratio(const char *name, const struct live_ratio *r, FILE *out)
{
    fprintf(out, "%-16s %10.4f %10.4f %7.4f  %6.4f..%-6.4f  %s\n", name, r->ms[0], r->ms[1],
            r->ratio, r->low, r->high, outcome_name(r->outcome));
}

static void print_heading(const char *what, FILE *out)
{
    fprintf(out, "\n%-16s %10s %10s %7s  %-14s  %s\n", what, "A ms", "B ms", "B/A", "interval",
            "verdict");
}

static void print_subjects(const struct live_result *r, const struct live_options *o, FILE *out)
{
    const struct side_subject *s = &r->subjects[0];
    for (int i = 0; i < 2; i++)
        fprintf(out, "%c        %s: resmark %s, built with %s\n", 'A' + i, o->programs[i],
                r->subjects[i].resmark_version, r->subjects[i].compiler);
    fprintf(out, "runs     %s (%s), %dx%d, batch %d, %s, %s, %d thread%s\n", s->network, s->variant,
            s->size, s->size, s->batch, s->isa, s->algo, s->threads, s->threads == 1 ? "" : "s");
    output_differences(&r->differences, "", out);
    fprintf(out, "pairs    %d in %.1f s: %s\n", r->pairs, r->seconds, end_texts[r->end]);
}

void live_print(const struct live_result *r, const struct live_options *o, FILE *out)
{
    print_subjects(r, o, out);
    if (r->layer_count > 0)
        print_heading("layer", out);
    for (int i = 0; i < r->layer_count; i++)
        print_ratio(r->subjects[0].layers[i].name, &r->layers[i], out);
    print_heading("whole", out);
    print_ratio(clock_name(r->cpu_clock), &r->total, out);
    print_ratio(clock_name(!r->cpu_clock), &r->other, out);
    fprintf(out, "\nB is %s%s", r->total.outcome == OUTCOME_SAME ? "no different from A" : "",
            r->total.outcome == OUTCOME_SAME ? "" : outcome_name(r->total.outcome));
    if (r->total.outcome == OUTCOME_SAME)
        fprintf(out, ", as far as %d pairs tell: the ratio is between %.4f and %.4f\n", r->pairs,
                r->total.low, r->total.high);
    else
        fprintf(out, ": it takes %.2f %% %s (%+.2f to %+.2f)\n",
                100 * (r->total.ratio < 1 ? 1 - r->total.ratio : r->total.ratio - 1),
                r->total.ratio < 1 ? "less" : "more", 100 * (r->total.low - 1),
                100 * (r->total.high - 1));
}

static json_t *ratio_json(const struct live_ratio *r)
{
    return json_pack("{s:[f,f], s:f, s:f, s:f, s:f, s:s}", "ms", r->ms[0], r->ms[1], "ratio",
                     r->ratio, "low", r->low, "high", r->high, "p", r->p, "verdict",
                     outcome_name(r->outcome));
}

static json_t *layers_json(const struct live_result *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->layer_count; i++) {
        json_t *entry = ratio_json(&r->layers[i]);
        json_object_set_new(entry, "name", json_string(r->subjects[0].layers[i].name));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *subject_json(const char *program, const struct side_subject *s)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:i}", "program", program,
                     "resmark_version", s->resmark_version, "compiler", s->compiler, "network",
                     s->network, "variant", s->variant, "size", s->size, "isa", s->isa, "algo",
                     s->algo, "threads", s->threads, "batch", s->batch);
}

bool live_print_json(const struct live_result *r, const struct live_options *o, FILE *out,
                     struct error *e)
{
    return output_json(json_pack("{s:s, s:[o,o], s:o, s:s, s:i, s:f, s:s, s:o, s:o, s:o}", "mode",
                                 "live", "builds", subject_json(o->programs[0], &r->subjects[0]),
                                 subject_json(o->programs[1], &r->subjects[1]), "differences",
                                 output_differences_json(&r->differences), "ended_by",
                                 end_names[r->end], "pairs", r->pairs, "seconds", r->seconds,
                                 "clock", r->cpu_clock ? "cpu" : "wall", "whole",
                                 ratio_json(&r->total), "whole_other_clock", ratio_json(&r->other),
                                 "layers", layers_json(r)),
                       out, e);
}
