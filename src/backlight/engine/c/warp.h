/* An image is drawn anew: every pixel is fetched from where a map points, between the four pixels around that place.
 *
 * The image stands in a border of background, so that places outside it need no case of their own. Of bytes, the four
 * pixels are packed into one word, and one load fetches them all.
 */
#ifndef BACKLIGHT_WARP_H
#define BACKLIGHT_WARP_H

#include "functions.h"
#include "layers.h"

/* Memory for one image in its border: a row and a column of background before it, and two behind. */
struct canvas {
    num height, width, channels;
    num bytes_row, corners_row, pixels_row;
    uint8_t *bytes;    /* of one channel */
    uint32_t *corners; /* of each channel: a pixel, its right neighbour, and the two below them */
    real *pixels;      /* of each channel */
};

/* Places in the border's own coordinates: x = across[0] column + across[1] row + across[2], likewise y, and what is
 * added to them, or null. */
struct map {
    double across[3], down[3];
    const real *move_across, *move_down;
    num moves_row;
};

static struct canvas open_canvas(struct net *net, num height, num width, num channels) {
    const num per_real = sizeof(real) / 4;
    struct canvas canvas = {.height = height, .width = width, .channels = channels};
    canvas.bytes_row = round_up(width + 3, WORD_LANES) + WORD_LANES;
    canvas.corners_row = round_up(width + 2, WORD_LANES);
    canvas.pixels_row = width + 3;
    canvas.bytes = (uint8_t *)reserve(net, (height + 3) * canvas.bytes_row / (num)sizeof(real) + 1);
    canvas.corners = (uint32_t *)reserve(net, channels * (height + 2) * canvas.corners_row / per_real + 1);
    canvas.pixels = reserve(net, channels * (height + 3) * canvas.pixels_row);
    return canvas;
}

static void place_bytes(struct canvas *canvas, const uint8_t *image) {
    const num height = canvas->height, width = canvas->width, channels = canvas->channels;
    for (num channel = 0; channel < channels; channel++) {
        for (num r = 0; r < height; r++) {
            uint8_t *to = canvas->bytes + (r + 1) * canvas->bytes_row + 1;
            const uint8_t *from = image + r * width * channels + channel;
            if (channels == 1) memcpy(to, from, (size_t)width);
            else for (num c = 0; c < width; c++) to[c] = from[c * channels];
        }
        uint32_t *corners = canvas->corners + channel * (height + 2) * canvas->corners_row;
        for (num c = 0; c < canvas->corners_row; c += WORD_LANES) {
            words above = {0};
            for (num r = 0; r < height + 2; r++) { /* the row of background above the image is 0 */
                const uint8_t *at = canvas->bytes + (r + 1) * canvas->bytes_row + c;
                words below = widened(at) | widened(at + 1) << 8;
                words corner = above | below << 16;
                memcpy(corners + r * canvas->corners_row + c, &corner, sizeof corner);
                above = below;
            }
        }
    }
}

static void place_reals(struct canvas *canvas, const real *image) {
    const num height = canvas->height, width = canvas->width, channels = canvas->channels;
    for (num channel = 0; channel < channels; channel++)
        for (num r = 0; r < height; r++) {
            real *to = canvas->pixels + (channel * (height + 3) + r + 1) * canvas->pixels_row + 1;
            for (num c = 0; c < width; c++) to[c] = image[(r * width + c) * channels + channel];
        }
}

struct four {
    vec here, right, below, across;
};

INLINE struct four four_bytes(const uint32_t *corners, ivec at) {
#if defined(__AVX512F__) && REAL_BITS == 32
    ivec word = (ivec)_mm512_i32gather_epi32((__m512i)at, corners, 4);
#elif defined(__AVX2__) && REAL_BITS == 32
    ivec word = (ivec)_mm256_i32gather_epi32((const int *)corners, (__m256i)at, 4);
#else
    ivec word;
    for (int k = 0; k < LANES; k++) word[k] = (whole)corners[at[k]];
#endif
    return (struct four){__builtin_convertvector(word & 255, vec), __builtin_convertvector(word >> 8 & 255, vec),
                         __builtin_convertvector(word >> 16 & 255, vec),
                         __builtin_convertvector((ivec)((words)word >> 24), vec)};
}

