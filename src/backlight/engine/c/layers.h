/* A network as the engine holds it: dense layers, each with the chain of elementwise operations that follows it. */
#ifndef BACKLIGHT_LAYERS_H
#define BACKLIGHT_LAYERS_H

#include <stdatomic.h>
#include <stdlib.h>

#include "interface.h"
#include "real.h"

#define CACHE_LINE 64
#define LINE ((num)(CACHE_LINE / sizeof(real))) /* numbers on a cache line */

enum { CUTS = 4, ARRAYS = 5, PARAMS = 0, GRADS = 3, AVERAGE = 4 };

/* The bytes of a number in a source, by its kind. */
static const num SOURCE_BYTES[] = {1, 4, 8};

/* A matrix of one row per example, an odd number of cache lines apart, lest they share the same sets of the cache. */
struct rows {
    real *at;
    num stride;
};

struct link { /* one elementwise operation */
    const struct op *op;
    struct rows in, out, scale; /* scale: dropout's factors */
};

/* The normalisation behind a dense layer, whose z it replaces by the normalised numbers. Its shift and scale lie as
 * biases do. */
struct norm {
    const struct op *op; /* null where there is none */
    real *scale[ARRAYS], *shift[ARRAYS];
    struct rows y, errors;  /* scaled and shifted: what the chain begins with; and its errors */
    real *mean, *variance;  /* of the batch, per unit */
    real *moved[2];         /* what running means and variances will be after the step */
    real *inverse;          /* 1 / root: per unit or, where examples are normalised, per example */
    real *square;           /* per example: the squared norm of its gradient for scale and shift */
};

/* A dense layer. Its units stand in panels of PANEL; the last panel is LANES wide where that suffices.
 * Panel p of an array holds, for every incoming unit i, the weights into its units side by side: [i][unit].
 * delta: [panel][example][unit], each times the example's share of the objective.
 * delta_t: [block of PANEL examples][unit][example], without the share; for the layers below. */
struct dense {
    const struct op *op;
    num incoming, units, panels, whole, edge, padded; /* panels = whole + (edge > 0); edge: that panel's width */
    real *edge_weights[ARRAYS], *bias[ARRAYS];
    struct rows a, z, out; /* incoming activations; what the layer computes; the end of its chain */
    struct norm norm;
    struct link *chain;
    num links;
    int64_t ending; /* the last layer's output activation; it is no link of its chain */
    real *delta, *delta_t;
    real *delta_square, *a_square; /* per panel and example; a_square of the outputs */
    double *sums; /* per panel: of its part of the penalty, or of the squares of its gradients */
};

/* The items of a phase of work that a thread has not begun: phase, first and next in one word, on a line of its own. */
struct span {
    _Atomic uint64_t word;
    char rest[CACHE_LINE - sizeof(uint64_t)];
};

/* The gathered inputs. Every thread has a copy of its own where memory allows: a buffer that one
 * core writes and another reads costs more than gathering twice. */
struct front {
    struct rows x;
    uint64_t phase;      /* how many phases of shared work the thread has begun in this call */
    real *weights;       /* each example's share of the objective */
    real *copy, *judged; /* room for one panel, and for LANES examples' z, a, y and errors */
};

struct net {
    struct setup setup;
    struct op *ops;
    int64_t *sizes; /* the setup's own copy */
    struct dense *layers;
    struct front *fronts;
    struct span *spans; /* per thread */
    struct augmenter *augmenter; /* null where rows stay as they are */
    int shared; /* whether all threads share the first front */
    int narrow; /* whether the first layer's sums are cut */
    int coupled; /* whether a batch is normalised, so that its examples must pass together in training */
    real *ones;  /* per example */
    int light;  /* whether so few weights follow the first layer that examples are best left with one thread */
    real *partial; /* [cut][example][unit] */
    real *x_square, *error, *losses; /* x_square: [cut][example] */
    num depth, lowest; /* lowest: the first layer that learns in this call */
    num widest;               /* the most incoming units of any layer */
    uint32_t key[2];
    atomic_ptrdiff_t arrived, turn;
    atomic_int verdict;
    _Atomic int64_t waited; /* nanoseconds spent waiting for threads that do not run, added up */
    int64_t begun;          /* when the call began */
    int short_of_memory;
    void **blocks;
    num block_count;
};

INLINE num round_up(num x, num unit) { return (x + unit - 1) / unit * unit; }

INLINE num panel_width(const struct dense *layer, num p) { return p < layer->whole ? PANEL : layer->edge; }

/* The panel's weights in array `k`, `flat` being the whole array. */
INLINE real *panel_weights(const struct dense *layer, real *flat, int k, num p) {
    return p < layer->whole ? flat + layer->op->W + p * PANEL * layer->incoming : layer->edge_weights[k];
}

INLINE real *panel_delta(const struct dense *layer, num capacity, num p) {
    return layer->delta + p * PANEL * capacity;
}

/* Zeroed memory on a cache line; null where there is none, and the net remembers that. */
static real *reserve(struct net *net, num count) {
    void **blocks = realloc(net->blocks, (size_t)(net->block_count + 1) * sizeof *blocks);
    char *block = calloc(1, (size_t)(count > 0 ? count : 1) * sizeof(real) + 2 * CACHE_LINE);
    if (blocks) net->blocks = blocks;
    if (!blocks || !block) {
        free(block);
        net->short_of_memory = 1;
        return NULL;
    }
    net->blocks[net->block_count++] = block;
    return (real *)(block + (CACHE_LINE - (uintptr_t)block % CACHE_LINE));
}

static struct rows reserve_rows(struct net *net, num capacity, num width) {
    num lines = round_up(round_up(width, PANEL), LINE) / LINE, stride = (lines + (lines % 2 == 0)) * LINE;
    return (struct rows){reserve(net, capacity * stride), stride};
}

#endif
