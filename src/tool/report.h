/* report.h - what `check` found: a title, then a line for each thing that is good, worth a note, or a problem; behind
 * the latter two, what to do about it. */
#ifndef SDI_TOOL_REPORT_H
#define SDI_TOOL_REPORT_H

#include <stddef.h>

typedef struct sdi_report {
    size_t good, notes, problems;
} sdi_report;

void sdi_report_title(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sdi_report_good(sdi_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A note may stay as it is; a problem keeps the library from doing its work, and makes the program return 1. */
void sdi_report_note(sdi_report *report, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sdi_report_problem(sdi_report *report, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sdi_report_sum(const sdi_report *report);

#endif
