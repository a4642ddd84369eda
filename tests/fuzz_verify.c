/** A libFuzzer entry over verify files, and over comparing them; scripts/fuzz builds and runs it.
 */
#include "harness/verify/against.h"
#include "harness/verify/record_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

/** Every pair of models, by which every kind of difference is described. */
static void check_models(const struct record *r)
{
    for (int i = 0; i < r->model_count * r->model_count; i++) {
        int here = i % r->model_count, there = i / r->model_count;
        struct against_result result = against_compare(&r->models[here], &r->models[there]);
        check(strlen(result.how) < sizeof result.how);
        check(here != there || result.kind == AGAINST_EQUAL || result.kind == AGAINST_OTHER_RUN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record r;
    struct error e = {""};
    if (record_decode(&r, (const char *)data, size, "fuzz", &e)) {
        check(r.model_count > 0 && r.size >= MODEL_MIN_SIZE);
        check_models(&r);
    } else {
        check(strstr(e.text, "fuzz: ") && strlen(e.text) < sizeof e.text && r.model_count == 0);
    }
    record_free(&r);
    return 0;
}
