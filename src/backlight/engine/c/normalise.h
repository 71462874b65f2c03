/* Normalising: each unit over the examples of a batch (Ioffe and Szegedy 2015, arXiv:1502.03167), or each example over
 * its units (Ba, Kiros and Hinton 2016, arXiv:1607.06450). Everything that is summed is summed by one thread: a panel of
 * units goes over all examples, or a block of examples over all units. */
#ifndef BACKLIGHT_NORMALISE_H
#define BACKLIGHT_NORMALISE_H

#include "backward.h"

enum { SUMS = 4 };

/* Whether a batch's own means and variances count: in training, where the layer learns, and for more than one. */
INLINE int averages(const struct pass *pass, const struct dense *layer) {
    return layer->norm.op->kind == OP_BATCH_NORM && pass->work->by_chance && pass->rows > 1
           && !is_frozen(pass->work, layer - pass->net->layers);
}

INLINE vec one_by_root(vec variance, const struct op *op) { return (real)1 / square_root(variance + (real)op->scale); }

/* The sum of a term over rows r: several sums side by side, in a fixed order. */
#define SUM_ROWS(rows, term)                                      \
    vec sums[SUMS] = {{0}};                                       \
    for (num r = 0; r < (rows); r++) sums[r % SUMS] += (term);    \
    return (sums[0] + sums[1]) + (sums[2] + sums[3])

static vec sum_rows(struct rows x, num rows) { SUM_ROWS(rows, load(x.at + r * x.stride)); }

static vec sum_squared_rows(struct rows x, num rows, vec mean) {
    SUM_ROWS(rows, (load(x.at + r * x.stride) - mean) * (load(x.at + r * x.stride) - mean));
}

static vec sum_products(struct rows x, struct rows y, num rows) {
    SUM_ROWS(rows, load(x.at + r * x.stride) * load(y.at + r * y.stride));
}

/* The running means, or variances, of a panel's units. */
INLINE real *running_at(const struct dense *layer, void *array, int which, num p) {
    return (real *)array + layer->norm.op->b + (1 + which) * layer->units + p * PANEL;
}

INLINE num units_of(const struct dense *layer, num p) {
    return layer->units - p * PANEL < PANEL ? layer->units - p * PANEL : PANEL;
}

/* A panel of units over all examples; then what follows from it. */
static void normalise_units(const struct pass *pass, struct dense *layer, num p) {
    const struct norm *norm = &layer->norm;
    const num width = panel_width(layer, p), unit = p * PANEL;
    const size_t bytes = (size_t)units_of(layer, p) * sizeof(real);
    real means[PANEL] = {0}, variances[PANEL] = {0};
    int own = averages(pass, layer);
    if (!own) {
        memcpy(means, running_at(layer, pass->work->arrays[PARAMS], 0, p), bytes);
        memcpy(variances, running_at(layer, pass->work->arrays[PARAMS], 1, p), bytes);
    }
    for (num v = 0; v < width; v += LANES) {
        struct rows z = part(layer->z, 0, unit + v), y = part(norm->y, 0, unit + v);
        vec mean = load(means + v), variance = load(variances + v);
        if (own) {
            mean = sum_rows(z, pass->rows) / (real)pass->rows;
            variance = sum_squared_rows(z, pass->rows, mean) / (real)pass->rows;
            store(norm->mean + unit + v, mean);
            store(norm->variance + unit + v, variance);
        }
        vec inverse = one_by_root(variance, norm->op);
        vec scale = load(norm->scale[PARAMS] + unit + v), shift = load(norm->shift[PARAMS] + unit + v);
        store(norm->inverse + unit + v, inverse);
        for (num r = 0; r < pass->rows; r++) {
            vec hat = (load(z.at + r * z.stride) - mean) * inverse;
            store(z.at + r * z.stride, hat);
            store(y.at + r * y.stride, multiply_add(hat, scale, shift));
        }
    }
    follow(pass, layer, p, 0, pass->rows);
}

/* The lanes of the vector from unit `k` on that belong to a unit. */
INLINE ivec lanes_of(const struct dense *layer, num k) { return first_lanes(layer->units - k); }

