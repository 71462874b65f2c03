/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 *
 * A draw is a function of its key and its counter alone. QUAD_LANES counters are drawn at once, each word of 32 bits in
 * a lane of 64; they differ in their last word, which counts up from `first`.
 */
#ifndef BACKLIGHT_PHILOX_H
#define BACKLIGHT_PHILOX_H

#include "real.h"

struct philox {
    quads words[4];
};

INLINE quads all_quads(uint64_t x) { return x - (quads){0}; }

static struct philox draw(const uint32_t key[2], uint32_t c0, uint32_t c1, uint32_t c2, uint32_t first) {
    quads x0 = all_quads(c0), x1 = all_quads(c1), x2 = all_quads(c2), x3 = all_quads(first);
    for (int k = 0; k < QUAD_LANES; k++) x3[k] += (uint64_t)k;
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        quads p0 = multiply_low(x0, all_quads(0xD2511F53u)), p1 = multiply_low(x2, all_quads(0xCD9E8D57u));
        quads high0 = p0 >> 32, high1 = p1 >> 32;
        x0 = high1 ^ x1 ^ all_quads(k0);
        x1 = p1 & 0xFFFFFFFFu;
        x2 = high0 ^ x3 ^ all_quads(k1);
        x3 = p0 & 0xFFFFFFFFu;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (struct philox){{x0, x1, x2, x3}};
}

#endif
