#include "harness/result/result_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool append(struct result_list *list, const char *path, struct error *e)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        char **paths = realloc(list->paths, capacity * sizeof *paths);
        if (!paths)
            return error_set(e, "no memory for %zu file names", capacity);
        list->paths = paths;
        list->capacity = capacity;
    }
    list->paths[list->count] = strdup(path);
    return list->paths[list->count++] || error_set(e, "no memory for %zu file names", list->count);
}

static int is_result(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 &&
           strcmp(entry->d_name + length - 5, ".json") == 0;
}

static bool add_entry(struct result_list *list, const char *directory, const char *name,
                      struct error *e)
{
    char *path = NULL;
    bool ok = asprintf(&path, "%s/%s", directory, name) >= 0
                  ? append(list, path, e)
                  : error_set(e, "no memory for a file name");
    free(path);
    return ok;
}

bool result_list_add(struct result_list *list, const char *path, struct error *e)
{
    struct stat status;
    struct dirent **entries;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return append(list, path, e);
    int count = scandir(path, &entries, is_result, alphasort);
    if (count < 0)
        return error_set(e, "cannot read the directory %s: %s", path, strerror(errno));
    bool ok =
        count > 0 || error_set(e, "the directory %s has no file whose name ends in .json", path);
    for (int i = 0; i < count; i++) {
        ok = ok && add_entry(list, path, entries[i]->d_name, e);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

void result_list_free(struct result_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct result_list){0};
}
