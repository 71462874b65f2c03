/* What is done with a gradient besides the optimizer's update: penalties, clipping, averaging. */
#ifndef BACKLIGHT_REGULARIZATION_H
#define BACKLIGHT_REGULARIZATION_H

#include "optimizers.h"
#include "pass.h"

static struct terms terms_for(const struct work *work, num step) {
    struct terms terms = {.l1 = (real)work->l1, .l2 = (real)work->l2, .scale = 1};
    if (work->averaging) terms.rate = (real)work->averaging[step];
    return terms;
}

INLINE int penalised(const struct work *work) { return work->l1 != 0 || work->l2 != 0; }

/* Add l1 sign(w) + l2 w, the penalties' own gradient. */
static void penalise(const struct terms *terms, const real *w, real *g, num count) {
    const vec l1 = spread(terms->l1), zero = {0};
    for (num k = 0; k < count; k += LANES) {
        vec weight = load(w + k), sign = choose(weight > zero, l1, choose(weight < zero, -l1, zero));
        store(g + k, load(g + k) + sign + weight * terms->l2);
    }
}

static void shorten(real scale, real *g, num count) {
    for (num k = 0; k < count; k += LANES) store(g + k, load(g + k) * scale);
}

static void average(real rate, const real *w, real *mean, num count) {
    for (num k = 0; k < count; k += LANES) store(mean + k, load(mean + k) + (load(w + k) - load(mean + k)) * rate);
}

/* The sums of magnitudes and of squares: by blocks, so that they are exact enough, in an order of their own. */
static void add_up(const real *x, num count, double *magnitudes, double *squares) {
    const num block = 32 * PANEL;
    for (num begin = 0; begin < count; begin += block) {
        const num end = begin + block < count ? begin + block : count;
        vec sizes = {0}, products = {0};
        for (num k = begin; k < end; k += LANES) {
            sizes += magnitude(load(x + k));
            products = multiply_add(load(x + k), load(x + k), products);
        }
        *magnitudes += (double)sum_lanes(sizes);
        *squares += (double)sum_lanes(products);
    }
}

/* Each panel's part of the penalty, for thread 0 to add up. */
static void weigh(const struct pass *pass) {
    const struct work *work = pass->work;
    for (num l = pass->net->lowest; l < pass->net->depth; l++) {
        const struct dense *layer = &pass->net->layers[l];
        num p, next;
        share(layer->panels, pass->thread, pass->threads, &p, &next);
        for (; p < next && !is_frozen(work, l); p++) {
            double magnitudes = 0, squares = 0;
            add_up(panel_weights(layer, work->arrays[PARAMS], PARAMS, p), layer->incoming * panel_width(layer, p),
                   &magnitudes, &squares);
            layer->sums[p] = work->l1 * magnitudes + work->l2 * squares * 0.5;
        }
    }
}

/* Finish stored gradients by the penalties' own, and leave the sums of their squares. */
static void measure(const struct pass *pass) {
    const struct work *work = pass->work;
    for (num l = pass->net->lowest; l < pass->net->depth; l++) {
        const struct dense *layer = &pass->net->layers[l];
        num p, next;
        share(layer->panels, pass->thread, pass->threads, &p, &next);
        for (; p < next && !is_frozen(work, l); p++) {
            const num width = panel_width(layer, p), count = layer->incoming * width;
            real *g = panel_weights(layer, work->arrays[GRADS], GRADS, p);
            double magnitudes = 0, squares = 0;
            if (penalised(work)) penalise(&pass->terms, panel_weights(layer, work->arrays[PARAMS], PARAMS, p), g, count);
            add_up(g, count, &magnitudes, &squares);
            add_up(layer->bias[GRADS] + p * PANEL, width, &magnitudes, &squares);
            if (layer->norm.op) {
                add_up(layer->norm.scale[GRADS] + p * PANEL, width, &magnitudes, &squares);
                add_up(layer->norm.shift[GRADS] + p * PANEL, width, &magnitudes, &squares);
            }
            layer->sums[p] = squares;
        }
    }
}

/* The sum of what the panels of all layers that learn have left. */
static double sum_of_panels(const struct net *net, const struct work *work) {
    double sum = 0;
    for (num l = net->lowest; l < net->depth; l++)
        for (num p = 0; p < net->layers[l].panels && !is_frozen(work, l); p++) sum += net->layers[l].sums[p];
    return sum;
}

/* What a gradient of that squared length is multiplied with. */
static double clip_factor(double clip, double square) { return square > clip * clip ? clip / sqrt(square) : 1; }

/* Squared norms of the gradients of LANES examples from r on, sum over layers of |delta|^2 (|a|^2 + 1): Goodfellow
 * 2015, arXiv:1510.01799; and those of scales and shifts. */
static vec squared_norms(const struct pass *pass, num r) {
    const struct net *net = pass->net;
    const num capacity = net->setup.capacity;
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
    return norm;
}

static void write_norms(const struct pass *pass) {
    real *out = (real *)pass->work->norms + (pass->order - pass->work->order);
    for (num r = pass->first; r < pass->next; r += LANES) {
        real norms[LANES];
        store(norms, squared_norms(pass, r));
        memcpy(out + r, norms, (size_t)(pass->next - r < LANES ? pass->next - r : LANES) * sizeof(real));
    }
}

/* Shorten the errors, and so the gradients, of the thread's own examples where these are too long: c delta, whose
 * product with a is the sum of the clipped gradients. */
static void clip_examples(const struct pass *pass) {
    const struct net *net = pass->net;
    real squares[LANES];
    for (num r = pass->first; r < pass->next; r++) {
        if ((r - pass->first) % LANES == 0) store(squares, squared_norms(pass, r));
        const double c = clip_factor(pass->work->clip_examples, (double)squares[(r - pass->first) % LANES]);
        for (num l = net->lowest; c != 1 && l < net->depth; l++) {
            const struct dense *layer = &net->layers[l];
            if (is_frozen(pass->work, l)) continue;
            if (layer->norm.op) shorten((real)c, layer->norm.errors.at + r * layer->norm.errors.stride, layer->padded);
            for (num p = 0; p < layer->panels; p++) {
                const num width = panel_width(layer, p);
                shorten((real)c, panel_delta(layer, net->setup.capacity, p) + r * width, width);
            }
        }
    }
}

#endif
