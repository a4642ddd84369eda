/** Decoding: every kind of JPEG and PNG, every way to be damaged, and files that are none. */
#include "harness/image.h"
#include "tests/image_files.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_FILES = 7 };

/** Decodes a copy of exactly these bytes, so that reading on is seen by a sanitizer. */
static bool decode(struct image *img, const char *data, size_t size, struct error *e)
{
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    *e = (struct error){0};
    bool ok = image_decode(img, copy, size, "some.file", e);
    free(copy);
    cr_expect(ok == (img->pixels != NULL), "pixels are there exactly on success");
    cr_expect(ok || (!img->width && !img->height), "an error leaves an empty image");
    cr_expect(ok || !strncmp(e->text, "some.file: ", 11), "'%s' does not say where", e->text);
    return ok;
}

static void expect_refused(struct bytes file, const char *words)
{
    struct image img;
    struct error e;
    cr_expect(!decode(&img, file.data, file.size, &e), "accepted, not: %s", words);
    cr_expect(strstr(e.text, words), "'%s' does not say '%s'", e.text, words);
    cr_expect(strstr(e.text, "; "), "'%s' does not say what to do", e.text);
    image_free(&img);
}

Test(image, png_of_every_kind_is_exact)
{
    static const int kinds[][2] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                                   {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds * 4; i++) {
        struct png_kind kind = {kinds[i / 4][0], kinds[i / 4][1], i % 2, i / 2 % 2};
        kind.transparent = kind.transparent && !(kind.type & PNG_COLOR_MASK_ALPHA);
        struct bytes file = make_png(kind);
        struct image img;
        struct error e;
        cr_assert(decode(&img, file.data, file.size, &e), "type %d depth %d: %s", kind.type,
                  kind.depth, e.text);
        cr_assert(img.width == WIDTH && img.height == HEIGHT);
        for (size_t at = 0; at < WIDTH * HEIGHT * 3; at++)
            cr_assert_eq(img.pixels[at], png_expected(kind, at / 3 % WIDTH, at / 3 / WIDTH, at % 3),
                         "type %d depth %d interlaced %d transparent %d, byte %zu", kind.type,
                         kind.depth, kind.interlaced, kind.transparent, at);
        image_free(&img);
        free(file.data);
    }
}

Test(image, jpeg_is_near_what_was_written)
{
    for (int i = 0; i < 4; i++) {
        bool grey = i / 2;
        struct bytes file =
            make_jpeg(grey ? 1 : 3, grey ? JCS_GRAYSCALE : JCS_RGB, i % 2 ? PROGRESSIVE : BASELINE);
        struct image img;
        struct error e;
        cr_assert(decode(&img, file.data, file.size, &e), "%s", e.text);
        cr_assert(img.width == WIDTH && img.height == HEIGHT);
        for (int at = 0; at < WIDTH * HEIGHT * 3; at++) {
            int truth = slope(at / 3 % WIDTH, at / 3 / WIDTH, grey ? 0 : at % 3);
            cr_assert(abs(img.pixels[at] - truth) <= (grey ? 1 : 6), "grey %d byte %d: %d, not %d",
                      grey, at, img.pixels[at], truth);
        }
        image_free(&img);
        free(file.data);
    }
}

Test(image, jpeg_for_printing_is_refused)
{
    struct bytes cmyk = make_jpeg(4, JCS_CMYK, BASELINE);
    struct bytes two = make_jpeg(2, JCS_UNKNOWN, BASELINE);
    expect_refused(cmyk, "CMYK");
    free(cmyk.data);
    expect_refused(two, "2 unknown colours");
    free(two.data);
}

/** With a comment after the pixels, so that these can be complete and the file not. */
static struct bytes make_jpeg_with_tail(void)
{
    static const char tail[] = "\xff\xfe\x00\x06tail\xff\xd9";
    struct bytes file = make_jpeg(3, JCS_RGB, BASELINE);
    file.data = realloc(file.data, file.size + sizeof tail);
    memcpy(file.data + file.size - 2, tail, sizeof tail);
    file.size += sizeof tail - 1 - 2;
    return file;
}

