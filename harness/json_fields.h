/**
 * Fields of the JSON files that resmark reads, each checked: a file may be of any origin. The
 * readers return false with `e` set, which names the key, when it is missing or not what it must
 * be.
 */
#ifndef RESMARK_HARNESS_JSON_FIELDS_H
#define RESMARK_HARNESS_JSON_FIELDS_H

#include "harness/json_reader.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** `format`, which must be "resmark " and `what`, and `version`, of 1 to `newest`. */
bool json_check_format(const struct json_value *root, const char *what, int newest,
                       struct error *e);

/** Printable ASCII of 1 to `size` - 1 characters, to text[size]. */
bool json_get_text(const struct json_value *object, const char *key, char *text, size_t size,
                   struct error *e);

/** The same where it may be empty, null or missing, which gives an empty text. */
bool json_get_text_or_none(const struct json_value *object, const char *key, char *text,
                           size_t size, struct error *e);

/** A whole number of `low` to `high`. */
bool json_get_integer(const struct json_value *object, const char *key, int low, int high,
                      int *value, struct error *e);

/** A number, whole or not, of at least `low`. (JSON has no NaN and no infinity.) */
bool json_get_number(const struct json_value *object, const char *key, double low, double *value,
                     struct error *e);

/** The same where it may be null or missing, which gives 0: not measured. */
bool json_get_measured(const struct json_value *object, const char *key, double low, double *value,
                       struct error *e);

/** A list of `low` to `high` entries; it belongs to the object. */
bool json_get_list(const struct json_value *object, const char *key, size_t low, size_t high,
                   const struct json_value **list, struct error *e);

/** What json_hash() made; of a value alone it is but said whether it is one. */
bool json_hash_of(const struct json_value *value, uint64_t *hash);
bool json_get_hash(const struct json_value *object, const char *key, uint64_t *hash,
                   struct error *e);

/** A hash as text of 16 hexadecimal digits, because not all readers have integers of 64 bits; NULL
 * when memory runs out. */
json_t *json_hash(uint64_t hash);

/** Puts in front of a message where in the file it was found. Always false. */
bool json_in_part(struct error *e, const char *part);

#endif
