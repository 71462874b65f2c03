/* One source for two precisions: REAL_BITS chooses float or double, the instruction set chooses the vector's width.
 *
 * All arithmetic is written with GCC's and Clang's vector types. A sum is a chain of multiply_add in a fixed order,
 * so that every number is a function of shapes, precision and instruction set alone.
 */
#ifndef BACKLIGHT_REAL_H
#define BACKLIGHT_REAL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define TILE_ROWS 14 /* 32 registers: 14 x 2 sums, 2 vectors of weights or deltas, 1 spread number */
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#elif defined(__aarch64__)
#define VECTOR_BYTES 16
#define TILE_ROWS 12
#else
#define VECTOR_BYTES 16
#define TILE_ROWS 6
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if REAL_BITS == 32
typedef float real;
typedef int32_t whole;
#define NAME(name) backlight32_##name
#else
typedef double real;
typedef int64_t whole;
#define NAME(name) backlight64_##name
#endif

typedef ptrdiff_t num; /* counts, sizes and places: long is too short for them on Windows */

#define INLINE static inline __attribute__((always_inline, unused))
#define EXPORT __attribute__((visibility("default")))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef whole ivec __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t quads __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t words __attribute__((vector_size(VECTOR_BYTES)));
typedef vec loose_vec __attribute__((aligned(sizeof(real)), may_alias));

enum {
    LANES = VECTOR_BYTES / sizeof(real),
    PANEL = 2 * LANES,               /* how many units stand side by side: two vectors */
    WORD_LANES = VECTOR_BYTES / 4,
    QUAD_LANES = VECTOR_BYTES / 8,
};

INLINE vec load(const real *p) { return *(const loose_vec *)p; }
INLINE void store(real *p, vec v) { *(loose_vec *)p = v; }
INLINE vec spread(real x) { return x - (vec){0}; }
INLINE ivec spread_whole(whole x) { return x - (ivec){0}; }

/* a b + c: rounded once where the processor has it, and twice where it has not; never as the compiler pleases. */
INLINE vec multiply_add(vec a, vec b, vec c) {
#if defined(__AVX512F__) && REAL_BITS == 32
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX512F__)
    return (vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__) && REAL_BITS == 32
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__FMA__)
    return (vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__) && REAL_BITS == 32
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__aarch64__)
    return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

/* An instruction by its name for the vector's width and precision. */
#if defined(__x86_64__)
#if VECTOR_BYTES == 64
#define X86_WIDTH 512
#elif VECTOR_BYTES == 32
#define X86_WIDTH 256
#else
#define X86_WIDTH
#endif
#if REAL_BITS == 32
#define X86_TYPE ps
typedef float native __attribute__((vector_size(VECTOR_BYTES), may_alias));
#else
#define X86_TYPE pd
typedef double native __attribute__((vector_size(VECTOR_BYTES), may_alias));
#endif
#define X86_JOINED(width, name, type) _mm##width##_##name##_##type
#define X86_NAMED(width, name, type) X86_JOINED(width, name, type)
#define X86(name) X86_NAMED(X86_WIDTH, name, X86_TYPE)
#endif

INLINE vec square_root(vec a) {
#if defined(__x86_64__)
    return (vec)X86(sqrt)((native)a);
#elif defined(__aarch64__) && REAL_BITS == 32
    return (vec)vsqrtq_f32((float32x4_t)a);
#elif defined(__aarch64__)
    return (vec)vsqrtq_f64((float64x2_t)a);
#else
#error "square_root is not written for this processor"
#endif
}

/* The whole numbers at or below. */
INLINE vec floor_of(vec a) {
#if defined(__AVX512F__) && REAL_BITS == 32
    return (vec)_mm512_roundscale_ps((__m512)a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif defined(__AVX512F__)
    return (vec)_mm512_roundscale_pd((__m512d)a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif defined(__x86_64__)
    return (vec)X86(floor)((native)a);
#elif defined(__aarch64__) && REAL_BITS == 32
    return (vec)vrndmq_f32((float32x4_t)a);
#elif defined(__aarch64__)
    return (vec)vrndmq_f64((float64x2_t)a);
#else
#error "floor_of is not written for this processor"
#endif
}

/* The products of the low 32 bits of 64-bit lanes. */
INLINE quads multiply_low(quads a, quads b) {
#if defined(__AVX512F__)
    return (quads)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (quads)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__) && VECTOR_BYTES == 16
    return (quads)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

/* As many bytes as a vector has lanes of 32 bits, each to a lane. */
INLINE words widened(const uint8_t *bytes) {
#if defined(__AVX512F__)
    return (words)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)bytes));
#elif defined(__AVX2__)
    return (words)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
#else
    uint8_t some __attribute__((vector_size(WORD_LANES)));
    memcpy(&some, bytes, sizeof some);
    return __builtin_convertvector(some, words);
#endif
}

/* As many bytes as a vector has lanes, as numbers. */
INLINE vec real_bytes(const uint8_t *bytes) {
#if REAL_BITS == 32
    return __builtin_convertvector((ivec)widened(bytes), vec);
#else
    uint8_t some __attribute__((vector_size(LANES)));
    memcpy(&some, bytes, sizeof some);
    return __builtin_convertvector(some, vec);
#endif
}

/* where ? a : b, lane by lane; `where` is a comparison of vectors. */
INLINE vec choose(ivec where, vec a, vec b) { return (vec)(((ivec)a & where) | ((ivec)b & ~where)); }

/* The larger and the smaller; b where either is not a number. */
#if defined(__x86_64__)
INLINE vec larger(vec a, vec b) { return (vec)X86(max)((native)a, (native)b); }
INLINE vec smaller(vec a, vec b) { return (vec)X86(min)((native)a, (native)b); }
#else
INLINE vec larger(vec a, vec b) { return choose(a > b, a, b); }
INLINE vec smaller(vec a, vec b) { return choose(a < b, a, b); }
#endif
INLINE vec magnitude(vec a) { return (vec)((ivec)a & ~(ivec)spread((real)-0.0)); }
INLINE vec with_sign_of(vec a, vec b) { return (vec)((ivec)a | ((ivec)b & (ivec)spread((real)-0.0))); }

/* Σ over lanes, halves first: the same order on every processor with as many lanes. */
INLINE real sum_lanes(vec a) {
    real x[LANES];
    memcpy(x, &a, sizeof x);
    UNROLL
    for (int width = LANES / 2; width > 0; width /= 2)
        UNROLL
        for (int k = 0; k < width; k++) x[k] += x[k + width];
    return x[0];
}

/* 0, 1, 2, … */
INLINE ivec lane_numbers(void) {
    ivec lane;
    UNROLL
    for (int k = 0; k < LANES; k++) lane[k] = k;
    return lane;
}

/* All bits set in the first `count` lanes. */
INLINE ivec first_lanes(num count) { return lane_numbers() < spread_whole((whole)count); }

INLINE vec only(ivec where, vec a) { return (vec)((ivec)a & where); }

#endif
