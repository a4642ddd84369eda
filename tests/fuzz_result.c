/** A libFuzzer entry over result files, which people get from strangers; scripts/fuzz builds and
 * runs it. */
#include "harness/result/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void check_row(const struct result *r, const struct result_row *row)
{
    check(row->median_ms > 0 && row->ci_low_ms <= row->median_ms);
    check(isfinite(row->gflops) && isfinite(row->ceiling_gflops));
    check(row->samples.count > 0 && row->samples.count <= row->repetitions);
    for (int i = 0; i < row->samples.count; i++)
        check(isfinite(row->samples.ms[i]) && row->samples.ms[i] >= 0);
    check(row->layer_count == 0 || row->layer_count == r->end_to_end[0].layer_count);
    for (int i = 0; i < row->layer_count; i++)
        check(row->layers[i].name[0] && isfinite(row->layers[i].median_ms));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result r;
    struct error e = {""};
    if (result_parse(&r, (const char *)data, size, &e)) {
        check(r.version >= 1 && r.version <= RESULT_NEWEST_VERSION && r.row_count > 0);
        for (int i = 0; i < r.row_count; i++)
            check_row(&r, &r.end_to_end[i]);
    } else {
        check(e.text[0] && strlen(e.text) < sizeof e.text);
    }
    result_free(&r);
    return 0;
}