INLINE struct four four_reals(const real *pixels, num row, ivec at) {
    struct four four;
    for (int k = 0; k < LANES; k++) {
        const real *here = pixels + at[k];
        four.here[k] = here[0];
        four.right[k] = here[1];
        four.below[k] = here[row];
        four.across[k] = here[row + 1];
    }
    return four;
}

INLINE vec between(struct four four, vec right, vec down) {
    vec above = multiply_add(right, four.right - four.here, four.here);
    vec below = multiply_add(right, four.across - four.below, four.below);
    return multiply_add(down, below - above, above);
}

/* LANES pixels, per channel, from the places x, y. Place numbers are exact: an image has fewer pixels than 2^24. */
INLINE void fetch_pixels(const struct canvas *canvas, int of_bytes, num channels, vec x, vec y, vec *out) {
    x = smaller(larger(x, spread(0)), spread((real)(canvas->width + 1)));
    y = smaller(larger(y, spread(0)), spread((real)(canvas->height + 1)));
    const vec left = floor_of(x), top = floor_of(y), right = x - left, down = y - top;
    const num row = of_bytes ? canvas->corners_row : canvas->pixels_row;
    const ivec at = __builtin_convertvector(multiply_add(top, spread((real)row), left), ivec);
    for (num channel = 0; channel < channels; channel++) {
        const num first = channel * (canvas->height + (of_bytes ? 2 : 3)) * row;
        out[channel] = between(of_bytes ? four_bytes(canvas->corners + first, at)
                                        : four_reals(canvas->pixels + first, row, at), right, down);
    }
}

INLINE void warp_as(const struct canvas canvas, const struct map *map, int of_bytes, num channels, real scale,
                    real *out) {
    const num height = canvas.height, width = canvas.width, moves_row = map->moves_row;
    const vec first = __builtin_convertvector(lane_numbers(), vec), next = spread(LANES);
    const vec across = spread((real)map->across[0]), down = spread((real)map->down[0]);
    const real *move_across = map->move_across, *move_down = map->move_down;
    for (num r = 0; r < height; r++) {
        const vec x0 = spread((real)(map->across[1] * (double)r + map->across[2]));
        const vec y0 = spread((real)(map->down[1] * (double)r + map->down[2]));
        vec column = first;
        for (num c = 0; c < width; c += LANES, column += next) {
            vec made[3], x = multiply_add(column, across, x0), y = multiply_add(column, down, y0);
            if (move_across) {
                x += load(move_across + r * moves_row + c);
                y += load(move_down + r * moves_row + c);
            }
            fetch_pixels(&canvas, of_bytes, channels, x, y, made);
            real *to = out + (r * width + c) * channels;
            const num count = width - c < LANES ? width - c : LANES;
            if (channels == 1 && (r * width + c) + LANES <= height * width) {
                store(to, made[0] * scale); /* what is written too much is overwritten by the next row */
                continue;
            }
            for (num channel = 0; channel < channels; channel++)
                for (num k = 0; k < count; k++) to[k * channels + channel] = made[channel][k] * scale;
        }
    }
}

/* Bytes are multiplied with `scale`. */
static void warp(const struct canvas *canvas, const struct map *map, int of_bytes, real scale, real *out) {
    if (of_bytes && canvas->channels == 1) warp_as(*canvas, map, 1, 1, scale, out);
    else if (of_bytes) warp_as(*canvas, map, 1, 3, scale, out);
    else warp_as(*canvas, map, 0, canvas->channels, scale, out);
}

#endif
