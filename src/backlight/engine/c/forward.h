/* Every example speaks, second part: it is passed forward, layer by layer. */
#ifndef BACKLIGHT_FORWARD_H
#define BACKLIGHT_FORWARD_H

#include "elementwise.h"
#include "gather.h"
#include "product.h"

/* One example's z: four interleaved sums per unit, for a single one would wait for itself. */
static void forward_single(const real *x, num n, const real *w, const real *bias, num width, real *z) {
    vec sum[4][2] = {{{0}}};
    num k = 0, two = width > LANES;
    for (; k + 4 <= n; k += 4)
        UNROLL
        for (int c = 0; c < 4; c++) {
            vec left = spread(x[k + c]);
            const real *right = w + (k + c) * width;
            sum[c][0] = multiply_add(left, load(right), sum[c][0]);
            if (two) sum[c][1] = multiply_add(left, load(right + LANES), sum[c][1]);
        }
    for (; k < n; k++) {
        sum[0][0] = multiply_add(spread(x[k]), load(w + k * width), sum[0][0]);
        if (two) sum[0][1] = multiply_add(spread(x[k]), load(w + k * width + LANES), sum[0][1]);
    }
    for (int v = 0; v <= two; v++)
        store(z + v * LANES, (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]) + load(bias + v * LANES));
}

/* What follows from z: the layer's chain, and the squares of what it says. */
static void follow(const struct pass *pass, struct dense *layer, num p, num row, num rows) {
    num width = panel_width(layer, p), unit = p * PANEL;
    chain_forward(pass->net, pass->work, layer->chain, layer->links, pass->order, row, unit, rows, width / LANES);
    if (!pass->squares || layer == pass->net->layers + pass->net->depth - 1) return;
    num units = layer->units - unit < PANEL ? layer->units - unit : PANEL;
    struct rows out = part(layer->out, row, unit);
    sum_squares(out.at, out.stride, rows, units, layer->a_square + p * pass->net->setup.capacity + row);
}

/* z of `rows` examples from `row` on for a panel's units; then what follows. */
static void forward_block(const struct pass *pass, struct dense *layer, num p, num row, num rows) {
    const struct work *work = pass->work;
    num width = panel_width(layer, p), unit = p * PANEL;
    const real *w = panel_weights(layer, work->arrays[PARAMS], PARAMS, p), *bias = layer->bias[PARAMS] + unit;
    struct rows z = part(layer->z, row, unit), a = part(heard(pass, layer), row, 0);
    for (num r = 0; r < rows && r < TILE_ROWS; r++) /* other cores have read these lines: ask for them in time */
        for (num k = 0; k < width; k += LINE) __builtin_prefetch(z.at + r * z.stride + k, 1);
    if (pass->rows == 1)
        forward_single(a.at, layer->incoming, w, bias, width, z.at);
    else
        multiply((struct product){.a = a.at, .a_row = a.stride, .a_step = 1, .b = w, .b_step = width,
                                  .steps = layer->incoming, .segments = 1, .start = bias, .c = z.at,
                                  .c_row = z.stride},
                 rows, (int)(width / LANES));
    if (!layer->norm.op) follow(pass, layer, p, row, rows);
    if (layer == pass->net->layers) fetch_some(pass->fetch, rows * layer->incoming * width);
}

/* The first layer's sums where it has few units for many inputs: every cut of the inputs by the thread that has
 * gathered it, and whose weights never leave its core. */
static void forward_cuts(const struct pass *pass) {
    struct net *net = pass->net;
    const struct dense *layer = net->layers;
    const num width = panel_width(layer, 0), capacity = net->setup.capacity, tiles = tiles_for(pass->rows);
    struct rows a = pass->front->x;
    for (num cut = 0; cut < CUTS; cut++) {
        num from = cut_begin(net, CUTS, cut), to = cut_begin(net, CUTS, cut + 1);
        int own = from >= pass->from && to <= pass->to;
        if (pass->work->mode == DELTAS) own = cut % pass->threads == pass->thread;
        for (num tile = 0; own && tile < tiles; tile++) {
            num row = tile_begin(pass->rows, tiles, tile), rows = tile_begin(pass->rows, tiles, tile + 1) - row;
            real *c = net->partial + (cut * capacity + row) * width;
            for (num k = 0; k < rows * width; k += LINE) __builtin_prefetch(c + k, 1);
            struct product product = {
                .a = a.at + row * a.stride + from, .a_row = a.stride, .a_step = 1,
                .b = panel_weights(layer, pass->work->arrays[PARAMS], PARAMS, 0) + from * width, .b_step = width,
                .steps = to - from, .segments = 1, .start = cut ? NULL : layer->bias[PARAMS],
                .c = c, .c_row = width,
            };
            multiply_tile(&product, (int)rows, (int)(width / LANES));
            fetch_some(pass->fetch, rows * (to - from) * width);
        }
    }
}

/* z of the thread's own examples: the sums of the cuts' sums, in their order. */
static void join_cuts(const struct pass *pass) {
    struct net *net = pass->net;
    struct dense *layer = net->layers;
    const num width = panel_width(layer, 0), capacity = net->setup.capacity;
    for (num r = pass->first; r < pass->next; r++)
        for (num v = 0; v < width; v += LANES) {
            const real *c = net->partial + r * width + v;
            vec sum = load(c);
            for (num cut = 1; cut < CUTS; cut++) sum += load(c + cut * capacity * width);
            store(layer->z.at + r * layer->z.stride + v, sum);
        }
    if (pass->first < pass->next && !layer->norm.op)
        follow(pass, layer, 0, pass->first, pass->next - pass->first);
}

/* A layer's z and all that follows from it, shared by units where the weights outweigh the activations, for then
 * every core keeps its weights, and by examples otherwise. */
static void forward(const struct pass *pass, struct dense *layer) {
    num panels = layer->panels, tiles = tiles_for(pass->rows), item;
    int by_units = layer->units >= pass->rows;
    begin_items(pass->net, pass->thread, pass->threads, panels * tiles);
    while ((item = next_item(pass->net, pass->thread, pass->threads)) >= 0 && !stopped(pass->work)) {
        num p = by_units ? item / tiles : item % panels, tile = by_units ? item % tiles : item / panels;
        num row = tile_begin(pass->rows, tiles, tile), end = tile_begin(pass->rows, tiles, tile + 1);
        forward_block(pass, layer, p, row, end - row);
    }
}

/* The same for the thread's own examples alone. */
static void forward_own(const struct pass *pass, struct dense *layer) {
    if (pass->first >= pass->next) return;
    if (pass->cuts > 1 && layer == pass->net->layers) {
        join_cuts(pass);
        return;
    }
    for (num p = 0; p < layer->panels && !stopped(pass->work); p++)
        forward_block(pass, layer, p, pass->first, pass->next - pass->first);
}

#endif
