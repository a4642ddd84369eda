#include "harness/json_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_hash(uint64_t hash)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    return json_string(text);
}

bool json_get_text(const json_t *object, const char *key, char *text, size_t size, struct error *e)
{
    const json_t *value = json_object_get(object, key);
    const char *from = json_string_value(value);
    size_t length = json_string_length(value);
    if (!from)
        return error_set(e, "\"%s\" is missing or no text", key);
    if (length == 0 || length >= size || strlen(from) != length)
        return error_set(e, "\"%s\" has %zu characters, not 1 to %zu", key, length, size - 1);
    for (const char *c = from; *c; c++) {
        if (*c < 0x20 || *c > 0x7e)
            return error_set(e, "\"%s\" has characters that are not ASCII", key);
    }
    memcpy(text, from, length + 1);
    return true;
}

bool json_get_text_or_none(const json_t *object, const char *key, char *text, size_t size,
                           struct error *e)
{
    const json_t *found = json_object_get(object, key);
    *text = '\0';
    return !found || json_is_null(found) ||
           (json_is_string(found) && json_string_length(found) == 0) ||
           json_get_text(object, key, text, size, e);
}

bool json_get_integer(const json_t *object, const char *key, int low, int high, int *value,
                      struct error *e)
{
    const json_t *found = json_object_get(object, key);
    json_int_t number = json_integer_value(found);
    if (!json_is_integer(found))
        return error_set(e, "\"%s\" is missing or no whole number", key);
    if (number < low || number > high)
        return error_set(e, "\"%s\" is %" JSON_INTEGER_FORMAT ", not %d to %d", key, number, low,
                         high);
    *value = (int)number;
    return true;
}

bool json_get_number(const json_t *object, const char *key, double low, double *value,
                     struct error *e)
{
    const json_t *found = json_object_get(object, key);
    *value = json_number_value(found);
    if (!json_is_number(found))
        return error_set(e, "\"%s\" is missing or no number", key);
    return *value >= low || error_set(e, "\"%s\" is %g, not at least %g", key, *value, low);
}

bool json_get_measured(const json_t *object, const char *key, double low, double *value,
                       struct error *e)
{
    const json_t *found = json_object_get(object, key);
    *value = 0;
    return !found || json_is_null(found) || json_get_number(object, key, low, value, e);
}

bool json_get_list(const json_t *object, const char *key, size_t low, size_t high,
                   const json_t **list, struct error *e)
{
    *list = json_object_get(object, key);
    if (!json_is_array(*list))
        return error_set(e, "\"%s\" is missing or no list", key);
    size_t size = json_array_size(*list);
    return (size >= low && size <= high) ||
           error_set(e, "\"%s\" has %zu entries, not %zu to %zu", key, size, low, high);
}

bool json_get_hash(const json_t *object, const char *key, uint64_t *hash, struct error *e)
{
    char text[17];
    if (!json_get_text(object, key, text, sizeof text, e))
        return false;
    *hash = strtoull(text, NULL, 16);
    return (strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16) ||
           error_set(e, "\"%s\" is not of 16 hexadecimal digits: %s", key, text);
}

bool json_in_part(struct error *e, const char *part)
{
    struct error inner = *e;
    return error_set(e, "%s: %s", part, inner.text);
}

bool json_check_format(const json_t *root, const char *what, int newest, struct error *e)
{
    char name[32];
    const char *format = json_string_value(json_object_get(root, "format"));
    json_int_t version = json_integer_value(json_object_get(root, "version"));
    snprintf(name, sizeof name, "resmark %s", what);
    if (!format || strcmp(format, name) != 0)
        return error_set(e, "it is no %s: its \"format\" is not \"%s\"", what, name);
    if (version > newest)
        return error_set(
            e, "it is of format version %" JSON_INTEGER_FORMAT ", and this resmark reads up to %d",
            version, newest);
    return version >= 1 || error_set(e, "\"version\" is missing or no version");
}
