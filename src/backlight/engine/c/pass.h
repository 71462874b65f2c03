/* A pass: some examples that go through the network together, as one thread sees it. */
#ifndef BACKLIGHT_PASS_H
#define BACKLIGHT_PASS_H

#include "crew.h"
#include "fetch.h"

/* Up to FEW examples are not worth a vector. From NARROW inputs on, the sums of a first layer of one panel are cut.
 * Up to LIGHT weights after the first layer, examples stay with one thread. */
enum { FEW = 4, NARROW = 256, LIGHT = 16384 };

/* What is done with a step's gradients besides the optimizer's update, rounded to the format. */
struct terms {
    real l1, l2; /* penalties, of weights only */
    real scale;  /* what clipping multiplies gradients with */
    real rate;   /* how far averages move towards the parameters; 0 where there are none */
};

/* Some examples that pass together. */
struct pass {
    struct net *net;
    const struct work *work;
    const int64_t *order;
    num rows, thread, threads;
    num first, next; /* the thread's own examples */
    num cuts, from, to; /* into how many sums the first layer's are cut; the thread's own columns of them */
    int listening; /* whether errors are passed back */
    int squares;   /* whether squared gradient norms are wanted */
    struct terms terms;
    const real *shares; /* what errors are multiplied with when they are handed to weights: each example's share of
                           the objective; 1 where coupled examples were given theirs at the outputs */
    struct front *front;
    struct fetch *fetch;
};

/* The incoming activations of a layer. */
INLINE struct rows heard(const struct pass *pass, const struct dense *layer) {
    return layer == pass->net->layers ? pass->front->x : layer->a;
}

/* Whether every thread has columns of its own in the first layer. */
INLINE int by_columns(const struct pass *pass) { return pass->cuts > 1 && pass->work->mode != DELTAS; }

/* Whether it gathers only those, of all examples. A row that is augmented is gathered as a whole, by one thread. */
INLINE int gathers_columns(const struct pass *pass) { return by_columns(pass) && !pass->net->augmenter; }

INLINE int is_frozen(const struct work *work, num layer) { return work->frozen && work->frozen[layer]; }

/* The columns of a cut: whole cache lines. */
INLINE num cut_begin(const struct net *net, num cuts, num cut) {
    num inputs = net->setup.inputs;
    return cut == cuts ? inputs : inputs * cut / cuts / LINE * LINE;
}

/* Say which examples, and which columns, are the thread's own. */
static void assign(struct pass *pass) {
    const struct net *net = pass->net;
    num first, next;
    share((pass->rows + LANES - 1) / LANES, pass->thread, pass->threads, &first, &next);
    pass->first = first * LANES < pass->rows ? first * LANES : pass->rows;
    pass->next = next * LANES < pass->rows ? next * LANES : pass->rows;
    pass->cuts = net->narrow && pass->rows > FEW ? CUTS : 1;
    pass->from = 0;
    pass->to = net->setup.inputs;
    if (by_columns(pass)) {
        share(CUTS, pass->thread, pass->threads, &first, &next);
        pass->from = cut_begin(net, CUTS, first);
        pass->to = cut_begin(net, CUTS, next);
    }
}

#endif
