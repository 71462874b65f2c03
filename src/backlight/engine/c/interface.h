/* What Python hands over: flat structures of 64-bit fields, mirrored in backlight.engine.native_interface. */
#ifndef BACKLIGHT_INTERFACE_H
#define BACKLIGHT_INTERFACE_H

#include <stdint.h>

enum { OP_DENSE, OP_ACTIVATION, OP_DROPOUT, OP_BATCH_NORM, OP_LAYER_NORM };
enum { IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SOFTPLUS, EXPONENTIAL, LOGISTIC, SOFTMAX };
enum { SQUARED, CROSS_ENTROPY, ABSOLUTE, HUBER, POISSON };
enum { SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, STORE_GRADS, ADD_GRADS };
enum { SOURCE_UINT8, SOURCE_FLOAT, SOURCE_DOUBLE };
enum { TRAIN, GRADIENTS, DELTAS, OUTPUTS, LOSSES, NOTHING };

struct op {
    int64_t kind, layer, incoming, units, function;
    int64_t W, b;      /* of a normalisation: its scale and shift; running means and variances follow */
    int64_t threshold; /* a drawn word below it silences the unit */
    double scale;      /* what the others are multiplied with; of a normalisation: eps */
    double momentum;   /* the share of a batch in running statistics */
};

/* How rows are changed by chance while they are gathered in training. Of the numbers, what is 0 is left undone. */
struct augmentation {
    int64_t height, width, channels; /* of images; 0 where inputs are the columns of a table */
    double rotate, scale, shear, shift; /* radians, fraction, radians, pixels: the most, on both sides of 0 */
    int64_t flip;          /* a drawn word below it mirrors the image */
    double reach;          /* of elastic deformation */
    int64_t radius;        /* of its smoothing */
    const double *smooth;  /* (radius + 1,) weights, the middle one first */
    double erase;          /* the most of an image's area */
    double noise;
    const double *normals; /* (NORMALS,) standard normal numbers, equally likely */
    const int64_t *noisy;  /* (inputs,) which of them get noise; null for all */
    int64_t silence;       /* a drawn word below it silences a column */
    int64_t columns;       /* how many there are */
    const int64_t *column; /* (inputs,) that each belongs to */
    int64_t key[2];        /* of the draws */
};

enum { NORMALS = 4096 };

struct setup {
    const struct op *ops;
    const int64_t *sizes; /* of the groups of outputs, each with a softmax of its own; one of all without that */
    int64_t count, groups, inputs, outputs, loss, fused;
    int64_t capacity; /* the most rows that pass at once */
    int64_t training; /* whether errors are ever passed back */
    int64_t threads;
    int64_t key[2];   /* of dropout's draws */
    const struct augmentation *augmentation; /* null where rows stay as they are */
};

/* One call. Every thread of the crew is given the same structure. */
struct work {
    int64_t mode, threads;
    void *arrays[5]; /* parameters, the optimizer's arrays, gradients, averages; each flat, weights (j, i) row by row */
    int64_t in_panels[5], leave[5]; /* which of them stand in panels, before the call and after it, and
                                       which are to be left so */
    const void *x;
    int64_t x_stride, x_kind;
    double x_scale;
    const void *y; /* class indices (int64), one per group, or targets (n, outputs); null where targets are inputs */
    int64_t y_indices; /* class indices per example; 0 where there are targets */
    const void *sample_weight;
    const int64_t *order;
    int64_t rows, batch, steps, epoch, by_chance; /* by_chance: whether dropout and augmentation act */
    int64_t optimizer;
    double hyper[4];      /* momentum; or eps; or b2, eps; or b1, b2, eps */
    const double *corrections; /* adam: 1 / (1 - b1^t) and 1 / (1 - b2^t) for each step, (steps, 2) */
    const double *lr;     /* (steps, dense layers) */
    const double *decay;  /* (steps, dense layers) */
    const int64_t *frozen; /* (dense layers,) */
    double *objectives;   /* (steps,) */
    void *losses;         /* per visited example, or null */
    void *norms;          /* squared gradient norms per visited example, or null */
    void *outputs;        /* (rows, outputs), or null */
    void **incoming;      /* per dense layer (rows, i), for DELTAS */
    void **deltas;        /* per dense layer (rows, j), for DELTAS */
    void *statistics;     /* where GRADIENTS leaves what running statistics shall be, placed as they are, or null */
    int64_t stop;         /* set by Python at any time: the step in progress is dropped */
    int64_t done;         /* finished steps, readable at any time */
    int64_t finite;       /* 0 once an objective was not finite */
    int64_t begin;        /* the first step to take; those before it are finished */
    int64_t crowded;      /* set where the crew broke off because other work keeps the processors busy */
    double l1, l2;        /* penalties per unit of |w| and of half of its square */
    double smoothing;     /* of labels */
    double clip, clip_examples; /* the longest that a step's gradient, and an example's own, may be; 0 for any length */
    const double *averaging; /* (steps,): how far each moves the averages; or null */
};

#endif
