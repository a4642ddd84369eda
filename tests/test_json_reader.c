/** The JSON of strangers: what RFC 8259 allows is read as it stands, and all else is refused in one
 * line that says where. */
#include "harness/json_reader.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static bool parse(struct json_document *document, const char *text, struct error *e)
{
    return json_parse(document, text, strlen(text), NULL, e);
}

Test(json_reader, values)
{
    struct json_document d;
    struct error e;
    double number;
    long long integer;
    cr_assert(parse(&d,
                    " {\"a\": [1, -2.5e1, 9223372036854775807, 9223372036854775808, true, null],\n"
                    "\"b\\u00e9\": \"\\\"\\u20ac\", \"\": {\"x\": {}, \"y\": [], \"z\": false}}\t",
                    &e),
              "%s", e.text);
    const struct json_value *list = json_member(d.root, "a"), *inner = json_member(d.root, "");
    cr_expect_eq(d.root->size, 3);
    cr_expect_eq(json_entries(list), 6);
    cr_expect(json_integer_of(json_entry(list, 0), &integer) && integer == 1);
    cr_expect(json_number(json_entry(list, 0), &number) && number == 1);
    cr_expect(json_number(json_entry(list, 1), &number) && number == -25);
    cr_expect_not(json_integer_of(json_entry(list, 1), &integer));
    cr_expect(json_integer_of(json_entry(list, 2), &integer) && integer == LLONG_MAX);
    cr_expect(json_number(json_entry(list, 3), &number) && number == 0x1p63);
    cr_expect(json_holds(json_entry(list, 4)));
    cr_expect(json_is(json_entry(list, 5), JSON_KIND_NULL));
    cr_expect_null(json_entry(list, 6));
    cr_expect_str_eq(json_text(json_member(d.root, "b\xc3\xa9")), "\"\xe2\x82\xac");
    cr_expect_eq(json_member(d.root, "b\xc3\xa9")->size, 4);
    cr_expect(json_is(json_member(inner, "x"), JSON_KIND_OBJECT));
    cr_expect(json_is(json_member(inner, "y"), JSON_KIND_LIST));
    cr_expect(json_is(json_member(inner, "z"), JSON_KIND_BOOLEAN));
    cr_expect_not(json_holds(json_member(inner, "z")));
    cr_expect_null(json_member(inner, "a"));
    json_document_free(&d);
}

/** Asked of what is not there, or of another kind, everything says no. */
Test(json_reader, nothing_there)
{
    double number;
    const struct json_value text = {.kind = JSON_KIND_TEXT, .is.text = ""};
    cr_expect_null(json_member(NULL, "a"));
    cr_expect_null(json_member(&text, "a"));
    cr_expect_null(json_entry(&text, 0));
    cr_expect_null(json_text(NULL));
    cr_expect_not(json_number(&text, &number));
    cr_expect_eq(number, 0);
    cr_expect_not(json_holds(NULL));
}

static const struct {
    const char *text, *reason;
} refused[] = {
    {"", "in line 1: parse error: premature EOF near ''"},
    {"{\"a\": [1,\n2", "in line 2: parse error: premature EOF near '2'"},
    {"[1]\n[2]", "in line 2: parse error: trailing garbage near "},
    {"[1,]", "in line 1: parse error: unallowed token at this point in JSON text near "},
    {"[01]", "in line 1: parse error"},
    {"\n\n[NaN]", "in line 3: lexical error: invalid char in json text. near '[NaN]'"},
    {"[Infinity]", "invalid char in json text"},
    {"[+1]", "invalid char in json text"},
    {"[1.]", "malformed number"},
    {"['a']", "invalid char in json text"},
    {"[1] // comment", "trailing garbage near "},
    {"[\"\\u0000\"]", "\\u0000 is not allowed near "},
    {"{\"a\\u0000\": 1}", "\\u0000 is not allowed near "},
    {"[\"\xff\"]", "invalid bytes in UTF8 string"},
    {"[\"\x01\"]", "invalid character inside string"},
    {"[1e999]", "a number is too large for a double near '[1e999]'"},
    {"{\"a\": 1,\n\"bc\": {\"a\": 2},\n\"a\": 3}", "in line 3: duplicate object key \"a\" near "},
};

