//! One card: its memory and its kernels.

// Calls the driver.
#![allow(unsafe_code)]

use super::driver::{Address, CardInfo, Driver, Handle};
use super::error::CardError;
use super::ptx;
use crate::sumcheck::field::F;
use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger256, Field, Zero};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::marker::PhantomData;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// Threads of a block: the kernels are compiled for at most this many.
const BLOCK: u32 = 128;

/// Code of the driver for exhausted memory.
const OUT_OF_MEMORY: i32 = 2;

/// What lies in the card's memory as it lies in ours.
///
/// # Safety
/// Implemented only by types without padding for which every bit pattern is a value.
pub unsafe trait Plain: Copy + Default {}

/// A scalar in Montgomery form, least significant limb first.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Scalar(pub [u64; 4]);

/// An affine point: x and y in Montgomery form, zeros for infinity.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Point(pub [u64; 8]);

/// A point in coordinates (X, Y, ZZ, ZZZ), ZZ = 0 for infinity.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Sum(pub [u64; 16]);

// SAFETY: integers, and arrays of them whose size is a multiple of their alignment.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for i64 {}
// SAFETY: as above.
unsafe impl Plain for Scalar {}
// SAFETY: as above.
unsafe impl Plain for Point {}
// SAFETY: as above.
unsafe impl Plain for Sum {}

impl From<&F> for Scalar {
    fn from(value: &F) -> Self {
        Self(value.0.0)
    }
}

impl From<&Scalar> for F {
    fn from(value: &Scalar) -> Self {
        F::new_unchecked(BigInteger256::new(value.0))
    }
}

impl From<&G1Affine> for Point {
    fn from(point: &G1Affine) -> Self {
        let mut limbs = [0; 8];
        if let Some((x, y)) = point.xy() {
            limbs[..4].copy_from_slice(&x.0.0);
            limbs[4..].copy_from_slice(&y.0.0);
        }
        Self(limbs)
    }
}

fn coordinates<const N: usize>(limbs: &[u64]) -> [Fq; N] {
    std::array::from_fn(|i| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|k| limbs[4 * i + k]);
        Fq::new_unchecked(BigInteger256::new([a, b, c, d]))
    })
}

impl From<&Point> for G1Affine {
    fn from(point: &Point) -> Self {
        let [x, y] = coordinates(&point.0);
        if x.is_zero() && y.is_zero() { Self::identity() } else { Self::new_unchecked(x, y) }
    }
}

impl From<&Sum> for G1Projective {
    fn from(sum: &Sum) -> Self {
        let [x, y, zz, zzz] = coordinates(&sum.0);
        match (zz.inverse(), zzz.inverse()) {
            (Some(zz), Some(zzz)) => G1Affine::new_unchecked(x * zz, y * zzz).into(),
            _ => Self::zero(),
        }
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy)]
pub enum Argument<'a> {
    /// Of u32.
    Word(u32),
    /// Of i64.
    Integer(i64),
    /// An element of the scalar field.
    Scalar(&'a F),
    /// A place in the card's memory, 0 for none.
    Pointer(Address),
    /// A structure of pointers and u64.
    Structure(&'a [u64]),
}

/// One argument where the driver reads it.
#[repr(C, align(16))]
struct Stored([u64; 18]);

impl Argument<'_> {
    fn bytes(&self) -> usize {
        match self {
            Self::Word(_) => 4,
            Self::Integer(_) | Self::Pointer(_) => 8,
            Self::Scalar(_) => 32,
            Self::Structure(words) => words.len() * 8,
        }
    }

    fn store(&self) -> Stored {
        let mut stored = [0; 18];
        match self {
            Self::Word(value) => stored[0] = u64::from_le(u64::from(*value)),
            Self::Integer(value) => stored[0] = value.cast_unsigned(),
            Self::Pointer(address) => stored[0] = *address,
            Self::Scalar(value) => stored[..4].copy_from_slice(&value.0.0),
            Self::Structure(words) => stored[..words.len()].copy_from_slice(words),
        }
        Stored(stored)
    }
}

