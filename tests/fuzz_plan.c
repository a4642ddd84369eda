/** A libFuzzer entry over plan files; scripts/fuzz builds and runs it. */
#include "harness/plan_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void check_cut(const struct tuned_plan *plan, const struct tuned_cut *cut)
{
    check(cut->threads >= 1 && cut->isa < ISA_COUNT);
    for (int i = 0; i < plan->conv_count; i++) {
        const struct step_blocking *b = &cut->blockings[i];
        check(plan->algos[i] < ALGO_AUTO && cut->times[i].rule_us >= 0);
        check(plan->algos[i] == ALGO_DIRECT ? b->conv.strip >= 1 && b->conv.strip <= CONV_MAX_STRIP
                                            : b->bilinear.chunk >= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tuned_plan plan = {0};
    struct error e = {""};
    if (plan_file_decode(&plan, (const char *)data, size, &e)) {
        check(plan.conv_count > 0 && plan.cut_count > 0 && plan.cut_count <= TUNED_MAX_CUTS);
        for (int i = 0; i < plan.cut_count; i++)
            check_cut(&plan, &plan.cuts[i]);
    } else {
        check(e.text[0] && strlen(e.text) < sizeof e.text);
    }
    tuned_plan_free(&plan);
    return 0;
}
