#include <string.h>

#include "parse.h"

enum { DAY = 86400, MICROSECONDS = 1000000 };

/* A place in a text. Every reader answers false at what it does not want, and the text's end is never passed. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static cursor begin(sdb_slice text)
{
    return (cursor){text.data, text.data + text.length};
}

static bool ended(const cursor *in)
{
    return in->at == in->end;
}

static bool take(cursor *in, char c)
{
    if (ended(in) || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool is_digit(const cursor *in)
{
    return !ended(in) && *in->at >= '0' && *in->at <= '9';
}

/* From `least` to `most` digits; at most 18, so that the number fits. */
static bool digits(cursor *in, int least, int most, int64_t *number)
{
    int count = 0;
    for (*number = 0; is_digit(in) && count < most; count++)
        *number = *number * 10 + (*in->at++ - '0');
    return count >= least && !is_digit(in);
}

static bool two(cursor *in, int limit, int *number)
{
    int64_t value;
    if (!digits(in, 2, 2, &value) || value >= limit)
        return false;
    *number = (int)value;
    return true;
}

/* Up to six digits behind the point, "5" being five tenths. */
static bool fraction(cursor *in, int *microsecond)
{
    *microsecond = 0;
    if (!take(in, '.'))
        return true;
    const char *first = in->at;
    int64_t value;
    if (!digits(in, 1, 6, &value))
        return false;
    for (long count = in->at - first; count < 6; count++)
        value *= 10;
    *microsecond = (int)value;
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(cursor *in, sdb_date *date)
{
    int64_t year;
    if (!digits(in, 4, 4, &year) || year < 1 || !take(in, '-') || !two(in, 13, &date->month) || date->month < 1 ||
        !take(in, '-') || !two(in, 32, &date->day) || date->day < 1)
        return false;
    date->year = (int)year;
    return date->day <= days_of(date->year, date->month);
}

static bool read_time(cursor *in, sdb_time *time)
{
    return two(in, 24, &time->hour) && take(in, ':') && two(in, 60, &time->minute) && take(in, ':') &&
           two(in, 60, &time->second) && fraction(in, &time->microsecond);
}

/* "+05", "-03:30", "+00:19:32" */
static bool read_offset(cursor *in, int *offset)
{
    int hours, minutes = 0, seconds = 0;
    bool west = take(in, '-');
    if ((!west && !take(in, '+')) || !two(in, 24, &hours))
        return false;
    if (take(in, ':') && (!two(in, 60, &minutes) || (take(in, ':') && !two(in, 60, &seconds))))
        return false;
    int total = hours * 3600 + minutes * 60 + seconds;
    *offset = west ? -total : total;
    return true;
}

bool sdb_parse_date(sdb_slice text, sdb_date *date)
{
    cursor in = begin(text);
    sdb_date read;
    if (!read_date(&in, &read) || !ended(&in))
        return false;
    *date = read;
    return true;
}

bool sdb_parse_time(sdb_slice text, sdb_time *time)
{
    cursor in = begin(text);
    sdb_time read;
    if (!read_time(&in, &read) || !ended(&in))
        return false;
    *time = read;
    return true;
}

bool sdb_parse_timetz(sdb_slice text, sdb_time *time, int *offset)
{
    cursor in = begin(text);
    sdb_time read;
    int east;
    if (!read_time(&in, &read) || !read_offset(&in, &east) || !ended(&in))
        return false;
    *time = read;
    *offset = east;
    return true;
}

bool sdb_parse_timestamp(sdb_slice text, sdb_date *date, sdb_time *time)
{
    cursor in = begin(text);
    sdb_date day;
    sdb_time hour;
    if (!read_date(&in, &day) || !take(&in, ' ') || !read_time(&in, &hour) || !ended(&in))
        return false;
    *date = day;
    *time = hour;
    return true;
}

bool sdb_parse_timestamptz(sdb_slice text, sdb_date *date, sdb_time *time, int *offset)
{
    cursor in = begin(text);
    sdb_date day;
    sdb_time hour;
    int east;
    if (!read_date(&in, &day) || !take(&in, ' ') || !read_time(&in, &hour) || !read_offset(&in, &east) || !ended(&in))
        return false;
    *date = day;
    *time = hour;
    *offset = east;
    return true;
}

/* -------------------------------------------------------------------------------------------------------- intervals */

static bool take_word(cursor *in, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
        return false;
    in->at += length;
    return true;
}

static bool sign(cursor *in, bool *negative)
{
    *negative = take(in, '-');
    return *negative || take(in, '+');
}

/* "3 days ", "-1 day": what stands before the hours. A month, a year, or anything else is not taken. */
static bool read_days(cursor *in, int64_t *days)
{
    cursor ahead = *in;
    bool negative;
    sign(&ahead, &negative);
    int64_t number;
    if (!digits(&ahead, 1, 10, &number) || !take_word(&ahead, " day"))
        return false;
    take(&ahead, 's');
    if (!ended(&ahead) && !take(&ahead, ' '))
        return false;
    *days = negative ? -number : number;
    *in = ahead;
    return true;
}

/* Hours have as many digits as they need, up to 2562047788. */
static bool read_hours(cursor *in, int64_t *microseconds)
{
    bool negative;
    sign(in, &negative);
    int64_t hours;
    int minute, second, microsecond;
    if (!digits(in, 2, 10, &hours) || hours > INT64_MAX / 3600 / MICROSECONDS - 1 || !take(in, ':') ||
        !two(in, 60, &minute) || !take(in, ':') || !two(in, 60, &second) || !fraction(in, &microsecond))
        return false;
    int64_t total = ((hours * 60 + minute) * 60 + second) * MICROSECONDS + microsecond;
    *microseconds = negative ? -total : total;
    return true;
}

static bool normalise(int64_t days, int64_t microseconds, sdb_span *span)
{
    enum { DAYS_MAX = 999999999 }; /* timedelta.max */
    int64_t day = (int64_t)DAY * MICROSECONDS, left = microseconds % day;
    days += microseconds / day;
    if (left < 0) {
        left += day;
        days--;
    }
    if (days > DAYS_MAX || days < -DAYS_MAX)
        return false;
    *span = (sdb_span){(int)days, (int)(left / MICROSECONDS), (int)(left % MICROSECONDS)};
    return true;
}

bool sdb_parse_interval(sdb_slice text, sdb_span *span)
{
    cursor in = begin(text);
    int64_t days = 0, microseconds = 0;
    bool any = read_days(&in, &days);
    if (any && ended(&in) && in.at[-1] == ' ')
        return false;
    if (!(any && ended(&in)) && !read_hours(&in, &microseconds))
        return false;
    return ended(&in) && normalise(days, microseconds, span);
}
