#include "harness/classify/image_list.h"

#include "harness/classify/lines.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Takes the path over, which is NULL when there was no memory for it. */
static bool append(struct image_list *list, char *path, struct error *e)
{
    if (path && list->count == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 64;
        char **paths = realloc(list->paths, (size_t)capacity * sizeof *paths);
        if (paths) {
            list->paths = paths;
            list->capacity = capacity;
        }
    }
    if (path && list->count < list->capacity) {
        list->paths[list->count++] = path;
        return true;
    }
    free(path);
    return error_set(e, "no memory for a list of %d images", list->count + 1);
}

static int is_picture(const struct dirent *entry)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".png"};
    size_t length = strlen(entry->d_name);
    for (int i = 0; i < 3; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && strcasecmp(entry->d_name + length - end, ends[i]) == 0)
            return 1;
    }
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static char *join(const char *directory, const char *name)
{
    char *path;
    size_t length = strlen(directory);
    const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";
    return asprintf(&path, "%s%s%s", directory, slash, name) < 0 ? NULL : path;
}

static bool add_directory(struct image_list *list, const char *path, struct error *e)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_picture, by_name);
    bool ok = count > 0 || append(list, strdup(path), e);
    for (int i = 0; i < count; i++) {
        ok = ok && append(list, join(path, entries[i]->d_name), e);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

bool image_list_add(struct image_list *list, const char *path, struct error *e)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return add_directory(list, path, e);
    return append(list, strdup(path), e);
}

bool image_list_add_file(struct image_list *list, const char *path, struct error *e)
{
    struct lines lines;
    if (!lines_read(&lines, path, "list of images", e))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < lines.count; i++) {
        if (*lines.line[i])
            ok = image_list_add(list, lines.line[i], e);
    }
    lines_free(&lines);
    return ok;
}

void image_list_free(struct image_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct image_list){0};
}
