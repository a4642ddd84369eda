#include "harness/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* Bytes of a block of memory, unless something larger is to go into it. */
#define BLOCK_BYTES ((size_t)64 << 10)

/* How much of the text before and behind the place of an error is shown. */
#define SHOWN_BEFORE 48
#define SHOWN_BEHIND 16

/* The longest number that is converted in place. */
#define SHORT_NUMBER 64

struct json_block {
    struct json_block *next;
    size_t used, size;
    max_align_t bytes[];
};

/* Values whose list or object has not ended stand on a stack: such a list or object itself, its
 * size being the place of the one around it, then what it has so far. */
struct builder {
    struct json_document *document;
    void *(*allocate)(size_t);
    struct json_value *stack;
    size_t count, capacity;
    size_t open; /* place of the innermost list or object */
    int depth;
    const char *key; /* of the member that follows */
    unsigned key_size;
    struct error *e; /* text: empty while yajl has stopped for no reason of ours */
};

static void *take(struct builder *b, size_t size)
{
    struct json_block *block = b->document->blocks;
    size = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    if (!block || size > block->size - block->used) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = b->allocate(sizeof *block + room);
        if (!block) {
            error_set(b->e, "no memory for %zu bytes of it", room);
            return NULL;
        }
        *block = (struct json_block){.next = b->document->blocks, .size = room};
        b->document->blocks = block;
    }
    void *taken = (char *)block->bytes + block->used;
    block->used += size;
    return taken;
}

