/** The parts of resmark classify: lists, names, reading ahead, and the likeliest classes. */
#include "harness/classify/decoder.h"
#include "harness/classify/labels.h"
#include "harness/top_classes.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(classify, .timeout = 60);

Test(classify, top_classes_are_in_order)
{
    const float values[] = {1, 5, NAN, 3, 5, -2, NAN, 4};
    const int all[] = {1, 4, 7, 3, 0, 5, 2, 6};
    for (int most = 1; most <= 10; most++) {
        int top[11], count = most < 8 ? most : 8;
        top[count] = -7;
        cr_expect_eq(top_classes(values, 8, most, top), count);
        cr_expect_arr_eq(top, all, (size_t)count * sizeof *top, "the first %d", most);
        cr_expect_eq(top[count], -7, "written past the end");
    }
}

/** Writes a file in a new directory, and returns its path; both stay until the end. */
static char *write_file(const char *text, size_t size)
{
    char directory[] = "/tmp/test_classify_XXXXXX", *path;
    cr_assert(mkdtemp(directory));
    cr_assert_gt(asprintf(&path, "%s/file", directory), 0);
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(text, 1, size, file) == size && fclose(file) == 0);
    return path;
}

static void remove_file(char *path)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    free(path);
}

Test(classify, labels_of_a_file)
{
    const char *const texts[] = {"cat\ndog\nfish\n", "cat\r\ndog\r\nfish", "cat\ndog\nfish"};
    for (int i = 0; i < 3; i++) {
        struct labels labels;
        struct error e;
        char *path = write_file(texts[i], strlen(texts[i]));
        cr_assert(labels_read(&labels, path, 3, &e), "%s", e.text);
        cr_expect_str_eq(labels_name(&labels, 0), "cat");
        cr_expect_str_eq(labels_name(&labels, 2), "fish");
        cr_expect_null(labels_name(&labels, 3));
        labels_free(&labels);
        remove_file(path);
    }
}

Test(classify, labels_that_do_not_fit_are_refused)
{
    const struct {
        const char *text, *says;
        size_t size;
    } cases[] = {{"a\nb\n", "2 lines", 4},
                 {"a\nb\nc\nd\n", "4 lines", 8},
                 {"a\n\nc\n", "line 2", 5},
                 {"", "0 lines", 0},
                 {"a\nb\0\nc\n", "zero byte", 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct labels labels;
        struct error e = {{0}};
        char *path = write_file(cases[i].text, cases[i].size);
        cr_expect_not(labels_read(&labels, path, 3, &e));
        cr_expect(strstr(e.text, cases[i].says) && strstr(e.text, path), "%s", e.text);
        remove_file(path);
    }
}

Test(classify, labels_by_default)
{
    struct labels labels;
    struct error e;
    cr_assert(labels_read(&labels, NULL, 1000, &e));
    cr_expect_str_eq(labels_name(&labels, 0), "tench");
    cr_expect_str_eq(labels_name(&labels, 281), "tabby");
    cr_expect_str_eq(labels_name(&labels, 999), "toilet tissue");
    for (int i = 0; i < 1000; i++)
        cr_expect(labels_name(&labels, i) && *labels_name(&labels, i), "%d", i);
    labels_free(&labels);
    cr_assert(labels_read(&labels, NULL, 10, &e));
    cr_expect_null(labels_name(&labels, 0));
}

Test(classify, lists_of_images)
{
    struct image_list list = {0};
    struct error e;
    char text[256];
    int size = snprintf(text, sizeof text, "%s/digits/0005.png\n\nnosuch.jpg\n", TESTS_DIRECTORY);
    char *path = write_file(text, (size_t)size);
    cr_assert(image_list_add_file(&list, path, &e), "%s", e.text);
    cr_expect_eq(list.count, 2, "an empty line is no image");
    cr_expect_str_eq(list.paths[1], "nosuch.jpg");
    cr_assert(image_list_add(&list, TESTS_DIRECTORY "/digits/", &e));
    cr_expect_eq(list.count, 102, "%d", list.count);
    cr_expect_str_eq(list.paths[2], TESTS_DIRECTORY "/digits/0000.png");
    cr_expect_str_eq(list.paths[101], TESTS_DIRECTORY "/digits/0495.png");
    *strrchr(path, '/') = '\0';
    cr_assert(image_list_add(&list, path, &e));
    cr_expect_str_eq(list.paths[102], path,
                     "a directory without pictures is for its reader to refuse");
    path[strlen(path)] = '/';
    image_list_free(&list);
    remove_file(path);
}

static float *decode(const char *path, int size, const struct pixel_table *table)
{
    float *pixels = calloc((size_t)size * (size_t)size * 3, sizeof *pixels);
    struct image picture;
    struct error e;
    cr_assert(image_read(&picture, path, &e), "%s", e.text);
    cr_assert(preprocess(&picture, size, table, pixels, (size_t)size * 3, &e), "%s", e.text);
    image_free(&picture);
    return pixels;
}

/** All images come, in order, whole, whatever the number of threads and of images kept. */
static void check_decoder(const struct image_list *list, int threads, int ahead, int stop_after)
{
    enum { SIZE = 40 };
    struct error e;
    struct pixel_table table;
    pixel_table_init(&table, &normalisation_symmetric, NULL);
    struct decoder *d = decoder_make(list, SIZE, threads, ahead, &e);
    cr_assert(d, "%s", e.text);
    decoder_begin(d, &table);
    for (int i = 0; i < list->count && i < stop_after; i++) {
        const float *pixels = decoder_next(d, &e);
        bool bad = strstr(list->paths[i], "nosuch") != NULL;
        cr_expect_eq(pixels == NULL, bad, "%s", list->paths[i]);
        if (!pixels) {
            cr_expect(strstr(e.text, list->paths[i]), "%s", e.text);
            continue;
        }
        float *wanted = decode(list->paths[i], SIZE, &table);
        cr_expect_arr_eq(pixels, wanted, SIZE * SIZE * 3 * sizeof *wanted,
                         "%d threads, %d ahead: %s", threads, ahead, list->paths[i]);
        free(wanted);
    }
    decoder_free(d);
}

Test(classify, images_are_read_ahead_in_order)
{
    struct image_list list = {0};
    struct error e;
    cr_assert(image_list_add(&list, "nosuch1.png", &e));
    cr_assert(image_list_add(&list, TESTS_DIRECTORY "/digits", &e));
    cr_assert(image_list_add(&list, "nosuch2.png", &e));
    for (int threads = 1; threads <= 5; threads += 2) {
        for (int ahead = 1; ahead <= 16; ahead *= 4) {
            check_decoder(&list, threads, ahead, list.count);
            check_decoder(&list, threads, ahead, 7);
            check_decoder(&list, threads, ahead, 0);
        }
    }
    image_list_free(&list);
}