/* Some examples over all units; then what follows from them. */
static void normalise_examples(const struct pass *pass, struct dense *layer, num row, num rows) {
    const struct norm *norm = &layer->norm;
    const real count = (real)layer->units;
    for (num r = row; r < row + rows; r++) {
        real *z = layer->z.at + r * layer->z.stride, *y = norm->y.at + r * norm->y.stride;
        vec total = {0}, squares = {0};
        for (num k = 0; k < layer->units; k += LANES) total += only(lanes_of(layer, k), load(z + k));
        vec mean = spread(sum_lanes(total) / count);
        for (num k = 0; k < layer->units; k += LANES) {
            vec centred = only(lanes_of(layer, k), load(z + k) - mean);
            store(z + k, centred);
            squares = multiply_add(centred, centred, squares);
        }
        vec inverse = one_by_root(spread(sum_lanes(squares) / count), norm->op);
        norm->inverse[r] = inverse[0];
        for (num k = 0; k < layer->units; k += LANES) {
            vec hat = load(z + k) * inverse;
            store(z + k, hat);
            store(y + k, multiply_add(hat, load(norm->scale[PARAMS] + k), load(norm->shift[PARAMS] + k)));
        }
    }
    for (num p = 0; p < layer->panels; p++) follow(pass, layer, p, row, rows);
}

/* A layer's z is there for all examples: it is normalised, and all that follows from it is computed. */
static void normalise(const struct pass *pass, struct dense *layer) {
    const int batches = layer->norm.op->kind == OP_BATCH_NORM;
    num tiles = tiles_for(pass->rows), item;
    begin_items(pass->net, pass->thread, pass->threads, batches ? layer->panels : tiles);
    while ((item = next_item(pass->net, pass->thread, pass->threads)) >= 0 && !stopped(pass->work)) {
        num row = tile_begin(pass->rows, tiles, item), end = tile_begin(pass->rows, tiles, item + 1);
        if (batches) normalise_units(pass, layer, item);
        else normalise_examples(pass, layer, row, end - row);
    }
}

/* The errors of a panel's z for all examples, from those of what was made of it; they are handed over. */
static void units_back(const struct pass *pass, struct dense *layer, num p) {
    const struct norm *norm = &layer->norm;
    const num width = panel_width(layer, p), unit = p * PANEL;
    struct rows errors = part(norm->errors, 0, unit), hats = part(layer->z, 0, unit);
    vec mean[2] = {{0}}, along[2] = {{0}}, factor[2];
    for (num v = 0; v < width / LANES; v++) {
        struct rows e = part(errors, 0, v * LANES), hat = part(hats, 0, v * LANES);
        factor[v] = load(norm->scale[PARAMS] + unit + v * LANES) * load(norm->inverse + unit + v * LANES);
        if (!averages(pass, layer)) continue;
        mean[v] = sum_rows(e, pass->rows) / (real)pass->rows;
        along[v] = sum_products(e, hat, pass->rows) / (real)pass->rows;
    }
    for (num row = 0; row < pass->rows; row += PANEL) {
        real d[PANEL * PANEL];
        num rows = pass->rows - row < PANEL ? pass->rows - row : PANEL;
        for (num r = 0; r < rows; r++)
            for (num v = 0; v < width / LANES; v++) {
                vec e = load(errors.at + (row + r) * errors.stride + v * LANES);
                vec hat = load(hats.at + (row + r) * hats.stride + v * LANES);
                store(d + r * PANEL + v * LANES, (e - mean[v] - hat * along[v]) * factor[v]);
            }
        hand_over(pass, layer, p, row, rows, d, PANEL);
    }
}

