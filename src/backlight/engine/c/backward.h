/* Every example speaks, last part: its errors are passed back, and handed to the weights. */
#ifndef BACKLIGHT_BACKWARD_H
#define BACKLIGHT_BACKWARD_H

#include "forward.h"
#include "panels.h"

/* Hand a block of errors d [example][unit] to the weights of a panel, and to the layer's own way back. */
static void hand_over(const struct pass *pass, struct dense *layer, num p, num row, num rows, const real *d,
                      num d_row) {
    struct net *net = pass->net;
    num capacity = net->setup.capacity, width = panel_width(layer, p);
    real *delta = panel_delta(layer, capacity, p) + row * width;
    for (num r = 0; r < rows; r++) {
        vec weight = spread(pass->shares[row + r]);
        for (num v = 0; v < width; v += LANES) store(delta + r * width + v, load(d + r * d_row + v) * weight);
    }
    if (pass->squares) sum_squares(d, d_row, rows, width, layer->delta_square + p * capacity + row);
    if (layer - net->layers <= net->lowest) return;
    if (pass->rows <= FEW) {
        for (num r = 0; r < rows; r++)
            memcpy(layer->delta_t + p * PANEL * FEW + (row + r) * width, d + r * d_row, (size_t)width * sizeof(real));
        return;
    }
    while (rows > 0) { /* block by block of PANEL examples */
        num within = row % PANEL, count = PANEL - within < rows ? PANEL - within : rows;
        real *block = layer->delta_t + (row / PANEL) * PANEL * layer->padded + p * PANEL * PANEL + within;
        turn(d, d_row, block, PANEL, count, width);
        row += count;
        rows -= count;
        d += count * d_row;
    }
}

/* What up to PANEL examples from `row` on, a multiple of LANES, ask of the incoming units `unit` on: (delta W), as
 * [unit][example]. */
static void ask(const struct pass *pass, const struct dense *layer, num row, num examples, num unit, num units,
                real *asked) {
    const real *w = pass->work->arrays[PARAMS];
    const real *delta_t = layer->delta_t + row / PANEL * PANEL * layer->padded + row % PANEL;
    struct product product = {
        .a = w + layer->op->W + unit * PANEL, .a_row = PANEL, .a_step = 1, .a_segment = PANEL * layer->incoming,
        .b = delta_t, .b_step = PANEL, .b_segment = PANEL * PANEL, .steps = PANEL, .segments = layer->whole,
        .c = asked, .c_row = PANEL,
    };
    int vectors = examples > LANES ? 2 : 1;
    multiply(product, units, vectors);
    if (!layer->edge) return;
    product.a = layer->edge_weights[PARAMS] + unit * layer->edge;
    product.a_row = layer->edge;
    product.b = delta_t + layer->whole * PANEL * PANEL;
    product.steps = layer->units - layer->whole * PANEL;
    product.segments = 1;
    product.start = asked;
    product.start_row = PANEL;
    multiply(product, units, vectors);
}

/* The same where at most FEW examples pass: each number is a sum over lanes, as [example][unit]. */
static void ask_for_few(const struct pass *pass, const struct dense *layer, num row, num rows, num unit, num units,
                        real *asked) {
    for (num i = 0; i < units; i++)
        for (num r = 0; r < rows; r++) {
            vec total[2] = {{0}, {0}};
            for (num p = 0; p < layer->panels; p++) {
                num width = panel_width(layer, p);
                const real *w = panel_weights(layer, pass->work->arrays[PARAMS], PARAMS, p) + (unit + i) * width;
                const real *d = layer->delta_t + p * PANEL * FEW + (row + r) * width;
                total[0] = multiply_add(load(w), load(d), total[0]);
                if (width > LANES) total[1] = multiply_add(load(w + LANES), load(d + LANES), total[1]);
            }
            asked[r * PANEL + i] = sum_lanes(total[0] + total[1]);
        }
}

/* Ask for the cache lines that a block's errors will be handed over in: other cores have read them. */
static void ask_for_lines(const struct pass *pass, const struct dense *layer, num p, num row, num rows) {
    const num width = panel_width(layer, p);
    real *delta = panel_delta(layer, pass->net->setup.capacity, p) + row * width;
    for (num k = 0; k < rows * width; k += LINE) __builtin_prefetch(delta + k, 1);
    if (layer - pass->net->layers <= pass->net->lowest || pass->rows <= FEW) return;
    real *block = layer->delta_t + row / PANEL * PANEL * layer->padded + p * PANEL * PANEL + row % PANEL;
    for (num k = 0; k < width * PANEL; k += LINE) __builtin_prefetch(block + k, 1);
}

/* The errors of a panel of the layer below for up to PANEL examples: what is asked of its units, back through their
 * chain. */
static void backward_block(const struct pass *pass, const struct dense *layer, struct dense *below, num p, num row,
                           num rows) {
    real asked[PANEL * PANEL], d[PANEL * PANEL];
    num width = panel_width(below, p), unit = p * PANEL;
    num units = below->units - unit < PANEL ? below->units - unit : PANEL;
    ask_for_lines(pass, below, p, row, rows);
    if (pass->rows <= FEW) {
        memset(d, 0, sizeof d);
        ask_for_few(pass, layer, row, rows, unit, units, d);
    } else {
        if (units < width) memset(asked, 0, sizeof asked);
        ask(pass, layer, row, rows, unit, units, asked);
        turn(asked, PANEL, d, PANEL, width, round_up(rows, LANES));
    }
    chain_backward(pass->work, below->chain, below->links, row, unit, d, PANEL, rows, width / LANES);
    if (!below->norm.op) {
        hand_over(pass, below, p, row, rows, d, PANEL);
        return;
    }
    struct rows errors = part(below->norm.errors, row, unit);
    for (num r = 0; r < rows; r++)
        memcpy(errors.at + r * errors.stride, d + r * PANEL, (size_t)width * sizeof(real));
}

/* The errors of the layer below, shared by its units. */
static void backward(const struct pass *pass, const struct dense *layer, struct dense *below) {
    num blocks = (pass->rows + PANEL - 1) / PANEL, item;
    begin_items(pass->net, pass->thread, pass->threads, below->panels * blocks);
    while ((item = next_item(pass->net, pass->thread, pass->threads)) >= 0 && !stopped(pass->work)) {
        num row = item % blocks * PANEL, rows = pass->rows - row < PANEL ? pass->rows - row : PANEL;
        backward_block(pass, layer, below, item / blocks, row, rows);
    }
}

/* The same for the thread's own examples alone. */
static void backward_own(const struct pass *pass, const struct dense *layer, struct dense *below) {
    for (num p = 0; p < below->panels; p++)
        for (num row = pass->first, rows; row < pass->next && !stopped(pass->work); row += rows) {
            rows = PANEL - row % PANEL;
            if (rows > pass->next - row) rows = pass->next - row;
            backward_block(pass, layer, below, p, row, rows);
        }
}

#endif
