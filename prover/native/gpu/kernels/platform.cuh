// What differs between a card and the host.
//
// Kernels are written for one thread and use neither barriers nor shared memory: what threads have to
// tell each other passes through global memory from one launch to the next, or through atomic
// additions. So running the threads one after the other, in any order, is a faithful run, and that is
// how tests run them (simulation/driver.cpp).
#pragma once

using u32 = unsigned int;
using u64 = unsigned long long;
using i64 = long long;

#ifdef __CUDACC__

#define DEVICE __device__ __forceinline__
// A function of its own: for code that is long and seldom hot.
#define DEVICE_CALL __device__ __noinline__
#define KERNEL extern "C" __global__ void __launch_bounds__(128)

DEVICE u32 thread_index() { return blockIdx.x * blockDim.x + threadIdx.x; }
DEVICE u32 thread_count() { return gridDim.x * blockDim.x; }
DEVICE u32 fetch_add(u32* at, u32 value) { return atomicAdd(at, value); }

#else

#define DEVICE inline
#define DEVICE_CALL static
#define KERNEL static void

// Set by whoever runs the threads.
static thread_local u32 current_thread;
static thread_local u32 current_threads;

DEVICE u32 thread_index() { return current_thread; }
DEVICE u32 thread_count() { return current_threads; }
DEVICE u32 fetch_add(u32* at, u32 value) {
  u32 before = *at;
  *at = before + value;
  return before;
}

#endif
