/* What the processor can do, asked of the processor itself: the highest instruction set of which it has every part
   and whose registers the operating system saves. Compiled for any processor of the machine's kind; knows nothing of
   the engine.

   The levels are those of the System V psABI for x86-64, https://gitlab.com/x86-psABIs/x86-64-ABI. */
#define EXPORT __attribute__((visibility("default")))

EXPORT const char *backlight_instruction_set(void);
EXPORT const char *backlight_build(void);

const char *backlight_build(void) { return BACKLIGHT_BUILD; }

#if defined(__x86_64__)
#include <cpuid.h>

struct words {
    unsigned a, b, c, d;
};

static struct words asked(unsigned leaf) {
    struct words w = {0, 0, 0, 0};
    __get_cpuid_count(leaf, 0, &w.a, &w.b, &w.c, &w.d); /* leaves them 0 where there is no such leaf */
    return w;
}

static int all(unsigned word, unsigned bits) { return (word & bits) == bits; }

/* Which registers the operating system saves; only to be asked where it says so (OSXSAVE). */
static unsigned saved(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

enum {
    /* leaf 1, c */
    SSE3 = 1 << 0, SSSE3 = 1 << 9, FMA = 1 << 12, CX16 = 1 << 13, SSE4_1 = 1 << 19, SSE4_2 = 1 << 20, MOVBE = 1 << 22,
    POPCNT = 1 << 23, OSXSAVE = 1 << 27, AVX = 1 << 28, F16C = 1 << 29,
    /* leaf 7, b */
    BMI1 = 1 << 3, AVX2 = 1 << 5, BMI2 = 1 << 8, AVX512F = 1 << 16, AVX512DQ = 1 << 17, AVX512CD = 1 << 28,
    AVX512BW = 1 << 30,
    /* leaf 0x80000001, c */
    LAHF = 1 << 0, LZCNT = 1 << 5,
    /* saved registers */
    XMM_YMM = 3 << 1, MASKS_ZMM = 7 << 5
};
#define AVX512VL (1u << 31)

const char *backlight_instruction_set(void) {
    struct words basic = asked(1), more = asked(7), extended = asked(0x80000001u);
    if (!all(basic.c, SSE3 | SSSE3 | CX16 | SSE4_1 | SSE4_2 | POPCNT) || !all(extended.c, LAHF))
        return "x86-64";
    if (!all(basic.c, FMA | MOVBE | OSXSAVE | AVX | F16C) || !all(more.b, BMI1 | AVX2 | BMI2)
        || !all(extended.c, LZCNT) || !all(saved(), XMM_YMM))
        return "x86-64-v2";
#if defined(__APPLE__)
    int wide = 1; /* macOS begins to save the widest registers when they are first used, and says so only then */
#else
    int wide = all(saved(), MASKS_ZMM);
#endif
    if (!wide || !all(more.b, AVX512F | AVX512DQ | AVX512CD | AVX512BW | AVX512VL))
        return "x86-64-v3";
    return "x86-64-v4";
}

#elif defined(__aarch64__)

const char *backlight_instruction_set(void) { return "arm64"; }

#else
#error "the engine knows x86-64 and arm64 processors"
#endif
