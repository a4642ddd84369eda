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

bool json_get_text(const struct json_value *object, const char *key, char *text, size_t size,
                   struct error *e)
{
    const struct json_value *value = json_member(object, key);
    const char *from = json_text(value);
    size_t length = from ? value->size : 0;
    if (!from)
        return error_set(e, "\"%s\" is missing or no text", key);
    if (length == 0 || length >= size)
        return error_set(e, "\"%s\" has %zu characters, not 1 to %zu", key, length, size - 1);
    for (const char *c = from; *c; c++) {
        if (*c < 0x20 || *c > 0x7e)
            return error_set(e, "\"%s\" has characters that are not ASCII", key);
    }
    memcpy(text, from, length + 1);
    return true;
}

bool json_get_text_or_none(const struct json_value *object, const char *key, char *text,
                           size_t size, struct error *e)
{
    const struct json_value *found = json_member(object, key);
    *text = '\0';
    return !found || json_is(found, JSON_KIND_NULL) ||
           (json_is(found, JSON_KIND_TEXT) && found->size == 0) ||
           json_get_text(object, key, text, size, e);
}

bool json_get_integer(const struct json_value *object, const char *key, int low, int high,
                      int *value, struct error *e)
{
    long long number;
    if (!json_integer_of(json_member(object, key), &number))
        return error_set(e, "\"%s\" is missing or no whole number", key);
    if (number < low || number > high)
        return error_set(e, "\"%s\" is %lld, not %d to %d", key, number, low, high);
    *value = (int)number;
    return true;
}

bool json_get_number(const struct json_value *object, const char *key, double low, double *value,
                     struct error *e)
{
    if (!json_number(json_member(object, key), value))
        return error_set(e, "\"%s\" is missing or no number", key);
    return *value >= low || error_set(e, "\"%s\" is %g, not at least %g", key, *value, low);
}

bool json_get_measured(const struct json_value *object, const char *key, double low, double *value,
                       struct error *e)
{
    const struct json_value *found = json_member(object, key);
    *value = 0;
    return !found || json_is(found, JSON_KIND_NULL) || json_get_number(object, key, low, value, e);
}

bool json_get_list(const struct json_value *object, const char *key, size_t low, size_t high,
                   const struct json_value **list, struct error *e)
{
    *list = json_member(object, key);
    if (!json_is(*list, JSON_KIND_LIST))
        return error_set(e, "\"%s\" is missing or no list", key);
    size_t size = json_entries(*list);
    return (size >= low && size <= high) ||
           error_set(e, "\"%s\" has %zu entries, not %zu to %zu", key, size, low, high);
}

bool json_hash_of(const struct json_value *value, uint64_t *hash)
{
    const char *text = json_text(value);
    *hash = text ? strtoull(text, NULL, 16) : 0;
    return text && value->size == 16 && strspn(text, "0123456789abcdef") == 16;
}

bool json_get_hash(const struct json_value *object, const char *key, uint64_t *hash,
                   struct error *e)
{
    char text[17];
    if (!json_get_text(object, key, text, sizeof text, e))
        return false;
    return json_hash_of(json_member(object, key), hash) ||
           error_set(e, "\"%s\" is not of 16 hexadecimal digits: %s", key, text);
}

bool json_in_part(struct error *e, const char *part)
{
    struct error inner = *e;
    return error_set(e, "%s: %s", part, inner.text);
}

bool json_check_format(const struct json_value *root, const char *what, int newest, struct error *e)
{
    char name[32];
    const char *format = json_text(json_member(root, "format"));
    long long version;
    json_integer_of(json_member(root, "version"), &version);
    snprintf(name, sizeof name, "resmark %s", what);
    if (!format || strcmp(format, name) != 0)
        return error_set(e, "it is no %s: its \"format\" is not \"%s\"", what, name);
    if (version > newest)
        return error_set(e, "it is of format version %lld, and this resmark reads up to %d",
                         version, newest);
    return version >= 1 || error_set(e, "\"version\" is missing or no version");
}