/// A card with the kernels loaded. Not for more than one thread.
#[derive(Clone)]
pub struct Card(Rc<Inner>);

struct Inner {
    driver: Arc<Driver>,
    info: CardInfo,
    module: Handle,
    kernels: HashMap<&'static str, Kernel>,
    /// Memory that nothing uses, by size. Taking memory from the driver is slow.
    spare: RefCell<HashMap<usize, Vec<Address>>>,
}

impl Inner {
    /// Gives spare memory back to the driver.
    fn trim(&self) {
        for (_, addresses) in self.spare.borrow_mut().drain() {
            for address in addresses {
                // SAFETY: the address is one of this card's and in use by nothing.
                unsafe { (self.driver.free)(address) };
            }
        }
    }
}

/// Sizes in which memory is taken, so that what is given back fits again: at most a sixteenth more.
fn rounded(bytes: usize) -> usize {
    let step = bytes.next_power_of_two() / 32;
    bytes.next_multiple_of(step.max(256))
}

struct Kernel {
    handle: Handle,
    parameters: Vec<usize>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.trim();
        // SAFETY: both were taken by `Card::open`; buffers hold this, so none is left.
        unsafe {
            (self.driver.unload_module)(self.module);
            (self.driver.release_context)(self.info.ordinal.cast_signed());
        }
    }
}

impl Card {
    /// Takes card `ordinal` and translates the kernels for it (a second or so, once: drivers keep it).
    pub fn open(driver: &Arc<Driver>, ordinal: u32) -> Result<Self, CardError> {
        let cards = driver.cards()?;
        let count = cards.len() as u32;
        let info = cards
            .into_iter()
            .nth(ordinal as usize)
            .ok_or(CardError::NoCard { wanted: ordinal, count })?;
        let text = CString::new(ptx::TEXT).unwrap_or_default();
        let (mut context, mut module) = (std::ptr::null_mut(), std::ptr::null_mut());
        let device = ordinal.cast_signed();
        // SAFETY: out parameters are valid, the text ends with a zero, there are no options.
        unsafe {
            let code = (driver.retain_context)(&mut context, device);
            driver.check("cuDevicePrimaryCtxRetain", code)?;
            driver.check("cuCtxSetCurrent", (driver.set_context)(context))?;
            let none = std::ptr::null_mut();
            let image = text.as_ptr().cast::<c_void>();
            let code = (driver.load_module)(&mut module, image, 0, std::ptr::null_mut(), none);
            driver.check("cuModuleLoadDataEx", code)?;
        }
        let mut kernels = HashMap::new();
        for (name, parameters) in ptx::parameters() {
            let mut handle = std::ptr::null_mut();
            let symbol = CString::new(name).unwrap_or_default();
            // SAFETY: the module is loaded and the name ends with a zero.
            let code = unsafe { (driver.function)(&mut handle, module, symbol.as_ptr()) };
            driver.check("cuModuleGetFunction", code)?;
            kernels.insert(name, Kernel { handle, parameters });
        }
        let spare = RefCell::default();
        Ok(Self(Rc::new(Inner { driver: driver.clone(), info, module, kernels, spare })))
    }

    /// What the driver says about it.
    pub fn info(&self) -> &CardInfo {
        &self.0.info
    }

    /// Free bytes, spare ones included.
    pub fn free_memory(&self) -> Result<usize, CardError> {
        let (mut free, mut total) = (0, 0);
        let driver = &self.0.driver;
        // SAFETY: the out parameters are valid.
        let code = unsafe { (driver.memory_info)(&mut free, &mut total) };
        driver.check("cuMemGetInfo", code)?;
        let spare = self.0.spare.borrow();
        Ok(free + spare.iter().map(|(bytes, own)| bytes * own.len()).sum::<usize>())
    }

    /// Gives memory that is kept for later use back to the driver.
    pub fn trim(&self) {
        self.0.trim();
    }

    /// Threads that keep the card busy when each goes through many elements.
    pub fn busy_threads(&self) -> u32 {
        self.0.info.multiprocessors * 1024
    }

