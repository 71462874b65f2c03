/* Matrix products by tiles. A product's numbers do not depend on how it is cut into tiles. */
#ifndef BACKLIGHT_PRODUCT_H
#define BACKLIGHT_PRODUCT_H

#include "real.h"

struct product {
    const real *a;                           /* numbers spread over a vector: one per row and step */
    num a_row, a_step, a_segment;
    const real *b;                           /* vectors: one or two per step, side by side */
    num b_step, b_segment;
    num steps, segments;               /* terms per sum: steps x segments */
    const real *start;                       /* what the sums begin with; zero if null */
    num start_row;
    real *c;
    num c_row;
};

#define TILE_JOINED(rows, vectors) tile_##rows##_##vectors
#define TILE_NAME(rows, vectors) TILE_JOINED(rows, vectors)

#define VECTORS 1
#include "tiles.inc"
#undef VECTORS
#define VECTORS 2
#include "tiles.inc"
#undef VECTORS

typedef void tile_function(const struct product *);

#define TILES_TO_6(v) 0, tile_1_##v, tile_2_##v, tile_3_##v, tile_4_##v, tile_5_##v, tile_6_##v
#define TILES_TO_12(v) TILES_TO_6(v), tile_7_##v, tile_8_##v, tile_9_##v, tile_10_##v, tile_11_##v, tile_12_##v
#define TILES_TO_14(v) TILES_TO_12(v), tile_13_##v, tile_14_##v
#define ALL_TILES_JOINED(rows, v) TILES_TO_##rows(v)
#define ALL_TILES(rows, v) ALL_TILES_JOINED(rows, v)

static tile_function *const TILES[2][TILE_ROWS + 1] = {{ALL_TILES(TILE_ROWS, 1)}, {ALL_TILES(TILE_ROWS, 2)}};

/* A tile of `rows` <= TILE_ROWS rows and one or two vectors. */
INLINE void multiply_tile(const struct product *p, int rows, int vectors) { TILES[vectors - 1][rows](p); }

/* How many tiles cover `rows` rows, and where tile number k of them begins: heights differ by one at most. */
INLINE num tiles_for(num rows) { return (rows + TILE_ROWS - 1) / TILE_ROWS; }
INLINE num tile_begin(num rows, num tiles, num k) { return rows * k / tiles; }

/* Any number of rows. */
static void multiply(struct product p, num rows, int vectors) {
    num tiles = tiles_for(rows);
    const real *a = p.a, *start = p.start;
    real *c = p.c;
    for (num k = 0; k < tiles; k++) {
        num first = tile_begin(rows, tiles, k), next = tile_begin(rows, tiles, k + 1);
        p.a = a + first * p.a_row;
        p.start = start ? start + first * p.start_row : start;
        p.c = c + first * p.c_row;
        multiply_tile(&p, (int)(next - first), vectors);
    }
}

#endif
