// The functions of the CUDA driver that platemark calls, with one card that is this processor.
//
// A launch runs the threads one after the other in a scrambled order: a kernel that depends on the order
// of its threads gives wrong results here. Memory is limited, and new memory is filled with rubbish.
#include "kernels.cu"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace {

using Result = int;
constexpr Result SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500;
constexpr size_t HEADER = 64;

thread_local size_t memory_limit = size_t(1) << 30;
thread_local size_t memory_used = 0;
// Downloads until one goes wrong; negative: never.
thread_local long downloads_to_fault = -1;

template <class... A, size_t... I>
void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*static_cast<A*>(arguments[I])...);
}

template <auto kernel, class... A>
void run_threads(void (*)(A...), u32 threads, void** arguments) {
  current_threads = threads;
  for (u32 i = 0; i < threads; i++) {
    // A prime above every number of threads is coprime to it.
    current_thread = u32(u64(i) * 4294967291u % threads);
    call(kernel, arguments, std::index_sequence_for<A...>());
  }
}

template <auto kernel>
void run(u32 threads, void** arguments) {
  run_threads<kernel>(kernel, threads, arguments);
}

struct Kernel {
  const char* name;
  void (*run)(u32 threads, void** arguments);
};

#define NAMED(kernel) {#kernel, run<kernel>}
const Kernel table[] = {
    NAMED(scalar_digits),   NAMED(integer_digits),      NAMED(count_digits),
    NAMED(place_digits),    NAMED(sum_runs),            NAMED(prefix_runs),
    NAMED(accumulate),      NAMED(merge_partials),      NAMED(weigh),
    NAMED(normalize),       NAMED(plain_round),         NAMED(bind),
    NAMED(bind_round),      NAMED(eq_round),            NAMED(sum_out_top),
    NAMED(add_sums),        NAMED(extend_eq),           NAMED(evaluate_pieces),
    NAMED(suffix_values),   NAMED(row_products),        NAMED(cross_terms),
    NAMED(add_parts),       NAMED(add_scaled),          NAMED(from_integers),
    NAMED(gather),          NAMED(fingerprints),        NAMED(invert),
    NAMED(add_scaled_integers), NAMED(scale_by_integers), NAMED(scalar_operation),
    NAMED(base_operation),  NAMED(point_operation),     NAMED(row_digits),
    NAMED(combine_integers), NAMED(combine_scalars),    NAMED(lay_out_cells),
    NAMED(contract_middle), NAMED(place_inputs),        NAMED(outer_product),
    NAMED(add_outer),       NAMED(add_constant),        NAMED(multiply_chains),
    NAMED(add_term),        NAMED(requantize),          NAMED(copy_cells),
};

Result get_string(Result error, const char** text) {
  *text = error == OUT_OF_MEMORY ? "out of memory" : "simulated error";
  return SUCCESS;
}

Result init(u32) { return SUCCESS; }

Result driver_version(int* version) {
  *version = 12010;
  return SUCCESS;
}

Result device_count(int* count) {
  *count = 1;
  return SUCCESS;
}

Result device(int* out, int ordinal) {
  *out = ordinal;
  return ordinal == 0 ? SUCCESS : INVALID_VALUE;
}

Result device_name(char* name, int length, int) {
  std::strncpy(name, "simulated card", size_t(length));
  return SUCCESS;
}

Result device_memory(size_t* bytes, int) {
  *bytes = memory_limit;
  return SUCCESS;
}

Result device_attribute(int* value, int, int) {
  *value = 4;
  return SUCCESS;
}

Result retain_context(void** context, int) {
  *context = nullptr;
  return SUCCESS;
}

Result release_context(int) { return SUCCESS; }
Result set_context(void*) { return SUCCESS; }
Result synchronize() { return SUCCESS; }

Result load_module(void** module, const void* image, u32, void*, void*) {
  *module = nullptr;
  return std::strstr(static_cast<const char*>(image), ".version") ? SUCCESS : INVALID_VALUE;
}

Result unload_module(void*) { return SUCCESS; }

Result get_function(const void** function, void*, const char* name) {
  for (const Kernel& kernel : table) {
    if (std::strcmp(kernel.name, name) == 0) {
      *function = &kernel;
      return SUCCESS;
    }
  }
  return NOT_FOUND;
}