    /// Memory with arbitrary content.
    pub fn allocate<T: Plain>(&self, length: usize) -> Result<Buffer<T>, CardError> {
        let wanted = length * size_of::<T>();
        let bytes = rounded(wanted.max(1));
        let spare = self.0.spare.borrow_mut().get_mut(&bytes).and_then(Vec::pop);
        let address = match spare {
            Some(address) => address,
            None => self.take(bytes, wanted)?,
        };
        Ok(Buffer { card: self.clone(), address, bytes, length, kind: PhantomData })
    }

    /// Memory from the driver, in need after all that is spare was given back.
    fn take(&self, bytes: usize, wanted: usize) -> Result<Address, CardError> {
        let mut address = 0;
        let driver = &self.0.driver;
        // SAFETY: the out parameter is valid.
        let mut code = unsafe { (driver.allocate)(&mut address, bytes) };
        if code == OUT_OF_MEMORY {
            self.trim();
            // SAFETY: as above.
            code = unsafe { (driver.allocate)(&mut address, bytes) };
        }
        if code == OUT_OF_MEMORY {
            return Err(CardError::Memory { wanted, free: self.free_memory()? });
        }
        driver.check("cuMemAlloc", code)?;
        Ok(address)
    }

    /// Memory of zero bytes.
    pub fn zeros<T: Plain>(&self, length: usize) -> Result<Buffer<T>, CardError> {
        self.filled(length, 0)
    }

    /// Memory of one byte value.
    pub fn filled<T: Plain>(&self, length: usize, byte: u8) -> Result<Buffer<T>, CardError> {
        let buffer = self.allocate(length)?;
        let driver = &self.0.driver;
        // SAFETY: the buffer has that many bytes.
        let code = unsafe { (driver.fill)(buffer.address, byte, length * size_of::<T>()) };
        driver.check("cuMemsetD8", code)?;
        Ok(buffer)
    }

    /// A copy of `values` on the card.
    pub fn upload<T: Plain>(&self, values: &[T]) -> Result<Buffer<T>, CardError> {
        let buffer = self.allocate(values.len())?;
        buffer.view().write(values)?;
        Ok(buffer)
    }

    /// Scalars on the card.
    pub fn upload_scalars(&self, values: &[F]) -> Result<Buffer<Scalar>, CardError> {
        let values: Vec<Scalar> = values.iter().map(Scalar::from).collect();
        self.upload(&values)
    }

    /// Points on the card.
    pub fn upload_points(&self, points: &[G1Affine]) -> Result<Buffer<Point>, CardError> {
        let points: Vec<Point> = points.iter().map(Point::from).collect();
        self.upload(&points)
    }

    /// Powers of τ on the card.
    pub fn upload_powers(
        &self,
        powers: &[crate::sumcheck::buckets::Point],
    ) -> Result<Buffer<Point>, CardError> {
        let points: Vec<Point> = powers.iter().map(|own| Point::from(&own.affine())).collect();
        self.upload(&points)
    }

