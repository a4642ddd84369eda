#include "harness/image_codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

/** All that outlives a longjmp stands here, not in locals, whose values it may undo. */
struct png_job {
    png_structp codec;
    png_infop info;
    const uint8_t *next;
    size_t left;
    char message[128];
};

static _Noreturn void on_error(png_structp codec, png_const_charp message)
{
    struct png_job *job = png_get_error_ptr(codec);
    snprintf(job->message, sizeof job->message, "%s", message);
    png_longjmp(codec, 1);
}

/** libpng warns of what leaves the pixels whole, such as a bad comment. */
static void on_warning(png_structp codec, png_const_charp message)
{
    (void)codec;
    (void)message;
}

static void on_read(png_structp codec, png_bytep out, size_t count)
{
    struct png_job *job = png_get_io_ptr(codec);
    if (count > job->left)
        png_error(codec, "the file ends early");
    memcpy(out, job->next, count);
    job->next += count;
    job->left -= count;
}

/**
 * Deflate makes at most 258 bytes of 2 bits, 1032 times its input (zlib.net/zlib_tech.html), so a
 * header that claims more pixels than the file can hold is refused before they are allocated.
 */
static bool check_claim(const struct png_job *job, const struct image_source *source,
                        struct error *e)
{
    enum { MAX_EXPANSION = 1032 };
    uint32_t width = png_get_image_width(job->codec, job->info);
    uint32_t height = png_get_image_height(job->codec, job->info);
    uint32_t pixel_bits = (uint32_t)png_get_bit_depth(job->codec, job->info) *
                          png_get_channels(job->codec, job->info);
    double bytes = (double)width * height * pixel_bits / 8;
    if (bytes > (double)source->size * MAX_EXPANSION)
        return image_refuse(e, source->name,
                            "%u x %u pixels cannot be in a PNG of %zu bytes; give another",
                            (unsigned)width, (unsigned)height, source->size);
    return true;
}

/** Every kind of PNG to 8-bit RGB; returns the number of passes of an interlaced one. */
static int set_conversion(struct png_job *job)
{
    png_set_expand(job->codec); // palettes, grey under 8 bits, transparent colours
    png_set_strip_16(job->codec);
    png_set_strip_alpha(job->codec);
    png_set_gray_to_rgb(job->codec);
    int passes = png_set_interlace_handling(job->codec);
    png_read_update_info(job->codec, job->info);
    return passes;
}

static bool read_picture(struct png_job *job, const struct image_source *source, struct image *img,
                         struct error *e)
{
    png_set_read_fn(job->codec, job, on_read);
    png_set_user_limits(job->codec, PNG_UINT_31_MAX, PNG_UINT_31_MAX); // image_allocate() has ours
    png_read_info(job->codec, job->info);
    if (!check_claim(job, source, e) ||
        !image_allocate(img, png_get_image_width(job->codec, job->info),
                        png_get_image_height(job->codec, job->info), source->name, e))
        return false;
    int passes = set_conversion(job);
    size_t row_bytes = (size_t)img->width * 3;
    if (png_get_rowbytes(job->codec, job->info) != row_bytes)
        png_error(job->codec, "unknown kind of pixel");
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < img->height; y++)
            png_read_row(job->codec, img->pixels + (size_t)y * row_bytes, NULL);
    }
    png_read_end(job->codec, NULL); // to the last chunk, so that its absence is seen
    return true;
}

/** Alone with setjmp: nothing that it reads after the jump was written after the call. */
static bool read_guarded(struct png_job *job, const struct image_source *source, struct image *img,
                         struct error *e)
{
    if (setjmp(png_jmpbuf(job->codec)))
        return image_refuse(e, source->name, "damaged PNG (%s); save it anew or give another",
                            job->message);
    return read_picture(job, source, img, e);
}

bool image_decode_png(struct image *img, const struct image_source *source, struct error *e)
{
    struct png_job job = {.next = source->bytes, .left = source->size};
    job.codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    if (job.codec)
        job.info = png_create_info_struct(job.codec);
    bool ok = job.info ? read_guarded(&job, source, img, e)
                       : image_refuse(e, source->name,
                                      "libpng does not start: out of memory, "
                                      "or not the version it was built for");
    png_destroy_read_struct(&job.codec, &job.info, NULL);
    return ok;
}
