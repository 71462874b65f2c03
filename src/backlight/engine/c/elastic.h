/* Elastic deformation: where each pixel is fetched from, by random fields that are smoothed.
 *
 * Simard, Steinkraus, Platt, "Best practices for convolutional neural networks", ICDAR 2003.
 * Both smoothings are products with a band of weights, the second with the reach: moved = reach K_H random K_W'.
 */
#ifndef BACKLIGHT_ELASTIC_H
#define BACKLIGHT_ELASTIC_H

#include "chance.h"
#include "layers.h"
#include "product.h"

/* The weights as the products read them. */
struct smoothing {
    num radius;
    real *band;   /* [incoming column - first column + radius][column of a panel] */
    real *rising; /* times the reach, by their distance from the middle one; zeros around them */
};

static struct smoothing open_smoothing(struct net *net, const struct augmentation *spec) {
    const num radius = spec->radius;
    struct smoothing smoothing = {radius, reserve(net, (PANEL + 2 * radius) * PANEL),
                                  reserve(net, 2 * (radius + TILE_ROWS) + 1)};
    if (net->short_of_memory) return smoothing;
    smoothing.rising += radius + TILE_ROWS;
    for (num k = -radius; k <= radius; k++) {
        double weight = spec->smooth[k < 0 ? -k : k];
        smoothing.rising[k] = (real)(weight * spec->reach);
        for (num lane = 0; lane < PANEL; lane++) smoothing.band[(k + lane + radius) * PANEL + lane] = (real)weight;
    }
    return smoothing;
}

/* Bytes to numbers from -1 to 1. */
static void spread_bytes(const uint8_t *bytes, num rows, num columns, real *out, num out_row) {
    for (num r = 0; r < rows; r++)
        for (num c = 0; c < columns; c += LANES) {
            vec x = real_bytes(bytes + r * columns + c);
            store(out + r * out_row + c, multiply_add(x, spread((real)(2.0 / 255.0)), spread(-1)));
        }
}

INLINE num least(num a, num b) { return a < b ? a : b; }
INLINE num most(num a, num b) { return a > b ? a : b; }

/* `rows` rows are smoothed along their columns; both stand `stride` apart, a multiple of PANEL. */
static void smooth_along(const struct smoothing *by, const real *from, real *to, num rows, num columns, num stride) {
    for (num c = 0; c < columns; c += PANEL) {
        num first = most(0, c - by->radius), next = least(columns, c + PANEL + by->radius);
        multiply((struct product){.a = from + first, .a_row = stride, .a_step = 1,
                                  .b = by->band + (first - c + by->radius) * PANEL, .b_step = PANEL,
                                  .steps = next - first, .segments = 1, .c = to + c, .c_row = stride},
                 rows, 2);
    }
}

/* One field is smoothed across its rows. */
static void smooth_across(const struct smoothing *by, const real *from, real *to, num rows, num columns, num stride) {
    const num tiles = tiles_for(rows);
    for (num tile = 0; tile < tiles; tile++) {
        num r = tile_begin(rows, tiles, tile), end = tile_begin(rows, tiles, tile + 1);
        num first = most(0, r - by->radius), next = least(rows, end + by->radius);
        for (num c = 0; c < columns; c += PANEL) {
            struct product product = {.a = by->rising + first - r, .a_row = -1, .a_step = 1,
                                      .b = from + first * stride + c, .b_step = stride, .steps = next - first,
                                      .segments = 1, .c = to + r * stride + c, .c_row = stride};
            multiply_tile(&product, (int)(end - r), 2);
        }
    }
}

#endif
