/* Parameters of a training step besides its data. The same text in the header of every network that trains, so that one
 * program may include several. */
#ifndef SPD_TRAINING_H
#define SPD_TRAINING_H

#include <stdint.h>

/* The YOLOv5 loss. Gains are those of the step: whatever scales with image size, classes or levels is in them. */
typedef struct spd_yolo_rates {
    double box, objectness, classes; /* gains of the three terms, 0 or more */
    double anchor_limit;             /* a target matches an anchor if no side differs by this factor or more: 4; above 0 */
    double focal_gamma;              /* focal loss (1 - p_t)^gamma on objectness and classes; 0: plain cross-entropy */
    double label_smoothing;          /* e, 0 to 1: the target of the true class is 1 - e/2, of the others e/2 */
    double objectness_weight, class_weight; /* factors of the positive part of the cross-entropy: 1; 0 or more */
    int32_t autobalance;             /* not 0: each step moves the balances of the levels */
} spd_yolo_rates;

/* The result of checking an array of targets. */
enum { SPD_TARGETS_OK = 0, SPD_TARGETS_TOO_MANY = 1, SPD_TARGETS_INVALID = 2 };

enum { SPD_SGD = 0, SPD_ADAM = 1, SPD_ADAMW = 2 };

/* One group of parameters, each 0 or more. Momentum is the b1 of Adam, and then below 1. */
typedef struct spd_group_rates {
    double learning_rate, weight_decay, momentum;
} spd_group_rates;

/* One step of the optimiser. The gradient is multiplied by `gradient_scale` first, then clipped.
 *
 * SGD:    d = g + decay p;  v = momentum v + d;  p -= rate (nesterov ? d + momentum v : v)
 * Adam:   d = g + decay p;  m = b1 m + (1 - b1) d;  v = b2 v + (1 - b2) d^2;
 *         p -= rate / (1 - b1^step) m / (sqrt(v / (1 - b2^step)) + epsilon)
 * AdamW:  p -= rate decay p, then Adam with d = g
 */
typedef struct spd_update {
    const spd_group_rates *groups; /* one for each group of the network */
    int32_t rule;                  /* SPD_SGD, SPD_ADAM or SPD_ADAMW */
    int32_t nesterov;              /* SGD only */
    int64_t step;                  /* Adam only: the number of this step, from 1 */
    double second_momentum;        /* Adam only: b2, 0.999; from 0 to below 1 */
    double epsilon;                /* Adam only: 1e-8; above 0 */
    double gradient_scale;         /* 1, or 1 / steps accumulated for their mean */
    double max_norm;               /* clips the norm of all gradients together to this; 0: no clipping, no norm */
    double ema_decay;              /* 0 to 1: average = decay average + (1 - decay) value */
} spd_update;

#endif
