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
#define ROWS 1
#include "tile.inc"
#undef ROWS
#define ROWS 2
#include "tile.inc"
#undef ROWS
#define ROWS 3
#include "tile.inc"
#undef ROWS
#define ROWS 4
#include "tile.inc"
#undef ROWS
#define ROWS 5
#include "tile.inc"
#undef ROWS
#define ROWS 6
#include "tile.inc"
#undef ROWS
#if TILE_ROWS > 6
#define ROWS 7
#include "tile.inc"
#undef ROWS
#define ROWS 8
#include "tile.inc"
#undef ROWS
#define ROWS 9
#include "tile.inc"
#undef ROWS
#define ROWS 10
#include "tile.inc"
#undef ROWS
#define ROWS 11
#include "tile.inc"
#undef ROWS
#define ROWS 12
#include "tile.inc"
#undef ROWS
#if TILE_ROWS > 12
#define ROWS 13
#include "tile.inc"
#undef ROWS
#define ROWS 14
#include "tile.inc"
#undef ROWS
#endif
#endif
#undef VECTORS
#define VECTORS 2
#define ROWS 1
#include "tile.inc"
#undef ROWS
#define ROWS 2
#include "tile.inc"
#undef ROWS
#define ROWS 3
#include "tile.inc"
#undef ROWS
#define ROWS 4
#include "tile.inc"
#undef ROWS
#define ROWS 5
#include "tile.inc"
#undef ROWS
#define ROWS 6
#include "tile.inc"
#undef ROWS
#if TILE_ROWS > 6
#define ROWS 7
#include "tile.inc"
#undef ROWS
#define ROWS 8
#include "tile.inc"
#undef ROWS
#define ROWS 9
#include "tile.inc"
#undef ROWS
#define ROWS 10
#include "tile.inc"
#undef ROWS
#define ROWS 11
#include "tile.inc"
#undef ROWS
#define ROWS 12
#include "tile.inc"
#undef ROWS
#if TILE_ROWS > 12
#define ROWS 13
#include "tile.inc"
#undef ROWS
#define ROWS 14
#include "tile.inc"
#undef ROWS
#endif
#endif
#undef VECTORS

typedef void tile_function(const struct product *);

static tile_function *const TILES[2][TILE_ROWS + 1] = {
    {0, tile_1_1, tile_2_1, tile_3_1, tile_4_1, tile_5_1, tile_6_1,
#if TILE_ROWS > 6
     tile_7_1, tile_8_1, tile_9_1, tile_10_1, tile_11_1, tile_12_1,
#endif
#if TILE_ROWS > 12
     tile_13_1, tile_14_1,
#endif
    },
    {0, tile_1_2, tile_2_2, tile_3_2, tile_4_2, tile_5_2, tile_6_2,
#if TILE_ROWS > 6
     tile_7_2, tile_8_2, tile_9_2, tile_10_2, tile_11_2, tile_12_2,
#endif
#if TILE_ROWS > 12
     tile_13_2, tile_14_2,
#endif
    },
};

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
