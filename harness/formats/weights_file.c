#include "harness/formats/weights_file.h"

#include "harness/formats/recognise_names.h"
#include "harness/formats/safetensors.h"

#include <stdio.h>
#include <string.h>

#define PATH_SHOWN 200

static bool parse_safetensors(struct weights_file *file, const unsigned char *bytes, size_t size,
                              struct error *e)
{
    char said[64];
    file->format = "safetensors";
    return safetensors_parse(&file->table, said, bytes, size, e) &&
           tensor_table_sort(&file->table, e) &&
           recognise_names(&file->network, &file->table, said, e);
}

/* Puts the file's name before the message; of a long one its end. */
static bool refuse(const char *path, struct error *e)
{
    char message[sizeof e->text];
    size_t length = strlen(path);
    bool cut = length > PATH_SHOWN;
    memcpy(message, e->text, sizeof message);
    return error_set(e, "%s%s: %s", cut ? "..." : "", cut ? path + length - PATH_SHOWN : path,
                     message);
}

static bool parse(struct weights_file *file, const unsigned char *bytes, size_t size,
                  struct error *e)
{
    bool ok = safetensors_probe(bytes, size)
                  ? parse_safetensors(file, bytes, size, e)
                  : error_set(e, "no weights file by its first bytes; safetensors is known");
    file->network.mapped = file->mapped.bytes != NULL;
    return ok && bound_network_check(&file->network, e);
}

bool weights_file_parse(struct weights_file *file, const unsigned char *bytes, size_t size,
                        const char *path, struct error *e)
{
    *file = (struct weights_file){.path = path};
    if (parse(file, bytes, size, e))
        return true;
    weights_file_close(file);
    return refuse(path, e);
}

bool weights_file_open(struct weights_file *file, const char *path, struct error *e)
{
    *file = (struct weights_file){.path = path};
    if (!mapped_file_open(&file->mapped, path, e))
        return false;
    if (parse(file, file->mapped.bytes, file->mapped.size, e) &&
        mapped_file_sha256(&file->mapped, file->sha256, e))
        return true;
    weights_file_close(file);
    return refuse(path, e);
}

void weights_file_close(struct weights_file *file)
{
    bound_network_free(&file->network);
    tensor_table_free(&file->table);
    mapped_file_close(&file->mapped);
}

struct param_source weights_file_source(const struct weights_file *file)
{
    return (struct param_source){
        .read = bound_network_read, .adapt = bound_network_adapt, .context = &file->network};
}