    /// Starts a kernel with at least `threads` threads; what it does is done before the next one starts.
    pub(super) fn launch(
        &self,
        name: &'static str,
        threads: usize,
        arguments: &[Argument],
    ) -> Result<(), CardError> {
        let kernel = self.0.kernels.get(name).ok_or(CardError::Arguments(name))?;
        let sizes = arguments.iter().map(Argument::bytes);
        let blocks = threads.div_ceil(BLOCK as usize);
        if !sizes.eq(kernel.parameters.iter().copied()) || blocks > 1 << 24 {
            return Err(CardError::Arguments(name));
        }
        if blocks == 0 {
            return Ok(());
        }
        let stored: Vec<Stored> = arguments.iter().map(Argument::store).collect();
        let mut places: Vec<*mut c_void> =
            stored.iter().map(|own| (&raw const *own).cast_mut().cast()).collect();
        let driver = &self.0.driver;
        // SAFETY: the kernel is one of the module; the arguments have the sizes that its code declares and
        // live until the driver has copied them, which it does before it returns.
        let code = unsafe {
            (driver.launch)(
                kernel.handle,
                blocks as u32,
                1,
                1,
                BLOCK,
                1,
                1,
                0,
                std::ptr::null_mut(),
                places.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        driver.check("cuLaunchKernel", code)
    }

    /// Waits for everything that was started.
    pub fn synchronize(&self) -> Result<(), CardError> {
        let driver = &self.0.driver;
        // SAFETY: no arguments.
        driver.check("cuCtxSynchronize", unsafe { (driver.synchronize)() })
    }

    /// Threads that a launch of so many has in fact: whole blocks.
    pub(super) fn whole_blocks(threads: usize) -> usize {
        threads.next_multiple_of(BLOCK as usize)
    }
}

/// Memory on a card, free for others when dropped. Everything that was started before has then still its
/// old content: steps are done in order.
pub struct Buffer<T: Plain> {
    card: Card,
    address: Address,
    /// As it was taken.
    bytes: usize,
    length: usize,
    kind: PhantomData<T>,
}

impl<T: Plain> Drop for Buffer<T> {
    fn drop(&mut self) {
        self.card.0.spare.borrow_mut().entry(self.bytes).or_default().push(self.address);
    }
}

impl<T: Plain> Buffer<T> {
    /// Elements.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All of it.
    pub fn view(&self) -> View<'_, T> {
        View { card: &self.card, address: self.address, length: self.length, kind: PhantomData }
    }

    /// A part of it; panics where there is none, as a slice does.
    pub fn range(&self, range: Range<usize>) -> View<'_, T> {
        self.view().range(range)
    }

    /// Its content.
    pub fn read(&self) -> Result<Vec<T>, CardError> {
        self.view().read()
    }
}

/// A part of a buffer.
#[derive(Clone, Copy)]
pub struct View<'a, T: Plain> {
    card: &'a Card,
    address: Address,
    length: usize,
    kind: PhantomData<T>,
}

impl<'a, T: Plain> View<'a, T> {
    /// Elements.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// A part of it; panics where there is none.
    pub fn range(self, range: Range<usize>) -> View<'a, T> {
        assert!(range.start <= range.end && range.end <= self.length, "part of a buffer");
        let address = self.address + (range.start * size_of::<T>()) as u64;
        View { address, length: range.len(), ..self }
    }

    /// As an argument of a kernel.
    pub(super) fn pointer(&self) -> Argument<'static> {
        Argument::Pointer(self.address)
    }

    /// As a part of a structure.
    pub(super) fn address(&self) -> u64 {
        self.address
    }

    /// Overwrites the first elements.
    pub fn write(&self, values: &[T]) -> Result<(), CardError> {
        assert!(values.len() <= self.length, "part of a buffer");
        let driver = &self.card.0.driver;
        // SAFETY: both sides have that many bytes.
        let code =
            unsafe { (driver.upload)(self.address, values.as_ptr().cast(), size_of_val(values)) };
        driver.check("cuMemcpyHtoD", code)
    }

    /// Copies from another part of the same length.
    pub fn copy_from(&self, from: View<T>) -> Result<(), CardError> {
        assert!(from.length == self.length, "part of a buffer");
        let driver = &self.card.0.driver;
        // SAFETY: both sides have that many bytes.
        let code =
            unsafe { (driver.copy)(self.address, from.address, self.length * size_of::<T>()) };
        driver.check("cuMemcpyDtoD", code)
    }

    /// The content, when everything that was started is done.
    pub fn read(&self) -> Result<Vec<T>, CardError> {
        let mut values = vec![T::default(); self.length];
        let driver = &self.card.0.driver;
        // SAFETY: both sides have that many bytes, and any bytes are a T.
        let code = unsafe {
            let to = values.as_mut_ptr().cast();
            (driver.download)(to, self.address, self.length * size_of::<T>())
        };
        driver.check("cuMemcpyDtoH", code)?;
        Ok(values)
    }
}

impl View<'_, Scalar> {
    /// The content as scalars.
    pub fn scalars(&self) -> Result<Vec<F>, CardError> {
        Ok(self.read()?.iter().map(F::from).collect())
    }
}
