/* exp, log and their kin on vectors: our own, for a library's may change its last bits between versions.
 *
 * Polynomials are plain Taylor series, cut where the next term falls below the precision.
 */
#ifndef BACKLIGHT_FUNCTIONS_H
#define BACKLIGHT_FUNCTIONS_H

#include "real.h"

#if REAL_BITS == 32
#define MANTISSA 23
#define EXPONENT_BIAS 127
#define ROUNDING_SHIFT 12582912.0f         /* 1.5 * 2^23: adding it rounds to whole numbers */
#define LN2_HIGH 0.693359375f              /* few bits, so that whole multiples are exact */
#define LN2_LOW -2.12194440054690583e-4f
#define EXP_TERMS 7
#define LOG_TERMS 5
#define EXP_LOWEST -104.0f
#define EXP_HIGHEST 89.0f
#define CDF_TERMS 12
#else
#define MANTISSA 52
#define EXPONENT_BIAS 1023
#define ROUNDING_SHIFT 6755399441055744.0  /* 1.5 * 2^52 */
#define LN2_HIGH 0.693147180369123816490
#define LN2_LOW 1.90821492927058770002e-10
#define EXP_TERMS 14
#define LOG_TERMS 12
#define EXP_LOWEST -746.0
#define EXP_HIGHEST 710.0
#define CDF_TERMS 28
#endif

#define LOG2_E ((real)1.44269504088896340736)
#define SQRT_HALF ((real)0.70710678118654752440)
#define EXP_LIMIT ((real)80.0) /* exp(80) is finite in float, and 1 / (1 + exp(80)) below its resolution */

/* 1/k!, from k = 1 */
static const real INVERSE_FACTORIAL[] = {
    1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
    1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0, 1.0 / 87178291200.0,
};

/* x = n ln 2 + r with abs(r) <= ln 2 / 2; returns exp(r) - 1. */
INLINE vec reduced_expm1(vec x, vec *n) {
    vec shift = spread(ROUNDING_SHIFT);
    *n = (multiply_add(x, spread(LOG2_E), shift)) - shift;
    vec r = multiply_add(*n, spread(-LN2_HIGH), x);
    r = multiply_add(*n, spread(-LN2_LOW), r);
    vec p = spread(INVERSE_FACTORIAL[EXP_TERMS - 1]);
    UNROLL
    for (int k = EXP_TERMS - 2; k >= 1; k--) p = multiply_add(p, r, spread(INVERSE_FACTORIAL[k]));
    return multiply_add(p * r, r, r);
}

/* 2^n for whole n within the range of normal numbers. */
INLINE vec power_of_two(vec n) {
    ivec k = (ivec)(n + spread(ROUNDING_SHIFT)) - (ivec)spread(ROUNDING_SHIFT);
    return (vec)((k + EXPONENT_BIAS) << MANTISSA);
}

INLINE vec exponential(vec x) {
    x = larger(spread(EXP_LOWEST), smaller(spread(EXP_HIGHEST), x));
    vec n, p = reduced_expm1(x, &n);
    vec shift = spread(ROUNDING_SHIFT), half = (n * (real)0.5 + shift) - shift;
    return (p + (real)1.0) * power_of_two(half) * power_of_two(n - half);
}

/* exp(x) - 1 for x <= 0. */
INLINE vec exponential_less_one(vec x) {
    x = larger(spread((real)-40.0), x);
    vec n, p = reduced_expm1(x, &n), scale = power_of_two(n);
    return multiply_add(p, scale, scale - (real)1.0);
}

