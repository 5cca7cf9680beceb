// The simulated driver as a library that is found where a real one is: for trying commands without a card.
//
//     c++ -O2 -std=c++17 -shared -fPIC -I prover/native/gpu/kernels prover/native/gpu/simulation/library.cpp \
//         -o somewhere/libcuda.so.1
//     LD_LIBRARY_PATH=somewhere npx platemark doctor
//
// SIMULATED_MEMORY is the memory of its card in bytes.
#include "driver.cpp"

#define FORWARD(symbol, function, parameters, arguments) \
  extern "C" Result symbol parameters { return function arguments; }

FORWARD(cuDriverGetVersion, driver_version, (int* a), (a))
FORWARD(cuGetErrorString, get_string, (Result a, const char** b), (a, b))
FORWARD(cuDeviceGetCount, device_count, (int* a), (a))
FORWARD(cuDeviceGet, device, (int* a, int b), (a, b))
FORWARD(cuDeviceGetName, device_name, (char* a, int b, int c), (a, b, c))
FORWARD(cuDeviceTotalMem_v2, device_memory, (size_t* a, int b), (a, b))
FORWARD(cuDeviceGetAttribute, device_attribute, (int* a, int b, int c), (a, b, c))
FORWARD(cuDevicePrimaryCtxRetain, retain_context, (void** a, int b), (a, b))
FORWARD(cuDevicePrimaryCtxRelease_v2, release_context, (int a), (a))
FORWARD(cuCtxSetCurrent, set_context, (void* a), (a))
FORWARD(cuCtxSynchronize, synchronize, (), ())
FORWARD(cuModuleLoadDataEx, load_module, (void** a, const void* b, u32 c, void* d, void* e),
        (a, b, c, d, e))
FORWARD(cuModuleUnload, unload_module, (void* a), (a))
FORWARD(cuModuleGetFunction, get_function, (const void** a, void* b, const char* c), (a, b, c))
FORWARD(cuMemAlloc_v2, allocate, (u64* a, size_t b), (a, b))
FORWARD(cuMemFree_v2, release, (u64 a), (a))
FORWARD(cuMemGetInfo_v2, memory_info, (size_t* a, size_t* b), (a, b))
FORWARD(cuMemcpyHtoD_v2, upload, (u64 a, const void* b, size_t c), (a, b, c))
FORWARD(cuMemcpyDtoH_v2, download, (void* a, u64 b, size_t c), (a, b, c))
FORWARD(cuMemcpyDtoD_v2, copy, (u64 a, u64 b, size_t c), (a, b, c))
FORWARD(cuMemsetD8_v2, fill, (u64 a, unsigned char b, size_t c), (a, b, c))
FORWARD(cuLaunchKernel, launch,
        (const Kernel* a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g, u32 h, void* i, void** j,
         void** k),
        (a, b, c, d, e, f, g, h, i, j, k))

extern "C" Result cuInit(u32 flags) {
  const char* memory = std::getenv("SIMULATED_MEMORY");
  if (memory) memory_limit = std::strtoull(memory, nullptr, 10);
  return init(flags);
}
