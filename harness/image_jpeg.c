#include "harness/image_codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum {
    // A progressive file has about ten. Each costs a pass over all coefficients, however short it
    // is, so a small file with thousands would run for hours.
    MAX_SCANS = 100,
    // For a progressive file, 6 bytes of coefficients a pixel of IMAGE_MAX_PIXELS, and some.
    MAX_CODEC_BYTES = 1 << 30,
};

/** All that outlives a longjmp stands here, not in locals, whose values it may undo. */
struct jpeg_job {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
};

static _Noreturn void on_error(j_common_ptr codec)
{
    struct jpeg_job *job = codec->client_data;
    codec->err->format_message(codec, job->message);
    longjmp(job->escape, 1);
}

/** libjpeg warns and paints grey where data is missing; here that is an error. */
static void on_message(j_common_ptr codec, int level)
{
    int code = codec->err->msg_code;
    bool warning = level < 0;
    // These say nothing about the pixels; cameras write files with padding before a marker.
    bool harmless =
        code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;
    if (warning && !harmless)
        on_error(codec);
}

static void print_nothing(j_common_ptr codec)
{
    (void)codec;
}

static void on_progress(j_common_ptr codec)
{
    struct jpeg_job *job = codec->client_data;
    if (job->codec.input_scan_number <= MAX_SCANS)
        return;
    snprintf(job->message, sizeof job->message, "more than %d scans", MAX_SCANS);
    longjmp(job->escape, 1);
}

static void open_codec(struct jpeg_job *job, const struct image_source *source)
{
    job->codec.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    job->errors.output_message = print_nothing;
    job->codec.client_data = job;
    jpeg_create_decompress(&job->codec);
    job->progress.progress_monitor = on_progress;
    job->codec.progress = &job->progress;
    job->codec.mem->max_memory_to_use = MAX_CODEC_BYTES;
    jpeg_mem_src(&job->codec, source->bytes, (unsigned long)source->size);
}

static bool check_colours(const struct jpeg_job *job, const char *name, struct error *e)
{
    switch (job->codec.jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_RGB:
    case JCS_YCbCr:
        return true;
    case JCS_CMYK:
    case JCS_YCCK:
        return image_refuse(e, name, "a CMYK JPEG, made for printing; convert it to RGB first");
    default:
        return image_refuse(e, name, "a JPEG of %d unknown colours; convert it to RGB first",
                            job->codec.num_components);
    }
}

static bool read_picture(struct jpeg_job *job, const struct image_source *source, struct image *img,
                         struct error *e)
{
    struct jpeg_decompress_struct *codec = &job->codec;
    open_codec(job, source);
    jpeg_read_header(codec, TRUE);
    if (!check_colours(job, source->name, e) ||
        !image_allocate(img, codec->image_width, codec->image_height, source->name, e))
        return false;
    codec->out_color_space = JCS_RGB;
    codec->dct_method = JDCT_ISLOW; // the one whose SIMD versions give the scalar one's bits
    jpeg_start_decompress(codec);
    while (codec->output_scanline < codec->output_height) {
        JSAMPROW row = img->pixels + (size_t)codec->output_scanline * (size_t)img->width * 3;
        jpeg_read_scanlines(codec, &row, 1);
    }
    jpeg_finish_decompress(codec); // reads to the end marker, so that its absence is seen
    return true;
}

/** Alone with setjmp: nothing that it reads after the jump was written after the call. */
static bool read_guarded(struct jpeg_job *job, const struct image_source *source, struct image *img,
                         struct error *e)
{
    if (setjmp(job->escape))
        return image_refuse(e, source->name,
                            "damaged or unusual JPEG (%.120s); save it anew or give another",
                            job->message);
    return read_picture(job, source, img, e);
}

bool image_decode_jpeg(struct image *img, const struct image_source *source, struct error *e)
{
    struct jpeg_job job;
    memset(&job, 0, sizeof job);
    bool ok = read_guarded(&job, source, img, e);
    jpeg_destroy_decompress(&job.codec);
    return ok;
}
