/* Every example speaks, third part: its outputs are judged. */
#ifndef BACKLIGHT_JUDGE_H
#define BACKLIGHT_JUDGE_H

#include "backward.h"
#include "losses.h"

/* Judge up to LANES examples from `row` on, and leave their errors d [example][output]. */
static void judge_some(const struct pass *pass, num row, num rows, real *d) {
    struct net *net = pass->net;
    const struct setup *setup = &net->setup;
    const struct dense *layer = &net->layers[net->depth - 1];
    const struct work *work = pass->work;
    const num outputs = layer->units, place = pass->order - work->order + row;
    real *z = pass->front->judged, *a = z + layer->padded * LANES, *y = a + layer->padded * LANES;
    real *errors = y + layer->padded * LANES;
    int64_t output = layer->ending;
    turn(layer->out.at + row * layer->out.stride, layer->out.stride, z, LANES, rows, outputs);
    vec log_sum = {0};
    if (output == SOFTMAX) log_sum = softmax(z, a, outputs);
    else activate(output, z, LANES, a, LANES, outputs, 1);
    if (work->outputs) turn(a, LANES, (real *)work->outputs + place * outputs, outputs, outputs, rows);
    if (work->mode == OUTPUTS) return;
    for (num r = 0; r < rows; r++) write_targets(setup, work, pass->order[row + r], y + r);
    real losses[LANES];
    store(losses, losses_of(setup, output == SOFTMAX, z, a, y, log_sum));
    memcpy(net->losses + row, losses, (size_t)rows * sizeof(real));
    if (work->losses) memcpy((real *)work->losses + place, losses, (size_t)rows * sizeof(real));
    if (!pass->listening) return;
    errors_of(setup, output, z, a, y, errors);
    turn(errors, LANES, d, layer->padded, outputs, rows);
}

/* The last layer: every thread passes its own examples forward, judges them, and hands their errors over. */
static void judge(const struct pass *pass) {
    struct net *net = pass->net;
    struct dense *layer = &net->layers[net->depth - 1];
    const num rows = pass->next - pass->first;
    forward_own(pass, layer);
    if (rows <= 0 || stopped(pass->work)) return;
    real *d = net->error + pass->first * layer->padded;
    for (num r = 0; r < rows; r += LANES)
        judge_some(pass, pass->first + r, rows - r < LANES ? rows - r : LANES, d + r * layer->padded);
    if (!pass->listening) return;
    chain_backward(pass->work, layer->chain, layer->links, pass->first, 0, d, layer->padded, rows,
                   layer->padded / LANES);
    for (num p = 0; p < layer->panels; p++) hand_over(pass, layer, p, pass->first, rows, d + p * PANEL, layer->padded);
}

#endif
