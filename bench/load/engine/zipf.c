#include "zipf.h"

/* The hat over the probabilities is h(x) = x^-s, and rank k stands for the stretch from k - 1/2 to k + 1/2. Since h is
 * convex, its integral over that stretch is at least h(k): so a real number drawn by the hat, rounded, and taken with
 * the probability h(k) / integral, has the right distribution. The first stretch is cut so that it is h(1) exactly. */

/* (e^x - 1) / x and log(1 + x) / x, right also where x is tiny: there s is near 1 and the usual form divides by 0. */
static double expm1_over(double x)
{
    return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2;
}

static double log1p_over(double x)
{
    return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x / 2;
}

static double hat(const load_zipf *zipf, double x)
{
    return exp(-zipf->exponent * log(x));
}

/* From 1 to x: (x^(1-s) - 1) / (1 - s), or log x. */
static double integral(const load_zipf *zipf, double x)
{
    double logarithm = log(x);
    return expm1_over((1 - zipf->exponent) * logarithm) * logarithm;
}

static double inverse(const load_zipf *zipf, double area)
{
    double grown = area * (1 - zipf->exponent);
    /* By rounding it may be just under the lowest that there is. */
    return exp(log1p_over(grown < -1 ? -1 : grown) * area);
}

load_zipf load_zipf_new(int64_t count, double exponent)
{
    load_zipf zipf = {.count = (double)count, .exponent = exponent};
    zipf.bottom = integral(&zipf, 1.5) - 1;
    zipf.top = integral(&zipf, zipf.count + 0.5);
    zipf.sure = 2 - inverse(&zipf, integral(&zipf, 2.5) - hat(&zipf, 2));
    return zipf;
}

int64_t load_zipf_draw(const load_zipf *zipf, load_random *random)
{
    for (;;) {
        double area = zipf->top + load_random_uniform(random) * (zipf->bottom - zipf->top);
        double x = inverse(zipf, area), rank = floor(x + 0.5);
        rank = fmin(fmax(rank, 1), zipf->count);
        if (rank - x <= zipf->sure || area >= integral(zipf, rank + 0.5) - hat(zipf, rank))
            return (int64_t)rank;
    }
}