static struct bytes small_file(int i)
{
    switch (i) {
    case 0:
        return make_jpeg(3, JCS_RGB, BASELINE);
    case 1:
        return make_jpeg(1, JCS_GRAYSCALE, BASELINE);
    case 2:
        return make_jpeg(3, JCS_RGB, PROGRESSIVE);
    case 3:
        return make_jpeg_with_tail();
    case 4:
        return make_png((struct png_kind){PNG_COLOR_TYPE_PALETTE, 8, false, true});
    case 5:
        return make_png((struct png_kind){PNG_COLOR_TYPE_RGB_ALPHA, 8, true, false});
    default:
        return make_png((struct png_kind){PNG_COLOR_TYPE_GRAY, 16, false, false});
    }
}

Test(image, every_truncation_is_an_error, .timeout = 60)
{
    for (int i = 0; i < SMALL_FILES; i++) {
        struct bytes file = small_file(i);
        for (size_t size = 0; size <= file.size; size++) {
            struct image img;
            struct error e;
            bool ok = decode(&img, file.data, size, &e);
            cr_expect(ok == (size == file.size), "file %d, %zu of %zu bytes: %s", i, size,
                      file.size, ok ? "accepted" : e.text);
            image_free(&img);
        }
        free(file.data);
    }
}

Test(image, damage_never_crashes, .timeout = 60)
{
    for (int i = 0; i < SMALL_FILES; i++) {
        struct bytes file = small_file(i);
        for (size_t at = 0; at < file.size * 4; at++) {
            static const char masks[] = {1, 16, -128, -1};
            struct image img;
            struct error e;
            file.data[at / 4] ^= masks[at % 4];
            decode(&img, file.data, file.size, &e);
            image_free(&img);
            file.data[at / 4] ^= masks[at % 4];
        }
        free(file.data);
    }
}

/** Bytes are gone from the middle of the pixels' data; the end marker is in place. */
Test(image, jpeg_with_a_hole_is_an_error)
{
    struct bytes file = make_jpeg(3, JCS_RGB, BASELINE);
    memmove(file.data + file.size - 60, file.data + file.size - 2, 2);
    file.size -= 58;
    expect_refused(file, "damaged or unusual JPEG");
    free(file.data);
}