/* log(x); -inf for 0, and not a number below. */
INLINE vec logarithm(vec x) {
    ivec bits = (ivec)x, n = (bits - (ivec)spread(SQRT_HALF)) >> MANTISSA;
    vec f = (vec)(bits - (n << MANTISSA)) - (real)1.0; /* 1 + f between the roots of a half and of two */
    vec s = f / (f + (real)2.0), s2 = s * s, p = spread((real)2.0 / (2 * LOG_TERMS - 1));
    UNROLL
    for (int k = LOG_TERMS - 2; k >= 1; k--) p = multiply_add(p, s2, spread((real)2.0 / (2 * k + 1)));
    vec tail = p * s2 * s; /* log(1 + f) = 2 s + tail, and 2 s = f - s f */
    vec e = __builtin_convertvector(n, vec);
    vec low = multiply_add(e, spread(LN2_LOW), tail - s * f);
    vec found = multiply_add(e, spread(LN2_HIGH), f + low);
    found = choose(x == spread(0), spread(-(real)INFINITY), found);
    found = choose(x == spread((real)INFINITY), x, found);
    return choose(x >= spread(0), found, spread((real)NAN));
}

/* log(1 + x) for 0 <= x <= 1: the rounding of 1 + x is made good. */
INLINE vec logarithm_of_one_plus(vec x) {
    vec u = x + (real)1.0;
    return logarithm(u) + (x - (u - (real)1.0)) / u;
}

INLINE vec logistic(vec z) {
    vec e = exponential(smaller(spread(EXP_LIMIT), -z));
    return spread(1) / (e + (real)1.0);
}

/* tanh abs(z) = -e / (e + 2) with e = exp(-2 abs(z)) - 1. */
INLINE vec hyperbolic_tangent(vec z) {
    vec e = exponential_less_one(magnitude(z) * (real)-2.0);
    return with_sign_of(magnitude(e / (e + (real)2.0)), z);
}

INLINE vec softplus(vec z) {
    return larger(spread(0), z) + logarithm_of_one_plus(exponential(-magnitude(z)));
}

/* Chebyshev coefficients of log(erfc(x) / t) + x^2 in 2 t - 1, t = 2 / (2 + x), as in backlight.network.activations;
 * the form is that of Press and others, Numerical Recipes, 3rd edition, section 6.2.2. */
static const real ERFC[] = {
    -0.6513268598908547171, 0.6419697923564902603, 0.019476473204185836312, -0.0095615147868086316419,
    -0.0009465953444820368663, 0.00036683949785276145187, 0.000042523324806907771645, -0.000020278578112534243154,
    -1.6242900046470255135e-6, 1.3036558355805232018e-6, 1.5626441722066143178e-8, -8.5238095914926542525e-8,
    6.5290544390488514964e-9, 5.0593434955514689418e-9, -9.9136415649303308674e-10, -2.2736512229318358557e-10,
    9.646791102015526802e-11, 2.3940380830391147447e-12, -6.8860275264975533984e-12, 8.9448792730907257167e-13,
    3.1309213993429580783e-13, -1.1270822361367252366e-13, 3.8109052551892320553e-16, 7.1060976136092369877e-15,
    -1.5230282014571043043e-15, -9.457494571291234002e-17, 1.2102371892242789925e-16, -2.8166630877471769733e-17,
};

/* The standard normal distribution: erfc(abs(z) / sqrt 2) / 2 is the tail beyond abs(z). */
INLINE vec normal_cdf(vec z) {
    vec t = spread((real)2.0) / multiply_add(magnitude(z), spread(SQRT_HALF), spread((real)2.0));
    vec u2 = (t * (real)2.0 - (real)1.0) * (real)2.0, d = {0}, dd = {0};
    for (int k = CDF_TERMS - 1; k >= 1; k--) { /* Clenshaw */
        vec next = multiply_add(u2, d, ERFC[k] - dd);
        dd = d;
        d = next;
    }
    vec log_tail = multiply_add(u2 * (real)0.5, d, ERFC[0] - dd) - z * z * (real)0.5;
    vec tail = t * (real)0.5 * exponential(log_tail);
    return choose(z > spread(0), (real)1.0 - tail, tail);
}

INLINE vec normal_density(vec z) { return exponential(z * z * (real)-0.5) * (real)0.39894228040143267794; }

#endif
