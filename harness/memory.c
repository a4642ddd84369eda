#include "harness/memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define HUGE_PAGE ((size_t)2 << 20)

bool memory_map(struct memory *memory, size_t floats, const char *what, struct error *e)
{
    size_t bytes = floats * sizeof(float);
    size_t mapped = bytes + HUGE_PAGE;
    *memory = (struct memory){0};
    void *mapping =
        floats > (SIZE_MAX - HUGE_PAGE) / sizeof(float)
            ? MAP_FAILED
            : mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return error_set(e, "no memory for %s: %zu MiB asked for: %s", what, bytes >> 20,
                         strerror(errno));
    uintptr_t start = ((uintptr_t)mapping + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    *memory = (struct memory){(float *)start, floats, mapping, mapped};
    /* Refused on a kernel without huge pages: then small ones serve. */
    madvise((void *)start, bytes, MADV_HUGEPAGE);
    return true;
}

void memory_unmap(struct memory *memory)
{
    if (memory->mapping)
        munmap(memory->mapping, memory->mapped_bytes);
    *memory = (struct memory){0};
}

size_t memory_peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}
