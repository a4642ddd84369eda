#include "harness/formats/budget.h"

#include <malloc.h>
#include <stdlib.h>

/* What a file may take besides its own size: the lists of the largest network fit ten times. */
#define CONSTANT ((size_t)8 << 20)

static size_t left;
static bool exceeded;

void budget_begin(size_t file_size)
{
    left = file_size + CONSTANT;
    exceeded = false;
}

void *budget_malloc(size_t size)
{
    void *block = size <= left ? malloc(size) : NULL;
    size_t taken = block ? malloc_usable_size(block) : 0;
    exceeded = exceeded || !block;
    left -= taken < left ? taken : left;
    return block;
}

void budget_free(void *block)
{
    left += malloc_usable_size(block);
    free(block);
}

bool budget_exceeded(void)
{
    return exceeded;
}
