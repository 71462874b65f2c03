/* What is drawn for a row: of each kind of change its own numbers, as backlight.data.augment.draws defines them. */
#ifndef BACKLIGHT_CHANCE_H
#define BACKLIGHT_CHANCE_H

#include "philox.h"

enum { MAP_DRAWS, FIELD_DRAWS, NOISE_DRAWS, ERASE_DRAWS, COLUMN_DRAWS };

/* Whose numbers are drawn. */
struct chance {
    const uint32_t *key;
    uint32_t row, epoch;
};

/* `count` words of a kind; room for them must be a multiple of 4 * QUAD_LANES. */
static void draw_words(const struct chance *chance, uint32_t kind, num count, uint32_t *words) {
    for (num first = 0; first < count; first += 4 * QUAD_LANES) {
        struct philox drawn = draw(chance->key, chance->row, chance->epoch, kind, (uint32_t)(first / 4));
        for (num k = 0; k < 4 * QUAD_LANES; k++) words[first + k] = (uint32_t)drawn.words[k % 4][k / 4];
    }
}

/* The same words two by two: the first and second of every counter to `low`, the third and fourth to `high`. */
static void draw_halves(const struct chance *chance, uint32_t kind, num counters, uint8_t *low, uint8_t *high) {
    for (num t = 0; t < counters; t += QUAD_LANES) {
        struct philox drawn = draw(chance->key, chance->row, chance->epoch, kind, (uint32_t)t);
        quads first = drawn.words[0] | drawn.words[1] << 32, second = drawn.words[2] | drawn.words[3] << 32;
        memcpy(low + 8 * t, &first, sizeof first);
        memcpy(high + 8 * t, &second, sizeof second);
    }
}

/* The middle of one of 2^32 equal parts of 0 to 1. */
INLINE double uniform(uint32_t word) { return ((double)word + 0.5) * (1.0 / 4294967296.0); }

#endif
