/** The page of reports, which the build makes of page/ and the plotting library. */
#ifndef RESMARK_HARNESS_REPORT_PAGE_H
#define RESMARK_HARNESS_REPORT_PAGE_H

/** HTML in front of the data and behind them; both are empty in a build without the page. */
extern const char report_page_head[];
extern const char report_page_tail[];

#endif
