#include "tool/report.h"

#include <stdarg.h>
#include <stdio.h>

void sdi_report_title(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static void put(const char *mark, const char *format, va_list arguments)
{
    printf("  %-8s ", mark);
    vprintf(format, arguments);
    putchar('\n');
}

static void put_remedy(const char *remedy)
{
    printf("           -> %s\n", remedy);
}

void sdi_report_good(sdi_report *report, const char *format, ...)
{
    va_list arguments;
    report->good++;
    va_start(arguments, format);
    put("good", format, arguments);
    va_end(arguments);
}

void sdi_report_note(sdi_report *report, const char *remedy, const char *format, ...)
{
    va_list arguments;
    report->notes++;
    va_start(arguments, format);
    put("note", format, arguments);
    va_end(arguments);
    put_remedy(remedy);
}

void sdi_report_problem(sdi_report *report, const char *remedy, const char *format, ...)
{
    va_list arguments;
    report->problems++;
    va_start(arguments, format);
    put("PROBLEM", format, arguments);
    va_end(arguments);
    put_remedy(remedy);
}

void sdi_report_sum(const sdi_report *report)
{
    printf("%zu good, %zu note%s, %zu problem%s\n", report->good, report->notes, report->notes == 1 ? "" : "s",
           report->problems, report->problems == 1 ? "" : "s");
}
