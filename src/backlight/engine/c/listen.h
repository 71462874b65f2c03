/* Every weight listens: gradient = sum over examples of delta times incoming activation, and the update at once. */
#ifndef BACKLIGHT_LISTEN_H
#define BACKLIGHT_LISTEN_H

#include "judge.h"
#include "normalise.h"
#include "regularization.h"

/* Where an update of a panel's weights from incoming unit `unit` on goes. */
struct place {
    real *w, *m, *v, *mean;
};

static struct place weights_at(const struct work *work, const struct dense *layer, int target, num p, num offset) {
    struct place place = {.w = panel_weights(layer, work->arrays[target], target, p) + offset};
    if (target == PARAMS && work->arrays[1]) place.m = panel_weights(layer, work->arrays[1], 1, p) + offset;
    if (target == PARAMS && work->arrays[2]) place.v = panel_weights(layer, work->arrays[2], 2, p) + offset;
    if (target == PARAMS && work->averaging) place.mean = panel_weights(layer, work->arrays[AVERAGE], AVERAGE, p) + offset;
    return place;
}

static struct place biases_at(const struct dense *layer, int target, num p) {
    struct place place = {.w = layer->bias[target] + p * PANEL};
    if (target != PARAMS) return place;
    place.m = layer->bias[1] + p * PANEL;
    place.v = layer->bias[2] + p * PANEL;
    place.mean = layer->bias[AVERAGE] + p * PANEL;
    return place;
}

/* What `count` weights do with their gradients: these are penalised and clipped, the weights moved and averaged. */
static void weights_heed(const struct terms *terms, const struct rule *rule, struct place at, real *grads, num count) {
    if (terms->l1 != 0 || terms->l2 != 0) penalise(terms, at.w, grads, count);
    if (terms->scale != 1) shorten(terms->scale, grads, count);
    update(rule, at.w, at.m, at.v, grads, count);
    if (terms->rate != 0) average(terms->rate, at.w, at.mean, count);
}

/* The same for a panel's biases, which are neither penalised nor decayed. */
static void biases_heed(const struct terms *terms, const struct rule *rule, struct place at, real *grads, num count) {
    struct terms unpenalised = *terms;
    struct rule undecayed = *rule;
    unpenalised.l1 = unpenalised.l2 = undecayed.shrink = 0;
    weights_heed(&unpenalised, &undecayed, at, grads, count);
}

/* The same for its scales and shifts. */
static void scales_heed(const struct pass *pass, const struct dense *layer, const struct rule *rule, int target, num p,
                        real *scales, real *shifts) {
    real *const *arrays[2] = {layer->norm.scale, layer->norm.shift};
    for (int k = 0; k < 2; k++) {
        struct place at = {arrays[k][target] + p * PANEL, arrays[k][1] + p * PANEL, arrays[k][2] + p * PANEL,
                           arrays[k][AVERAGE] + p * PANEL};
        biases_heed(&pass->terms, rule, at, k ? shifts : scales, panel_width(layer, p));
    }
    if (layer->norm.op->kind == OP_BATCH_NORM && target == PARAMS) learn_statistics(pass, layer, p);
}

static void scales_listen(const struct pass *pass, const struct dense *layer, const struct rule *rule, int target,
                          num p) {
    real scales[PANEL], shifts[PANEL];
    sum_scales(pass, layer, p, scales, shifts);
    if (layer->norm.op->kind == OP_BATCH_NORM) keep_statistics(pass, layer, p, rule->kind != ADD_GRADS);
    scales_heed(pass, layer, rule, target, p, scales, shifts);
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
    biases_heed(&pass->terms, rule, biases_at(layer, target, p), grads, width);
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
        if (at.mean) __builtin_prefetch(at.mean + k, 1);
    }
    multiply_tile(&product, (int)units, (int)(width / LANES));
    weights_heed(&pass->terms, rule, at, grads, units * width);
}

/* The same for one example: its product is too short for tiles. */
static void weights_listen_to_one(const struct pass *pass, struct dense *layer, const struct rule *rule, int target,
                                  num p, num unit, num units) {
    num width = panel_width(layer, p), two = width > LANES;
    const real *x = heard(pass, layer).at + unit, *delta = panel_delta(layer, pass->net->setup.capacity, p);
    vec d0 = load(delta), d1 = two ? load(delta + LANES) : d0;
    struct place at = weights_at(pass->work, layer, target, p, unit * width);
    if (rule->kind == SGD && rule->shrink == 0 && !penalised(pass->work) && pass->terms.rate == 0) { /* as `update` does it, without a detour by memory */
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
    weights_heed(&pass->terms, rule, at, grads, units * width);
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

/* An update from gradients that were stored: a batch was too large for one pass, or their length was wanted. */
static void move(const struct pass *pass, struct dense *layer, const struct rule *rule) {
    num first, next;
    share(layer->panels, pass->thread, pass->threads, &first, &next);
    for (num p = first; p < next; p++) {
        num width = panel_width(layer, p);
        weights_heed(&pass->terms, rule, weights_at(pass->work, layer, PARAMS, p, 0),
                     panel_weights(layer, pass->work->arrays[GRADS], GRADS, p), layer->incoming * width);
        biases_heed(&pass->terms, rule, biases_at(layer, PARAMS, p), layer->bias[GRADS] + p * PANEL, width);
        if (layer->norm.op)
            scales_heed(pass, layer, rule, PARAMS, p, layer->norm.scale[GRADS] + p * PANEL,
                        layer->norm.shift[GRADS] + p * PANEL);
    }
}

#endif