Test(json_reader, refused)
{
    for (int i = 0; i < COUNT(refused); i++) {
        struct json_document d;
        struct error e;
        cr_expect_not(parse(&d, refused[i].text, &e), "%s", refused[i].text);
        cr_expect(strstr(e.text, refused[i].reason), "%s: %s", refused[i].text, e.text);
        cr_expect(strstr(e.text, "it is damaged or cut off in line "), "%s", e.text);
        json_document_free(&d);
    }
}

/** Lists in a list, `depth` of them with it. */
static bool parse_deep(size_t depth, struct error *e)
{
    struct json_document d;
    char *text = malloc(2 * depth + 1);
    cr_assert(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    bool ok = parse(&d, text, e);
    json_document_free(&d);
    free(text);
    return ok;
}

Test(json_reader, depth)
{
    struct error e;
    cr_expect(parse_deep(JSON_MAX_DEPTH, &e), "%s", e.text);
    cr_expect_not(parse_deep(JSON_MAX_DEPTH + 1, &e));
    cr_expect(strstr(e.text, "lie in each other more than 100 deep"), "%s", e.text);
    cr_expect_not(parse_deep((size_t)1 << 22, &e));
}

/** Many members of one length, all there, and one too many of one name. */
Test(json_reader, many_members)
{
    enum { MEMBERS = 20000 };
    struct json_document d;
    struct error e;
    long long integer;
    char *text = malloc(MEMBERS * 24 + 64), *at = text;
    cr_assert(text);
    for (int i = 0; i < MEMBERS; i++)
        at += sprintf(at, "%c\"key%06d\": %d", i ? ',' : '{', i, i);
    strcpy(at, "}");
    cr_assert(parse(&d, text, &e), "%s", e.text);
    cr_expect_eq(d.root->size, MEMBERS);
    cr_expect(json_integer_of(json_member(d.root, "key012345"), &integer) && integer == 12345);
    cr_expect_str_eq(d.root->is.values[7].key, "key000007");
    json_document_free(&d);
    strcpy(at, ", \"key012345\": 0}");
    cr_expect_not(parse(&d, text, &e));
    cr_expect(strstr(e.text, "duplicate object key \"key012345\""), "%s", e.text);
    json_document_free(&d);
    free(text);
}

/** A number of a million digits, which is but a long way to write 0.1, and one beyond a double. */
Test(json_reader, long_numbers)
{
    enum { DIGITS = 1000000 };
    struct json_document d;
    struct error e;
    double number;
    char *text = malloc(DIGITS + 16);
    cr_assert(text);
    memset(text, '0', DIGITS + 16);
    memcpy(text, "[0.1", 4);
    strcpy(text + DIGITS, "]");
    cr_assert(parse(&d, text, &e), "%s", e.text);
    cr_expect(json_number(json_entry(d.root, 0), &number) && number == 0.1);
    json_document_free(&d);
    memcpy(text, "[1000", 5);
    cr_expect_not(parse(&d, text, &e));
    cr_expect(strstr(e.text, "a number is too large"), "%s", e.text);
    json_document_free(&d);
    free(text);
}

static int blocks;

static void *scarce_malloc(size_t size)
{
    return blocks-- > 0 ? malloc(size) : NULL;
}

/** Wherever memory runs out, it is said and nothing is left. */
Test(json_reader, no_memory)
{
    static const struct json_memory memory = {scarce_malloc, free};
    static const char text[] = "{\"a\": [1, 2, {\"b\": \"c\", \"d\": 1}], \"e\": 0.5}";
    bool ok = false;
    int most = 0;
    for (; !ok && most < 100; most++) {
        struct json_document d;
        struct error e;
        blocks = most;
        ok = json_parse(&d, text, sizeof text - 1, &memory, &e);
        cr_expect(ok || strstr(e.text, "no memory"), "%d: %s", most, e.text);
        json_document_free(&d);
    }
    cr_expect(ok && most > 3, "%d", most);
}
