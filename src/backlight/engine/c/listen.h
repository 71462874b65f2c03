/* Every weight listens: gradient = sum over examples of delta times incoming activation, and the update at once. */
#ifndef BACKLIGHT_LISTEN_H
#define BACKLIGHT_LISTEN_H

#include "judge.h"
#include "normalise.h"

/* Where an update of a panel's weights from incoming unit `unit` on goes. */
struct place {
    real *w, *m, *v;
};

static struct place weights_at(const struct work *work, const struct dense *layer, int target, num p, num offset) {
    struct place place = {panel_weights(layer, work->arrays[target], target, p) + offset, NULL, NULL};
    if (target == PARAMS && work->arrays[1]) place.m = panel_weights(layer, work->arrays[1], 1, p) + offset;
    if (target == PARAMS && work->arrays[2]) place.v = panel_weights(layer, work->arrays[2], 2, p) + offset;
    return place;
}

static struct place biases_at(const struct dense *layer, int target, num p) {
    return (struct place){layer->bias[target] + p * PANEL, layer->bias[1] + p * PANEL, layer->bias[2] + p * PANEL};
}

static void biases_listen(const struct pass *pass, struct dense *layer, const struct rule *rule, int target, num p) {
    num width = panel_width(layer, p), vectors = width / LANES;
    const real *delta = panel_delta(layer, pass->net->setup.capacity, p);
    real grads[PANEL];
    for (num v = 0; v < vectors; v++) {
        vec total = {0};
        for (num r = 0; r < pass->rows; r++) total += load(delta + r * width + v * LANES);
        store(grads + v * LANES, total);
    }
    struct rule undecayed = *rule;
    undecayed.shrink = 0;
    struct place at = biases_at(layer, target, p);
    update(&undecayed, at.w, at.m, at.v, grads, width);
}

static void weights_listen(const struct pass *pass, struct dense *layer, const struct rule *rule, int target, num p,
                           num unit, num units) {
    num width = panel_width(layer, p);
    real grads[TILE_ROWS * PANEL];
    struct rows a = heard(pass, layer);
    struct product product = {
        .a = a.at + unit, .a_row = 1, .a_step = a.stride,
        .b = panel_delta(layer, pass->net->setup.capacity, p), .b_step = width,
        .steps = pass->rows, .segments = 1, .c = grads, .c_row = width,
    };
    struct place at = weights_at(pass->work, layer, target, p, unit * width);
    for (num k = 0; k < units * width; k += LINE) {
        __builtin_prefetch(at.w + k, 1);
        if (at.m) __builtin_prefetch(at.m + k, 1);
        if (at.v) __builtin_prefetch(at.v + k, 1);
    }
    multiply_tile(&product, (int)units, (int)(width / LANES));
    update(rule, at.w, at.m, at.v, grads, units * width);
}

/* The same for one example: its product is too short for tiles. */
static void weights_listen_to_one(const struct pass *pass, struct dense *layer, const struct rule *rule, int target,
                                  num p, num unit, num units) {
    num width = panel_width(layer, p), two = width > LANES;
    const real *x = heard(pass, layer).at + unit, *delta = panel_delta(layer, pass->net->setup.capacity, p);
    vec d0 = load(delta), d1 = two ? load(delta + LANES) : d0;
    struct place at = weights_at(pass->work, layer, target, p, unit * width);
    if (rule->kind == SGD && rule->shrink == 0) { /* as `update` does it, without a detour by memory */
        const vec lr = spread(-rule->lr);
        for (num k = 0; k < units; k++, at.w += width) {
            vec a = spread(x[k]);
            store(at.w, multiply_add(a * d0, lr, load(at.w)));
            if (two) store(at.w + LANES, multiply_add(a * d1, lr, load(at.w + LANES)));
        }
        return;
    }
    real grads[TILE_ROWS * PANEL];
    for (num k = 0; k < units; k++) {
        store(grads + k * width, spread(x[k]) * d0);
        if (two) store(grads + k * width + LANES, spread(x[k]) * d1);
    }
    update(rule, at.w, at.m, at.v, grads, units * width);
}