/* The same for up to PANEL examples and all units. */
static void examples_back(const struct pass *pass, struct dense *layer, num row, num rows) {
    const struct norm *norm = &layer->norm;
    const real count = (real)layer->units, *scale = norm->scale[PARAMS];
    real mean[PANEL], along[PANEL], d[PANEL * PANEL];
    for (num r = 0; r < rows; r++) {
        const real *e = norm->errors.at + (row + r) * norm->errors.stride;
        const real *hat = layer->z.at + (row + r) * layer->z.stride;
        vec total = {0}, products = {0}, squares = {0};
        for (num k = 0; k < layer->units; k += LANES) {
            vec d_hat = load(e + k) * load(scale + k), d_scale = load(e + k) * load(hat + k);
            total += d_hat;
            products = multiply_add(d_hat, load(hat + k), products);
            squares = multiply_add(d_scale, d_scale, multiply_add(load(e + k), load(e + k), squares));
        }
        mean[r] = sum_lanes(total) / count;
        along[r] = sum_lanes(products) / count;
        norm->square[row + r] = sum_lanes(squares);
    }
    for (num p = 0; p < layer->panels; p++) {
        for (num r = 0; r < rows; r++)
            for (num k = p * PANEL; k < p * PANEL + panel_width(layer, p); k += LANES) {
                vec e = load(norm->errors.at + (row + r) * norm->errors.stride + k);
                vec hat = load(layer->z.at + (row + r) * layer->z.stride + k);
                vec slope = (e * load(scale + k) - mean[r] - hat * along[r]) * norm->inverse[row + r];
                store(d + r * PANEL + k - p * PANEL, only(lanes_of(layer, k), slope));
            }
        hand_over(pass, layer, p, row, rows, d, PANEL);
    }
}

/* All errors of what the normalisation gave are there: they go back through it, and on to the weights. */
static void normalise_back(const struct pass *pass, struct dense *layer) {
    const int batches = layer->norm.op->kind == OP_BATCH_NORM;
    num blocks = (pass->rows + PANEL - 1) / PANEL, item;
    begin_items(pass->net, pass->thread, pass->threads, batches ? layer->panels : blocks);
    while ((item = next_item(pass->net, pass->thread, pass->threads)) >= 0 && !stopped(pass->work)) {
        num row = item * PANEL, rows = pass->rows - row < PANEL ? pass->rows - row : PANEL;
        if (batches) units_back(pass, layer, item);
        else examples_back(pass, layer, row, rows);
    }
}

/* Note what the running statistics of a panel will be after the step, of which this may be the first pass. */
static void keep_statistics(const struct pass *pass, const struct dense *layer, num p, int first) {
    const struct norm *norm = &layer->norm;
    const double momentum = norm->op->momentum;
    const double shares[2] = {momentum, momentum * (double)pass->rows / (double)(pass->rows - 1)};
    const real *batch[2] = {norm->mean + p * PANEL, norm->variance + p * PANEL};
    for (int which = 0; which < 2; which++) {
        const real *running = running_at(layer, pass->work->arrays[PARAMS], which, p);
        real *moved = norm->moved[which] + p * PANEL;
        for (num k = 0; k < units_of(layer, p); k++) {
            if (first) moved[k] = running[k];
            if (averages(pass, layer)) moved[k] = moved[k] * (real)(1 - momentum) + batch[which][k] * (real)shares[which];
        }
        if (pass->work->statistics)
            memcpy(running_at(layer, pass->work->statistics, which, p), moved, (size_t)units_of(layer, p) * sizeof(real));
    }
}

/* The step is taken: running statistics become what was noted, and are averaged. */
static void learn_statistics(const struct pass *pass, const struct dense *layer, num p) {
    for (int which = 0; which < 2; which++) {
        const real *moved = layer->norm.moved[which] + p * PANEL;
        real *running = running_at(layer, pass->work->arrays[PARAMS], which, p);
        memcpy(running, moved, (size_t)units_of(layer, p) * sizeof(real));
        if (!pass->work->averaging) continue;
        real *mean = running_at(layer, pass->work->arrays[AVERAGE], which, p);
        for (num k = 0; k < units_of(layer, p); k++) mean[k] += (moved[k] - mean[k]) * pass->terms.rate;
    }
}

/* Gradients of a panel's scales and shifts: sums over examples of what was handed down to them. */
static void sum_scales(const struct pass *pass, const struct dense *layer, num p, real *scales, real *shifts) {
    for (num v = 0; v < panel_width(layer, p); v += LANES) {
        struct rows errors = part(layer->norm.errors, 0, p * PANEL + v), hat = part(layer->z, 0, p * PANEL + v);
        vec scale = {0}, shift = {0};
        for (num r = 0; r < pass->rows; r++) {
            vec d = load(errors.at + r * errors.stride) * pass->shares[r];
            scale = multiply_add(d, load(hat.at + r * hat.stride), scale);
            shift += d;
        }
        store(scales + v, scale);
        store(shifts + v, shift);
    }
}

#endif
