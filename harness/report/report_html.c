#include "harness/report/page.h"
#include "harness/report/report.h"

#include <stdio.h>
#include <stdlib.h>

bool report_has_page(void)
{
    return *report_page_head != '\0';
}

/* In a script element only "<" can end the data; JSON has it in strings alone. */
static int put_json(const char *bytes, size_t size, void *out)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '<')
            fputs("\\u003c", out);
        else
            fputc(bytes[i], out);
    }
    return ferror((FILE *)out) ? -1 : 0;
}

char *report_html(const struct report *report, struct error *e)
{
    char *text = NULL;
    size_t size;
    json_t *data = report_json(report);
    FILE *out = data ? open_memstream(&text, &size) : NULL;
    bool ok = out;
    if (out) {
        fputs(report_page_head, out);
        ok = json_dump_callback(data, put_json, out, JSON_COMPACT | JSON_REAL_PRECISION(7)) == 0;
        fputs("\n", out);
        fputs(report_page_tail, out);
        ok = !ferror(out) && ok;
        ok = fclose(out) == 0 && ok;
    }
    json_decref(data);
    if (ok)
        return text;
    free(text);
    error_set(e, "no memory for the report");
    return NULL;
}
