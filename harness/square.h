#ifndef RESMARK_HARNESS_SQUARE_H
#define RESMARK_HARNESS_SQUARE_H

static inline double square(double x)
{
    return x * x;
}

#endif
