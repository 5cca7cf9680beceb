//! The CUDA driver's functions, found when they are needed: building and running without a card needs
//! nothing of CUDA.

// Calls foreign functions.
#![allow(unsafe_code)]

use super::error::CardError;
use libloading::Library;
use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};
use std::sync::Arc;

/// A context, module or function of the driver.
pub(super) type Handle = *mut c_void;
/// An address in the card's memory.
pub(super) type Address = u64;

macro_rules! functions {
    ($($field:ident: $symbol:literal ($($argument:ty),*);)*) => {
        /// The functions that are used, by the names of the driver's documentation.
        pub struct Driver {
            $(pub(super) $field: unsafe extern "system" fn($($argument),*) -> c_int,)*
            /// Keeps the functions loaded.
            _library: Option<Library>,
        }

        impl Driver {
            /// Takes every function from `resolve`, which gives null for unknown names.
            ///
            /// # Safety
            /// What `resolve` gives must be functions of the CUDA driver's interface, and stay loaded
            /// as long as `library` is.
            unsafe fn resolve(
                resolve: impl Fn(&CStr) -> *const c_void,
                library: Option<Library>,
            ) -> Result<Self, CardError> {
                $(let $field = {
                    let name = CStr::from_bytes_with_nul(concat!($symbol, "\0").as_bytes())
                        .unwrap_or_default();
                    let address = resolve(name);
                    if address.is_null() {
                        return Err(CardError::NoDriver(concat!("it lacks ", $symbol).into()));
                    }
                    // SAFETY: not null, and the caller says that it is this function.
                    unsafe {
                        std::mem::transmute::<
                            *const c_void,
                            unsafe extern "system" fn($($argument),*) -> c_int,
                        >(address)
                    }
                };)*
                Ok(Self { $($field,)* _library: library })
            }
        }
    };
}

functions! {
    init: "cuInit" (c_uint);
    version: "cuDriverGetVersion" (*mut c_int);
    error_string: "cuGetErrorString" (c_int, *mut *const c_char);
    device_count: "cuDeviceGetCount" (*mut c_int);
    device: "cuDeviceGet" (*mut c_int, c_int);
    device_name: "cuDeviceGetName" (*mut c_char, c_int, c_int);
    device_memory: "cuDeviceTotalMem_v2" (*mut usize, c_int);
    device_attribute: "cuDeviceGetAttribute" (*mut c_int, c_int, c_int);
    retain_context: "cuDevicePrimaryCtxRetain" (*mut Handle, c_int);
    release_context: "cuDevicePrimaryCtxRelease_v2" (c_int);
    set_context: "cuCtxSetCurrent" (Handle);
    synchronize: "cuCtxSynchronize" ();
    load_module: "cuModuleLoadDataEx" (*mut Handle, *const c_void, c_uint, *mut c_int, *mut *mut c_void);
    unload_module: "cuModuleUnload" (Handle);
    function: "cuModuleGetFunction" (*mut Handle, Handle, *const c_char);
    allocate: "cuMemAlloc_v2" (*mut Address, usize);
    free: "cuMemFree_v2" (Address);
    memory_info: "cuMemGetInfo_v2" (*mut usize, *mut usize);
    upload: "cuMemcpyHtoD_v2" (Address, *const c_void, usize);
    download: "cuMemcpyDtoH_v2" (*mut c_void, Address, usize);
    copy: "cuMemcpyDtoD_v2" (Address, Address, usize);
    fill: "cuMemsetD8_v2" (Address, c_uchar, usize);
    launch: "cuLaunchKernel" (Handle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Handle, *mut *mut c_void, *mut *mut c_void);
}

/// A card as the driver lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardInfo {
    /// From 0.
    pub ordinal: u32,
    /// The maker's name for it.
    pub name: String,
    /// Bytes of memory.
    pub memory: usize,
    /// Multiprocessors.
    pub multiprocessors: u32,
    /// Major and minor number of what it can do.
    pub capability: (u32, u32),
}

const LIBRARY: &str = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };

/// The oldest driver that takes the kernels: CUDA 12.1.
const OLDEST: i32 = 12_010;

const MULTIPROCESSORS: c_int = 16;
const CAPABILITY_MAJOR: c_int = 75;
const CAPABILITY_MINOR: c_int = 76;