static const char *take_text(struct builder *b, const unsigned char *text, size_t size)
{
    if (memchr(text, '\0', size)) {
        error_set(b->e, "\\u0000 is not allowed");
        return NULL;
    }
    char *copy = take(b, size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

static bool grow(struct builder *b)
{
    size_t capacity = b->capacity ? 2 * b->capacity : 256;
    struct json_value *stack = b->allocate(capacity * sizeof *stack);
    if (!stack)
        return error_set(b->e, "no memory for %zu values", capacity);
    if (b->count > 0)
        memcpy(stack, b->stack, b->count * sizeof *stack);
    b->document->release(b->stack);
    b->stack = stack;
    b->capacity = capacity;
    return true;
}

/* The new value on the stack, with its key; NULL when memory runs out. */
static struct json_value *push(struct builder *b, enum json_kind kind)
{
    if (b->count == b->capacity && !grow(b))
        return NULL;
    struct json_value *value = &b->stack[b->count++];
    *value = (struct json_value){.key = b->key, .key_size = b->key_size, .kind = kind};
    b->key = NULL;
    b->key_size = 0;
    return value;
}

static int on_null(void *context)
{
    return push(context, JSON_KIND_NULL) != NULL;
}

static int on_boolean(void *context, int boolean)
{
    struct json_value *value = push(context, JSON_KIND_BOOLEAN);
    if (value)
        value->is.boolean = boolean != 0;
    return value != NULL;
}

/* `text` ends where the number does. */
static bool set_number(struct builder *b, struct json_value *value, const char *text)
{
    errno = 0;
    if (!strpbrk(text, ".eE")) {
        value->is.integer = strtoll(text, NULL, 10);
        if (errno == 0)
            return true;
    }
    value->kind = JSON_KIND_REAL;
    value->is.real = strtod(text, NULL);
    return isfinite(value->is.real) || error_set(b->e, "a number is too large for a double");
}

static int on_number(void *context, const char *digits, size_t size)
{
    struct builder *b = context;
    char place[SHORT_NUMBER], *text = size < sizeof place ? place : take(b, size + 1);
    struct json_value *value = text ? push(b, JSON_KIND_INTEGER) : NULL;
    if (!value)
        return 0;
    memcpy(text, digits, size);
    text[size] = '\0';
    return set_number(b, value, text);
}

static int on_text(void *context, const unsigned char *text, size_t size)
{
    struct builder *b = context;
    const char *copy = take_text(b, text, size);
    struct json_value *value = copy ? push(b, JSON_KIND_TEXT) : NULL;
    if (value) {
        value->size = size;
        value->is.text = copy;
    }
    return value != NULL;
}

static int on_key(void *context, const unsigned char *text, size_t size)
{
    struct builder *b = context;
    b->key = take_text(b, text, size);
    b->key_size = (unsigned)size;
    return b->key != NULL;
}

static int begin(struct builder *b, enum json_kind kind)
{
    if (++b->depth > JSON_MAX_DEPTH)
        return error_set(b->e, "lists and objects lie in each other more than %d deep",
                         JSON_MAX_DEPTH);
    struct json_value *value = push(b, kind);
    if (!value)
        return 0;
    value->size = b->open;
    b->open = b->count - 1;
    return 1;
}

static int on_list(void *context)
{
    return begin(context, JSON_KIND_LIST);
}

static int on_object(void *context)
{
    return begin(context, JSON_KIND_OBJECT);
}

/* Any order will do, and by length it is quickly found. */
static int compare_keys(const void *a, const void *b)
{
    const struct json_value *x = *(const struct json_value *const *)a;
    const struct json_value *y = *(const struct json_value *const *)b;
    if (x->key_size != y->key_size)
        return x->key_size < y->key_size ? -1 : 1;
    return memcmp(x->key, y->key, x->key_size);
}

static bool check_keys(struct builder *b, const struct json_value *members, size_t count)
{
    const struct json_value **sorted = b->allocate(count * sizeof *sorted);
    const char *twice = NULL;
    if (!sorted)
        return error_set(b->e, "no memory for %zu members", count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    qsort(sorted, count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < count && !twice; i++) {
        if (compare_keys(&sorted[i - 1], &sorted[i]) == 0)
            twice = sorted[i]->key;
    }
    b->document->release(sorted);
    return !twice || error_set(b->e, "duplicate object key \"%.80s\"", twice);
}

static int on_end(void *context)
{
    struct builder *b = context;
    struct json_value *value = &b->stack[b->open];
    size_t count = b->count - b->open - 1;
    struct json_value *values = take(b, count * sizeof *values);
    if (!values)
        return 0;
    memcpy(values, value + 1, count * sizeof *values);
    b->count = b->open + 1;
    b->open = value->size;
    b->depth--;
    value->size = count;
    value->is.values = values;
    return value->kind == JSON_KIND_LIST || count < 2 || check_keys(b, values, count);
}

static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                         .yajl_boolean = on_boolean,
                                         .yajl_number = on_number,
                                         .yajl_string = on_text,
                                         .yajl_map_key = on_key,
                                         .yajl_start_map = on_object,
                                         .yajl_end_map = on_end,
                                         .yajl_start_array = on_list,
                                         .yajl_end_array = on_end};

/* Puts the line of the place `at`, and what stands there, round our reason or yajl's. */
static bool refuse(yajl_handle handle, const char *bytes, size_t size, size_t at, struct error *e)
{
    struct error reason = *e;
    size_t line = 1, from, to;
    at = at < size ? at : size;
    for (size_t i = 0; i < at; i++)
        line += bytes[i] == '\n';
    for (from = at; from > 0 && at - from < SHOWN_BEFORE && bytes[from - 1] != '\n'; from--)
        ;
    for (to = at; to < size && to - at < SHOWN_BEHIND && bytes[to] != '\n'; to++)
        ;
    unsigned char *why = *reason.text ? NULL : yajl_get_error(handle, 0, NULL, 0);
    const char *shown = why ? (const char *)why : reason.text;
    error_set(e, "it is damaged or cut off in line %zu: %.*s near '%.*s'", line,
              (int)strcspn(shown, "\n"), shown, (int)(to - from), bytes + from);
    if (why)
        yajl_free_error(handle, why);
    return false;
}

bool json_parse(struct json_document *document, const char *bytes, size_t size,
                const struct json_memory *memory, struct error *e)
{
    *document = (struct json_document){.release = memory ? memory->release : free};
    struct builder b = {
        .document = document, .allocate = memory ? memory->allocate : malloc, .e = e};
    e->text[0] = '\0';
    yajl_handle handle = yajl_alloc(&callbacks, NULL, &b);
    if (!handle)
        return error_set(e, "no memory to parse it");
    bool ok = yajl_parse(handle, (const unsigned char *)bytes, size) == yajl_status_ok;
    size_t at = ok ? size : yajl_get_bytes_consumed(handle);
    ok = ok && yajl_complete_parse(handle) == yajl_status_ok;
    struct json_value *root = ok ? take(&b, sizeof *root) : NULL;
    if (root)
        *root = b.stack[0];
    else
        refuse(handle, bytes, size, at, e);
    document->root = root;
    yajl_free(handle);
    document->release(b.stack);
    return root != NULL;
}

void json_document_free(struct json_document *document)
{
    for (struct json_block *block = document->blocks, *next; block; block = next) {
        next = block->next;
        document->release(block);
    }
    *document = (struct json_document){0};
}

bool json_is(const struct json_value *value, enum json_kind kind)
{
    return value && value->kind == kind;
}

const struct json_value *json_member(const struct json_value *object, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; json_is(object, JSON_KIND_OBJECT) && i < object->size; i++) {
        const struct json_value *member = &object->is.values[i];
        if (member->key_size == size && memcmp(member->key, key, size) == 0)
            return member;
    }
    return NULL;
}

size_t json_entries(const struct json_value *list)
{
    return json_is(list, JSON_KIND_LIST) ? list->size : 0;
}

const struct json_value *json_entry(const struct json_value *list, size_t index)
{
    return index < json_entries(list) ? &list->is.values[index] : NULL;
}

const char *json_text(const struct json_value *value)
{
    return json_is(value, JSON_KIND_TEXT) ? value->is.text : NULL;
}

bool json_integer_of(const struct json_value *value, long long *integer)
{
    bool is_integer = json_is(value, JSON_KIND_INTEGER);
    *integer = is_integer ? value->is.integer : 0;
    return is_integer;
}

bool json_number(const struct json_value *value, double *number)
{
    long long integer;
    if (json_integer_of(value, &integer))
        *number = (double)integer;
    else
        *number = json_is(value, JSON_KIND_REAL) ? value->is.real : 0;
    return json_is(value, JSON_KIND_INTEGER) || json_is(value, JSON_KIND_REAL);
}

bool json_holds(const struct json_value *value)
{
    return json_is(value, JSON_KIND_BOOLEAN) && value->is.boolean;
}
