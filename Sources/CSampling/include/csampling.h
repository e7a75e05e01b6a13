#pragma once
#include <stddef.h>

/* Turns uniform numbers in [0, 1) into standard normal ones, in place, blocks of 16: element j < 8 of a block and
   element j + 8 give r cos θ and r sin θ with r = √(−2 ln(1 − a)), θ = 2πb. The same bits on every processor. */
void cs_normal_from_uniform(float *data, size_t blocks);

/* The double nearest to the correctly rounded decimal of x with six digits after the point. */
double cs_round_six_decimals(double x);
