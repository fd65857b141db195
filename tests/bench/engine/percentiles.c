/* percentiles - reads whole numbers, a line each, and prints the object of times that the engine makes of them: for
 * test_engine_histogram.py, which holds it against HdrHistogram's own. */
#include <inttypes.h>
#include <stdlib.h>

#include "lines.h"

int main(void)
{
    load_histogram *histogram = load_histogram_new();
    load_json json = {.file = stdout};
    int64_t value;
    while (scanf("%" SCNd64, &value) == 1)
        load_histogram_record(histogram, value);
    load_json_begin(&json, NULL);
    load_line_times(&json, "times", histogram, true);
    load_json_end(&json);
    free(histogram);
    return load_json_line(&json) ? EXIT_SUCCESS : EXIT_FAILURE;
}
