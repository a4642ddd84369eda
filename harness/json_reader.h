/**
 * JSON (RFC 8259) as it is read, of any origin: values that lie in memory as they stand in the
 * text, parsed by yajl. What is written is made with jansson.
 */
#ifndef RESMARK_HARNESS_JSON_READER_H
#define RESMARK_HARNESS_JSON_READER_H

#include "arch/error.h"

#include <stddef.h>

/** Lists and objects may lie in each other so deep. */
#define JSON_MAX_DEPTH 100

enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_BOOLEAN,
    JSON_KIND_INTEGER, /**< written without fraction and exponent, of 64 bits */
    JSON_KIND_REAL,    /**< all other numbers; finite */
    JSON_KIND_TEXT,
    JSON_KIND_LIST,
    JSON_KIND_OBJECT
};

struct json_value {
    const char *key; /**< of a member of an object; NULL: of none */
    enum json_kind kind;
    unsigned key_size; /**< characters */
    size_t size;       /**< characters of a text, entries of a list, members of an object */
    union {
        bool boolean;
        long long integer;
        double real;
        const char *text;                /**< UTF-8 without a NUL in it, and a NUL behind it */
        const struct json_value *values; /**< [size]: entries, or members as they follow */
    } is;
};

/** A parsed text. */
struct json_document {
    const struct json_value *root;
    struct json_block *blocks; /**< memory of all values */
    void (*release)(void *);   /**< frees a block */
};

/** What malloc() and free() do, where they are not to. */
struct json_memory {
    void *(*allocate)(size_t size);
    void (*release)(void *block);
};

/**
 * Parses `size` bytes, which may be changed or freed afterwards. False with `e` set to what is
 * wrong and in which line: no JSON, cut off, two members of one name, a number beyond a double, a
 * NUL in a text, too deep; or no memory. json_document_free() releases, whatever happened. `memory`
 * NULL: malloc() and free().
 */
bool json_parse(struct json_document *document, const char *bytes, size_t size,
                const struct json_memory *memory, struct error *e);

void json_document_free(struct json_document *document);

/** The member of that name; NULL: there is none, or `object` is NULL or no object. */
const struct json_value *json_member(const struct json_value *object, const char *key);

/** Entries of a list; 0 where it is NULL or no list. */
size_t json_entries(const struct json_value *list);

/** The entry at an index; NULL behind the last. */
const struct json_value *json_entry(const struct json_value *list, size_t index);

/** The characters of a text; NULL where it is NULL or no text. */
const char *json_text(const struct json_value *value);

/** Whether it is a number, and which. */
bool json_number(const struct json_value *value, double *number);

/** Whether it is an integer, and which; 0 where it is none. */
bool json_integer_of(const struct json_value *value, long long *integer);

/** Whether it is of that kind; not where it is NULL. */
bool json_is(const struct json_value *value, enum json_kind kind);

/** Whether there is a boolean that is true. */
bool json_holds(const struct json_value *value);

#endif