impl Driver {
    /// Loads the driver of this machine.
    pub fn load() -> Result<Arc<Self>, CardError> {
        // SAFETY: the driver's library may be loaded by any program.
        let library = unsafe { Library::new(LIBRARY) }
            .map_err(|_| CardError::NoDriver(format!("{LIBRARY} was not found")))?;
        let find = |name: &CStr| {
            // SAFETY: the address is taken, nothing is called.
            unsafe { library.get::<*const c_void>(name.to_bytes_with_nul()) }
                .map_or(std::ptr::null(), |symbol| *symbol)
        };
        // SAFETY: these are functions of the driver's library, which is kept loaded.
        let mut driver = unsafe { Self::resolve(find, None)? };
        driver._library = Some(library);
        Arc::new(driver).start()
    }

    /// A driver whose functions are given one by one: that of the tests.
    ///
    /// # Safety
    /// `resolve` must give functions of the CUDA driver's interface that are never unloaded, or null.
    pub unsafe fn from_symbols(
        resolve: impl Fn(&CStr) -> *const c_void,
    ) -> Result<Arc<Self>, CardError> {
        // SAFETY: the caller says so.
        Arc::new(unsafe { Self::resolve(resolve, None)? }).start()
    }

    fn start(self: Arc<Self>) -> Result<Arc<Self>, CardError> {
        let mut version = 0;
        // SAFETY: the out parameter is valid.
        unsafe {
            self.check("cuInit", (self.init)(0))?;
            self.check("cuDriverGetVersion", (self.version)(&mut version))?;
        }
        if version < OLDEST {
            let found = self.version_text(version);
            return Err(CardError::NoDriver(format!("it is for CUDA {found}, 12.1 is needed")));
        }
        Ok(self)
    }

    fn version_text(&self, version: i32) -> String {
        format!("{}.{}", version / 1000, version % 1000 / 10)
    }

    /// The CUDA version that the driver is for.
    pub fn cuda_version(&self) -> Result<String, CardError> {
        let mut version = 0;
        // SAFETY: the out parameter is valid.
        unsafe { self.check("cuDriverGetVersion", (self.version)(&mut version))? };
        Ok(self.version_text(version))
    }

    /// The cards that the driver sees.
    pub fn cards(&self) -> Result<Vec<CardInfo>, CardError> {
        let mut count = 0;
        // SAFETY: the out parameter is valid.
        unsafe { self.check("cuDeviceGetCount", (self.device_count)(&mut count))? };
        (0..count).map(|ordinal| self.card(ordinal)).collect()
    }

    fn card(&self, ordinal: c_int) -> Result<CardInfo, CardError> {
        let mut device = 0;
        let mut name = [0u8; 256];
        let mut memory = 0;
        let mut values = [0; 3];
        // SAFETY: the out parameters are valid and the name's length is given, one less than it has.
        unsafe {
            self.check("cuDeviceGet", (self.device)(&mut device, ordinal))?;
            let text = name.as_mut_ptr().cast();
            self.check("cuDeviceGetName", (self.device_name)(text, 255, device))?;
            self.check("cuDeviceTotalMem", (self.device_memory)(&mut memory, device))?;
            let attributes = [MULTIPROCESSORS, CAPABILITY_MAJOR, CAPABILITY_MINOR];
            for (value, attribute) in values.iter_mut().zip(attributes) {
                let code = (self.device_attribute)(value, attribute, device);
                self.check("cuDeviceGetAttribute", code)?;
            }
        }
        let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        let [multiprocessors, major, minor] = values.map(|value| value.unsigned_abs());
        Ok(CardInfo {
            ordinal: ordinal.unsigned_abs(),
            name: name.to_string_lossy().into_owned(),
            memory,
            multiprocessors,
            capability: (major, minor),
        })
    }

    /// A failed call as an error.
    pub(super) fn check(&self, function: &'static str, code: c_int) -> Result<(), CardError> {
        if code == 0 {
            return Ok(());
        }
        let mut text = std::ptr::null();
        // SAFETY: the out parameter is valid, and what the driver gives is null or a C string.
        let text = unsafe {
            (self.error_string)(code, &mut text);
            if text.is_null() { c"unknown" } else { CStr::from_ptr(text) }
        };
        Err(CardError::Driver { function, code, text: text.to_string_lossy().into_owned() })
    }
}
