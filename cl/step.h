/* Words of the buffer that holds what changes from step to step; src/layers/layer.h gives the same. */
#define STEP_SEED_LOW 0
#define STEP_SEED_HIGH 1
#define STEP_EPOCH 2
#define STEP_LOSS_SCALE 3 /* a float */
#define STEP_ROWS 8
