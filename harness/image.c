#include "harness/image.h"
#include "harness/image_codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool image_refuse(struct error *e, const char *name, const char *format, ...)
{
    enum { SHOWN = 200 }; // characters of a name
    char message[256];
    size_t length = strlen(name);
    bool cut = length > SHOWN;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(e, "%s%s: %s", cut ? "..." : "", cut ? name + length - SHOWN : name, message);
}

bool image_allocate(struct image *img, uint32_t width, uint32_t height, const char *name,
                    struct error *e)
{
    if (width < 1 || height < 1)
        return image_refuse(e, name, "the picture has no pixels; give another one");
    uint64_t pixels = (uint64_t)width * height;
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || pixels > IMAGE_MAX_PIXELS)
        return image_refuse(
            e, name, "%u x %u pixels is over the limit (%d a side, %d in all); scale it down first",
            (unsigned)width, (unsigned)height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
    img->pixels = malloc(pixels * 3);
    if (!img->pixels)
        return image_refuse(e, name, "no memory for %u x %u pixels; give a smaller picture",
                            (unsigned)width, (unsigned)height);
    img->width = (int)width;
    img->height = (int)height;
    return true;
}

void image_free(struct image *img)
{
    free(img->pixels);
    *img = (struct image){0};
}

bool image_decode(struct image *img, const uint8_t *bytes, size_t size, const char *name,
                  struct error *e)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff};
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    struct image_source source = {bytes, size, name};
    bool ok;
    *img = (struct image){0};
    if (size == 0)
        ok = image_refuse(e, name, "the file is empty; give a JPEG or PNG picture");
    else if (size >= sizeof jpeg && !memcmp(bytes, jpeg, sizeof jpeg))
        ok = image_decode_jpeg(img, &source, e);
    else if (size >= sizeof png && !memcmp(bytes, png, sizeof png))
        ok = image_decode_png(img, &source, e);
    else
        ok = image_refuse(e, name, "neither JPEG nor PNG by its first bytes; convert it to one");
    if (!ok)
        image_free(img);
    return ok;
}

/** Says why an open file cannot be a picture, or true with its size. */
static bool check_file(int fd, const char *path, size_t *size, struct error *e)
{
    struct stat status;
    if (fstat(fd, &status))
        return image_refuse(e, path, "%s; give another picture", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return image_refuse(e, path, "a directory; give one JPEG or PNG picture in it");
    if (!S_ISREG(status.st_mode))
        return image_refuse(e, path, "a pipe or device, not a file; save the picture to a file");
    if (status.st_size > IMAGE_MAX_BYTES)
        return image_refuse(e, path, "%lld bytes is over the limit (%d); scale the picture down",
                            (long long)status.st_size, IMAGE_MAX_BYTES);
    *size = (size_t)status.st_size;
    return true;
}

static bool read_bytes(int fd, uint8_t *bytes, size_t size, const char *path, struct error *e)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got < 0 && errno != EINTR)
            return image_refuse(e, path, "%s; give another picture", strerror(errno));
        if (got == 0)
            return image_refuse(e, path, "the file shrank while it was read; try again");
        if (got > 0)
            done += (size_t)got;
    }
    return true;
}

static bool read_open(struct image *img, int fd, const char *path, struct error *e)
{
    size_t size = 0;
    if (!check_file(fd, path, &size, e))
        return false;
    uint8_t *bytes = malloc(size + 1); // an empty file is image_decode()'s to refuse
    if (!bytes)
        return image_refuse(e, path, "no memory for its %zu bytes; give a smaller picture", size);
    bool ok = read_bytes(fd, bytes, size, path, e) && image_decode(img, bytes, size, path, e);
    free(bytes);
    return ok;
}

bool image_read(struct image *img, const char *path, struct error *e)
{
    *img = (struct image){0};
    // Non-blocking, because opening a pipe would otherwise wait for a writer.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return image_refuse(e, path, "%s; give the path of a JPEG or PNG picture", strerror(errno));
    bool ok = read_open(img, fd, path, e);
    close(fd);
    return ok;
}
