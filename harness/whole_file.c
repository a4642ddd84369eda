#include "harness/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file that is written before it takes its name. */
static bool name_part(const char *path, const char *what, char *part, size_t size, struct error *e)
{
    int length = snprintf(part, size, "%s.%ld.part", path, (long)getpid());
    return (length >= 0 && (size_t)length < size) ||
           error_set(e, "the %s's path is too long: %.100s…", what, path);
}

static FILE *create(const char *path, const char *what, const char *part, struct error *e)
{
    FILE *f = fopen(part, "wxe");
    if (!f)
        error_set(e, "cannot create the %s %s: %s", what, path, strerror(errno));
    return f;
}

bool whole_file_check(const char *path, const char *what, struct error *e)
{
    char part[PATH_MAX];
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(e, "the %s %s is there already and is no regular file", what, path);
    if (!name_part(path, what, part, sizeof part, e))
        return false;
    FILE *f = create(path, what, part, e);
    if (!f)
        return false;
    fclose(f);
    unlink(part);
    return true;
}

bool whole_file_begin(struct whole_file *file, const char *path, const char *what, struct error *e)
{
    *file = (struct whole_file){.path = path, .what = what};
    if (!name_part(path, what, file->part, sizeof file->part, e))
        return false;
    file->stream = create(path, what, file->part, e);
    return file->stream != NULL;
}

bool whole_file_end(struct whole_file *file, bool ok, struct error *e)
{
    bool written =
        fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0;
    int why = errno;
    bool closed = fclose(file->stream) == 0;
    if (ok && written && closed && rename(file->part, file->path) == 0)
        return true;
    if (ok)
        error_set(e, "cannot write the %s %s: %s", file->what, file->path,
                  strerror(written ? errno : why));
    unlink(file->part);
    return false;
}

bool whole_file_write(const char *path, const char *what, const char *text, struct error *e)
{
    struct whole_file file;
    if (!whole_file_begin(&file, path, what, e))
        return false;
    fprintf(file.stream, "%s\n", text);
    return whole_file_end(&file, true, e);
}

int whole_file_open(const char *path, const char *what, size_t limit, size_t *size, struct error *e)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0)
        error_set(e, "cannot read the %s %s: %s", what, path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        error_set(e, "the %s %s is no regular file", what, path);
    else if (status.st_size < 0 || (size_t)status.st_size > limit)
        error_set(e, "the %s %s is larger than %zu KiB", what, path, limit >> 10);
    else {
        *size = (size_t)status.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

char *whole_file_read(const char *path, const char *what, size_t limit, size_t *size,
                      struct error *e)
{
    int fd = whole_file_open(path, what, limit, size, e);
    if (fd < 0)
        return NULL;
    char *bytes = malloc(limit + 1);
    size_t used = 0;
    ssize_t got = bytes ? 1 : 0;
    while (got > 0 && used < limit) {
        got = read(fd, bytes + used, limit - used);
        used += got > 0 ? (size_t)got : 0;
    }
    int why = errno;
    close(fd);
    *size = used;
    if (bytes && got >= 0)
        return bytes;
    error_set(e, "cannot read the %s %s: %s", what, path, strerror(bytes ? why : ENOMEM));
    free(bytes);
    return NULL;
}
