#include "harness/classify/lines.h"

#include "harness/whole_file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)64 << 20)

static int count_lines(const char *text, size_t size)
{
    int count = size > 0 && text[size - 1] != '\n';
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    return count;
}

static void split(struct lines *lines, size_t size)
{
    char *at = lines->text, *stop = at + size;
    for (int i = 0; i < lines->count; i++) {
        char *end = memchr(at, '\n', (size_t)(stop - at));
        end = end ? end : stop;
        *end = '\0';
        if (end > at && end[-1] == '\r')
            end[-1] = '\0';
        lines->line[i] = at;
        at = end + 1;
    }
}

bool lines_read(struct lines *lines, const char *path, const char *what, struct error *e)
{
    size_t size;
    *lines = (struct lines){0};
    char *bytes = whole_file_read(path, what, MAX_BYTES, &size, e);
    if (!bytes)
        return false;
    char *text = realloc(bytes, size + 1); /* for the end of a last line without one */
    lines->text = text ? text : bytes;
    lines->count = count_lines(lines->text, size);
    lines->line = calloc((size_t)lines->count + 1, sizeof *lines->line);
    bool ok = (text && lines->line) || error_set(e, "no memory for the %s %s", what, path);
    if (ok && memchr(lines->text, '\0', size))
        ok = error_set(e, "the %s %s is no text: it has a zero byte", what, path);
    if (ok)
        split(lines, size);
    else
        lines_free(lines);
    return ok;
}

void lines_free(struct lines *lines)
{
    free(lines->line);
    free(lines->text);
    *lines = (struct lines){0};
}
