// All kernels as one program.
#include "buckets.cuh"
#include "checks.cuh"
#include "columns.cuh"
#include "polynomials.cuh"
#include "rounds.cuh"
#include "affine.cuh"
