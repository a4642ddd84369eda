#include "harness/report/page.h"

const char report_page_head[] = "";
const char report_page_tail[] = "";
