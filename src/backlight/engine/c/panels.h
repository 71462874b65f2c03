/* Weights go into panels before a call's first step and come back after its last: [unit][i] <-> [i][unit].
 *
 * A whole panel fills the very memory of its units' rows, so that it is turned in place, by way of a copy of one panel.
 */
#ifndef BACKLIGHT_PANELS_H
#define BACKLIGHT_PANELS_H

#include "layers.h"

/* Turn a square of LANES x LANES numbers. */
INLINE void turn_square(const real *from, num from_row, real *to, num to_row) {
#if defined(__clang__) || __GNUC__ >= 12
    vec a[LANES], b[LANES];
    UNROLL
    for (int k = 0; k < LANES; k++) a[k] = load(from + k * from_row);
    /* rows k and k + LANES/2 are shuffled together, log2(LANES) times */
    UNROLL
    for (int round = 1; round < LANES; round *= 2) {
        UNROLL
        for (int k = 0; k < LANES / 2; k++) {
#if VECTOR_BYTES == 64 && REAL_BITS == 32
            b[2 * k] = __builtin_shufflevector(a[k], a[k + LANES / 2], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                               7, 23);
            b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + LANES / 2], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                                   14, 30, 15, 31);
#elif VECTOR_BYTES == 64 || (VECTOR_BYTES == 32 && REAL_BITS == 32)
            b[2 * k] = __builtin_shufflevector(a[k], a[k + LANES / 2], 0, 8, 1, 9, 2, 10, 3, 11);
            b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + LANES / 2], 4, 12, 5, 13, 6, 14, 7, 15);
#elif VECTOR_BYTES == 32 || REAL_BITS == 32
            b[2 * k] = __builtin_shufflevector(a[k], a[k + LANES / 2], 0, 4, 1, 5);
            b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + LANES / 2], 2, 6, 3, 7);
#else
            b[2 * k] = __builtin_shufflevector(a[k], a[k + LANES / 2], 0, 2);
            b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + LANES / 2], 1, 3);
#endif
        }
        UNROLL
        for (int k = 0; k < LANES; k++) a[k] = b[k];
    }
    UNROLL
    for (int k = 0; k < LANES; k++) store(to + k * to_row, a[k]);
#else
    for (int k = 0; k < LANES; k++)
        for (int i = 0; i < LANES; i++) to[i * to_row + k] = from[k * from_row + i];
#endif
}

static void turn_one_square(const real *from, num from_row, real *to, num to_row) {
    turn_square(from, from_row, to, to_row);
}

/* Write [row][column] as [column][row]. */
static void turn(const real *from, num from_row, real *to, num to_row, num rows, num columns) {
    num r = 0;
    for (; r + LANES <= rows; r += LANES) {
        num c = 0;
        for (; c + LANES <= columns; c += LANES)
            turn_one_square(from + r * from_row + c, from_row, to + c * to_row + r, to_row);
        for (; c < columns; c++)
            for (num k = r; k < r + LANES; k++) to[c * to_row + k] = from[k * from_row + c];
    }
    for (; r < rows; r++)
        for (num c = 0; c < columns; c++) to[c * to_row + r] = from[r * from_row + c];
}

/* One panel of one array, into panel form or back; `copy` holds PANEL x incoming numbers. */
static void turn_panel(const struct dense *layer, real *flat, int k, num p, int back, real *copy) {
    num i = layer->incoming, width = panel_width(layer, p), units = layer->units - p * PANEL;
    if (units > PANEL) units = PANEL;
    real *rows = flat + layer->op->W + p * PANEL * i, *bias = flat + layer->op->b + p * PANEL;
    real *panel_bias = layer->bias[k] + p * PANEL;
    size_t bytes = (size_t)units * sizeof(real);
    if (back) memcpy(bias, panel_bias, bytes);
    else memcpy(panel_bias, bias, bytes);
    if (layer->norm.op) {
        real *scale = flat + layer->norm.op->W + p * PANEL, *shift = flat + layer->norm.op->b + p * PANEL;
        real *panel_scale = layer->norm.scale[k] + p * PANEL, *panel_shift = layer->norm.shift[k] + p * PANEL;
        memcpy(back ? scale : panel_scale, back ? panel_scale : scale, bytes);
        memcpy(back ? shift : panel_shift, back ? panel_shift : shift, bytes);
    }
    if (p < layer->whole) {
        memcpy(copy, rows, (size_t)(PANEL * i) * sizeof(real));
        if (back) turn(copy, PANEL, rows, i, i, PANEL);
        else turn(copy, i, rows, PANEL, PANEL, i);
    } else if (back) {
        turn(layer->edge_weights[k], width, rows, i, i, units);
    } else {
        turn(rows, i, layer->edge_weights[k], width, units, i);
    }
}

/* Every panel of every array that needs it; the crew shares them. */
static void turn_panels(struct net *net, const struct work *work, int back, num thread, real *copy) {
    num number = 0;
    for (num l = 0; l < net->depth; l++)
        for (num p = 0; p < net->layers[l].panels; p++)
            if (number++ % work->threads == thread)
                for (int k = 0; k < ARRAYS; k++)
                    if (work->arrays[k] && !(back ? work->leave : work->in_panels)[k])
                        turn_panel(&net->layers[l], work->arrays[k], k, p, back, copy);
}

#endif
