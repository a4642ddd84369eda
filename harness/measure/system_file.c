#include "harness/measure/system_file.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

FILE *system_file_open(const char *root, const char *path)
{
    char whole[PATH_MAX];
    int length = snprintf(whole, sizeof whole, "%s%s", root, path);
    return length > 0 && length < (int)sizeof whole ? fopen(whole, "re") : NULL;
}

bool system_file_read(const char *root, const char *path, char *line, size_t size)
{
    FILE *f = system_file_open(root, path);
    bool ok = f && fgets(line, (int)size, f);
    if (f)
        fclose(f);
    line[ok ? strcspn(line, "\n") : 0] = '\0';
    return ok;
}

bool system_file_number(const char *root, const char *path, double *value)
{
    char line[64], *end;
    if (!system_file_read(root, path, line, sizeof line))
        return false;
    *value = strtod(line, &end);
    return end != line && isfinite(*value);
}