Result allocate(u64* pointer, size_t bytes) {
  if (memory_used + bytes > memory_limit) return OUT_OF_MEMORY;
  char* memory = static_cast<char*>(std::aligned_alloc(HEADER, (bytes + 2 * HEADER - 1) / HEADER * HEADER));
  if (!memory) return OUT_OF_MEMORY;
  std::memcpy(memory, &bytes, sizeof bytes);
  std::memset(memory + HEADER, 0xa5, bytes);
  memory_used += bytes;
  *pointer = reinterpret_cast<u64>(memory + HEADER);
  return SUCCESS;
}

Result release(u64 pointer) {
  char* memory = reinterpret_cast<char*>(pointer) - HEADER;
  size_t bytes;
  std::memcpy(&bytes, memory, sizeof bytes);
  memory_used -= bytes;
  std::free(memory);
  return SUCCESS;
}

Result memory_info(size_t* free, size_t* total) {
  *free = memory_limit - memory_used;
  *total = memory_limit;
  return SUCCESS;
}

Result upload(u64 to, const void* from, size_t bytes) {
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return SUCCESS;
}

Result download(void* to, u64 from, size_t bytes) {
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  // A card that computes wrongly.
  if (downloads_to_fault >= 0 && downloads_to_fault-- == 0) *static_cast<char*>(to) ^= 1;
  return SUCCESS;
}

Result copy(u64 to, u64 from, size_t bytes) {
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
  return SUCCESS;
}

Result fill(u64 to, unsigned char value, size_t bytes) {
  std::memset(reinterpret_cast<void*>(to), value, bytes);
  return SUCCESS;
}

Result launch(const Kernel* kernel, u32 grid, u32 grid_y, u32 grid_z, u32 block, u32 block_y,
              u32 block_z, u32 shared, void*, void** arguments, void**) {
  if (!grid || !block || grid_y != 1 || grid_z != 1 || block_y != 1 || block_z != 1 || shared)
    return INVALID_VALUE;
  kernel->run(grid * block, arguments);
  return SUCCESS;
}

struct Symbol {
  const char* name;
  const void* address;
};

#define ADDRESS(function) reinterpret_cast<const void*>(function)
const Symbol symbols[] = {
    {"cuInit", ADDRESS(init)},
    {"cuDriverGetVersion", ADDRESS(driver_version)},
    {"cuGetErrorString", ADDRESS(get_string)},
    {"cuDeviceGetCount", ADDRESS(device_count)},
    {"cuDeviceGet", ADDRESS(device)},
    {"cuDeviceGetName", ADDRESS(device_name)},
    {"cuDeviceTotalMem_v2", ADDRESS(device_memory)},
    {"cuDeviceGetAttribute", ADDRESS(device_attribute)},
    {"cuDevicePrimaryCtxRetain", ADDRESS(retain_context)},
    {"cuDevicePrimaryCtxRelease_v2", ADDRESS(release_context)},
    {"cuCtxSetCurrent", ADDRESS(set_context)},
    {"cuCtxSynchronize", ADDRESS(synchronize)},
    {"cuModuleLoadDataEx", ADDRESS(load_module)},
    {"cuModuleUnload", ADDRESS(unload_module)},
    {"cuModuleGetFunction", ADDRESS(get_function)},
    {"cuMemAlloc_v2", ADDRESS(allocate)},
    {"cuMemFree_v2", ADDRESS(release)},
    {"cuMemGetInfo_v2", ADDRESS(memory_info)},
    {"cuMemcpyHtoD_v2", ADDRESS(upload)},
    {"cuMemcpyDtoH_v2", ADDRESS(download)},
    {"cuMemcpyDtoD_v2", ADDRESS(copy)},
    {"cuMemsetD8_v2", ADDRESS(fill)},
    {"cuLaunchKernel", ADDRESS(launch)},
};

}  // namespace

extern "C" const void* simulated_symbol(const char* name) {
  for (const Symbol& symbol : symbols)
    if (std::strcmp(symbol.name, name) == 0) return symbol.address;
  return nullptr;
}

// Of this thread: bytes that may be allocated at a time.
extern "C" void simulated_memory(size_t bytes) { memory_limit = bytes; }

// Of this thread: flips a bit of what is downloaded after so many downloads; negative: never.
extern "C" void simulated_fault(long downloads) { downloads_to_fault = downloads; }