/** Puts another size into a PNG, with the checksum that makes it true. */
static void forge_png_size(struct bytes file, uint32_t width, uint32_t height)
{
    png_byte *header = (png_byte *)file.data + 12; // "IHDR", its 13 bytes, CRC-32 of the 17
    png_save_uint_32(header + 4, width);
    png_save_uint_32(header + 8, height);
    uint32_t crc = 0xffffffff;
    for (int i = 0; i < 17 * 8; i++) {
        crc ^= i % 8 ? 0 : header[i / 8];
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    png_save_uint_32(header + 17, ~crc);
}

static void forge_jpeg_size(struct bytes file, unsigned width, unsigned height)
{
    char *frame = memmem(file.data, file.size, "\xff\xc0", 2); // length, precision, height, width
    png_save_uint_16((png_byte *)frame + 5, height);
    png_save_uint_16((png_byte *)frame + 7, width);
}

Test(image, absurd_sizes_are_refused)
{
    struct bytes png = make_png((struct png_kind){.depth = 1}), jpeg;
    forge_png_size(png, 70000, 1);
    expect_refused(png, "70000 x 1 pixels is over the limit");
    forge_png_size(png, 10000, 10000);
    expect_refused(png, "10000 x 10000 pixels cannot be in a PNG of");
    forge_png_size(png, 0x7fffffff, 0x7fffffff);
    expect_refused(png, "pixels cannot be in a PNG of");
    forge_png_size(png, 0, 5);
    expect_refused(png, "damaged PNG");
    jpeg = make_jpeg(3, JCS_RGB, BASELINE);
    forge_jpeg_size(jpeg, 65500, 65500);
    expect_refused(jpeg, "65500 x 65500 pixels is over the limit");
    forge_jpeg_size(jpeg, 5, 0);
    expect_refused(jpeg, "damaged or unusual JPEG");
    free(png.data);
    free(jpeg.data);
}

Test(image, jpeg_of_endless_scans_is_refused)
{
    struct bytes file = make_jpeg(1, JCS_GRAYSCALE, ENDLESS);
    expect_refused(file, "more than 100 scans");
    free(file.data);
}

Test(image, garbage_is_refused)
{
    expect_refused((struct bytes){"", 0}, "empty");
    expect_refused((struct bytes){"BM picture", 10}, "neither JPEG nor PNG");
    expect_refused((struct bytes){"\x89PNG\r\n\x1a", 7}, "neither JPEG nor PNG");
    expect_refused((struct bytes){"\x89PNG\r\n\x1a\nmore and more", 21}, "damaged PNG");
    expect_refused((struct bytes){"\xff\xd8\xff\xff\xff\xff\xff", 7}, "JPEG");
}

static char directory[] = "/tmp/resmark-image-XXXXXX";

/** The test of files runs inside a directory of its own. */
static void enter_directory(void)
{
    cr_assert(mkdtemp(directory) && !chdir(directory));
}

static void remove_directory(void)
{
    static const char *const names[] = {"picture.txt", "pipe", "empty", "short", "long"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    cr_expect(!rmdir(directory), "files were left behind");
}

static void write_file(const char *name, const char *data, size_t size)
{
    FILE *file = fopen(name, "wb");
    cr_assert(file && fwrite(data, 1, size, file) == size && !fclose(file));
}

static void expect_unreadable(const char *path, const char *words)
{
    struct image img;
    struct error e;
    cr_expect(!image_read(&img, path, &e) && !img.pixels, "%s was read", path);
    cr_expect(strstr(e.text, path) && strstr(e.text, words), "'%s', not '%s'", e.text, words);
    cr_expect(strstr(e.text, "; "), "'%s' does not say what to do", e.text);
}

/* The timeout is that of the others: Criterion leaks memory where a shorter one follows. */
Test(image, files, .init = enter_directory, .fini = remove_directory, .timeout = 60)
{
    struct bytes png = make_png((struct png_kind){2, 8, false, false});
    struct image img;
    struct error e = {0};
    write_file("picture.txt", png.data, png.size);
    cr_expect(image_read(&img, "picture.txt", &e) && img.width == WIDTH, "%s", e.text);
    image_free(&img);
    write_file("short", png.data, png.size - 1);
    expect_unreadable("short", "damaged PNG (the file ends early)");
    write_file("empty", "", 0);
    expect_unreadable("empty", "empty");
    write_file("long", png.data, png.size);
    cr_assert(!truncate("long", (off_t)IMAGE_MAX_BYTES + 1));
    expect_unreadable("long", "over the limit");
    expect_unreadable("absent", "No such file");
    expect_unreadable(".", "directory");
    expect_unreadable("/dev/zero", "device");
    cr_assert(!mkfifo("pipe", 0600));
    expect_unreadable("pipe", "pipe");
    free(png.data);
}

Test(image, long_name_does_not_cut_the_message)
{
    char name[2000];
    struct image img;
    struct error e;
    memset(name, 'x', sizeof name);
    strcpy(name + sizeof name - 10, "/last.jpg");
    cr_expect(!image_read(&img, name, &e));
    cr_expect(!strncmp(e.text, "...xxx", 6) && strstr(e.text, "/last.jpg: "), "%s", e.text);
    cr_expect(strstr(e.text, "; give the path of a JPEG or PNG picture"), "%s", e.text);
}