static void tile_listens(const struct pass *pass, struct dense *layer, const struct rule *rule, int target, num p,
                         num unit, num end) {
    if (unit == 0) {
        biases_listen(pass, layer, rule, target, p);
        if (layer->norm.op) scales_listen(pass, layer, rule, target, p);
    }
    if (pass->rows == 1) weights_listen_to_one(pass, layer, rule, target, p, unit, end - unit);
    else weights_listen(pass, layer, rule, target, p, unit, end - unit);
    fetch_some(pass->fetch, (end - unit) * pass->rows * panel_width(layer, p));
}

/* A layer's weights, panel by panel, so that every core keeps its own; those of cut sums by the cuts' columns. */
static void listen(const struct pass *pass, struct dense *layer, const struct rule *rule, int target) {
    int by_columns = pass->cuts > 1 && layer == pass->net->layers;
    num from = by_columns ? pass->from : 0, to = by_columns ? pass->to : layer->incoming;
    num tiles = tiles_for(to - from), item;
    if (by_columns) {
        for (item = 0; item < tiles; item++)
            tile_listens(pass, layer, rule, target, 0, from + tile_begin(to - from, tiles, item),
                         from + tile_begin(to - from, tiles, item + 1));
        return;
    }
    begin_items(pass->net, pass->thread, pass->threads, layer->panels * tiles);
    while ((item = next_item(pass->net, pass->thread, pass->threads)) >= 0)
        tile_listens(pass, layer, rule, target, item / tiles, tile_begin(to, tiles, item % tiles),
                     tile_begin(to, tiles, item % tiles + 1));
}

/* An update from gradients that were stored, a batch having been too large for one pass. */
static void move(const struct pass *pass, struct dense *layer, const struct rule *rule) {
    num first, next;
    share(layer->panels, pass->thread, pass->threads, &first, &next);
    for (num p = first; p < next; p++) {
        num width = panel_width(layer, p);
        struct place at = weights_at(pass->work, layer, PARAMS, p, 0);
        update(rule, at.w, at.m, at.v, panel_weights(layer, pass->work->arrays[GRADS], GRADS, p),
               layer->incoming * width);
        struct rule undecayed = *rule;
        undecayed.shrink = 0;
        at = biases_at(layer, PARAMS, p);
        update(&undecayed, at.w, at.m, at.v, layer->bias[GRADS] + p * PANEL, width);
        if (!layer->norm.op) continue;
        update_vector(&undecayed, layer->norm.scale, PARAMS, p, layer->norm.scale[GRADS] + p * PANEL, width);
        update_vector(&undecayed, layer->norm.shift, PARAMS, p, layer->norm.shift[GRADS] + p * PANEL, width);
    }
}

/* Squared norms of the examples' gradients, sum over layers of |delta|^2 (|a|^2 + 1): Goodfellow 2015,
 * arXiv:1510.01799. */
static void write_norms(const struct pass *pass) {
    struct net *net = pass->net;
    num capacity = net->setup.capacity;
    real *out = (real *)pass->work->norms + (pass->order - pass->work->order);
    for (num r = pass->first; r < pass->next; r += LANES) {
        vec norm = {0};
        for (num l = net->lowest; l < net->depth; l++) {
            const struct dense *layer = &net->layers[l], *below = layer - 1;
            if (is_frozen(pass->work, l)) continue;
            vec errors = {0}, incoming = spread(1);
            for (num p = 0; p < layer->panels; p++) errors += load(layer->delta_square + p * capacity + r);
            if (l == 0)
                for (num cut = 0; cut < pass->cuts; cut++) incoming += load(net->x_square + cut * capacity + r);
            else
                for (num p = 0; p < below->panels; p++) incoming += load(below->a_square + p * capacity + r);
            norm += errors * incoming;
            if (layer->norm.op) norm += load(layer->norm.square + r);
        }
        real norms[LANES];
        store(norms, norm);
        memcpy(out + r, norms, (size_t)(pass->next - r < LANES ? pass->next - r : LANES) * sizeof(real));
    }
}

#endif
