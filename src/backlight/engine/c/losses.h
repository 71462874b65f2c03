/* What a group of outputs of LANES examples costs, and the errors that it sends back: a vector holds one output of
 * each. z, a, y and d are [output][example].
 */
#ifndef BACKLIGHT_LOSSES_H
#define BACKLIGHT_LOSSES_H

#include "elementwise.h"

/* z_j - max z; p_j = exp(z_j) / sum_k exp(z_k) of that; returns log sum exp(z). */
static vec softmax(real *z, real *a, num outputs) {
    vec peak = load(z), sum = {0};
    for (num j = 1; j < outputs; j++) peak = larger(peak, load(z + j * LANES));
    for (num j = 0; j < outputs; j++) {
        vec shifted = load(z + j * LANES) - peak, e = exponential(shifted);
        store(z + j * LANES, shifted);
        store(a + j * LANES, e);
        sum += e;
    }
    for (num j = 0; j < outputs; j++) store(a + j * LANES, load(a + j * LANES) / sum);
    return logarithm(sum);
}

INLINE vec loss_term(int64_t loss, int fused, int soft, vec z, vec a, vec y, vec log_sum) {
    vec e = a - y;
    switch (loss) {
    case SQUARED: return e * e * (real)0.5;
    case ABSOLUTE: return magnitude(e);
    case HUBER: {
        vec size = magnitude(e), capped = smaller(spread(1), size);
        return size * capped - capped * capped * (real)0.5;
    }
    case POISSON: return fused ? exponential(z) - z * y : a - logarithm(a) * y;
    default: /* cross-entropy */
        return soft ? (log_sum - z) * y
                    : larger(spread(0), z) - z * y + logarithm_of_one_plus(exponential(-magnitude(z)));
    }
}

/* dloss/dz where loss and output are fused, and dloss/da where they are not. */
INLINE vec error_term(int64_t loss, int fused, vec a, vec y) {
    const vec e = a - y, one = spread(1), zero = {0};
    if (fused) return e;
    switch (loss) {
    case ABSOLUTE: return choose(e > zero, one, choose(e < zero, -one, e));
    case HUBER: return larger(-one, smaller(one, e));
    case POISSON: return one - y / a;
    default: return e;
    }
}

/* Losses of LANES examples, added to `total`; log_sum is that of softmax. */
static vec losses_of(const struct setup *setup, int soft, const real *z, const real *a, const real *y, num outputs,
                     vec log_sum, vec total) {
    for (num j = 0; j < outputs; j++)
        total += loss_term(setup->loss, (int)setup->fused, soft, load(z + j * LANES), load(a + j * LANES),
                           load(y + j * LANES), log_sum);
    return total;
}

/* Errors of LANES examples in z, by way of the output's slope where loss and output are not fused. */
static void errors_of(const struct setup *setup, int64_t output, const real *z, const real *a, const real *y,
                      num outputs, real *d) {
    vec sum = {0};
    for (num j = 0; j < outputs; j++) {
        vec e = error_term(setup->loss, (int)setup->fused, load(a + j * LANES), load(y + j * LANES));
        store(d + j * LANES, e);
        sum += e * load(a + j * LANES);
    }
    if (setup->fused) return;
    if (output == SOFTMAX)
        for (num j = 0; j < outputs; j++)
            store(d + j * LANES, load(a + j * LANES) * (load(d + j * LANES) - sum));
    else
        times_slope(output, (struct rows){(real *)z, LANES}, (struct rows){(real *)a, LANES}, d, LANES, outputs, 1);
}

/* Targets of a group of outputs of LANES examples, moved towards "I cannot tell". */
static void smooth_targets(double smoothing, int soft, real *y, num outputs) {
    const real keep = (real)(1 - smoothing);
    const vec rest = spread((real)(smoothing / (soft ? (double)outputs : 2.0)));
    for (num j = 0; j < outputs; j++) store(y + j * LANES, load(y + j * LANES) * keep + rest);
}

/* An example's inputs as they lie in the source, in a lane. */
static void write_inputs(const struct work *work, int64_t row, num outputs, real *y) {
    const char *from = (const char *)work->x + row * work->x_stride;
    const real scale = (real)work->x_scale;
    switch (work->x_kind) {
    case SOURCE_UINT8:
        for (num j = 0; j < outputs; j++) y[j * LANES] = (real)((const uint8_t *)from)[j] * scale;
        break;
    case SOURCE_FLOAT:
        for (num j = 0; j < outputs; j++) y[j * LANES] = (real)((const float *)from)[j];
        break;
    default:
        for (num j = 0; j < outputs; j++) y[j * LANES] = (real)((const double *)from)[j];
    }
}

/* Targets of one example as its outputs should be, in a lane. */
static void write_targets(const struct setup *setup, const struct work *work, int64_t row, real *y) {
    num outputs = setup->outputs;
    const real *values = (const real *)work->y + row * outputs;
    const int64_t *index = (const int64_t *)work->y + row * work->y_indices;
    if (!work->y)
        write_inputs(work, row, outputs, y);
    else if (!work->y_indices)
        for (num j = 0; j < outputs; j++) y[j * LANES] = values[j];
    else if (outputs == 1)
        *y = (real)*index;
    else
        for (num g = 0; g < setup->groups; y += setup->sizes[g++] * LANES)
            for (num j = 0; j < setup->sizes[g]; j++) y[j * LANES] = (real)(index[g] == j);
}

#endif
