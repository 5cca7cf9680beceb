// All kernels as one program.
#include "affine.cuh"
#include "buckets.cuh"
#include "checks.cuh"
#include "columns.cuh"
#include "execute.cuh"
#include "polynomials.cuh"
#include "rounds.cuh"
