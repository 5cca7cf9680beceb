//! The kernels compiled for the host, behind the functions of the CUDA driver. Tests run all of
//! platemark's code for cards on it; nothing but tests links it.

use std::ffi::{CStr, c_char, c_long, c_void};

unsafe extern "C" {
    fn simulated_symbol(name: *const c_char) -> *const c_void;
    fn simulated_memory(bytes: usize);
    fn simulated_fault(downloads: c_long);
}

/// The address of a function of the driver, null if there is none of that name.
pub fn symbol(name: &CStr) -> *const c_void {
    // SAFETY: reads the name and a table of constants.
    unsafe { simulated_symbol(name.as_ptr()) }
}

/// How many bytes this thread's card has.
pub fn set_memory(bytes: usize) {
    // SAFETY: sets a thread-local number.
    unsafe { simulated_memory(bytes) }
}

/// Flips a bit of what this thread's card gives back after so many downloads; `None` heals it.
pub fn set_fault(downloads: Option<u32>) {
    // SAFETY: sets a thread-local number.
    unsafe { simulated_fault(downloads.map_or(-1, |n| c_long::from(n as i32))) }
}
