//! The only `unsafe` of the workspace: calls into `shim/shim.cpp`, and files mapped into memory.
//! Everything public here is safe; what C++ throws comes back as an error.
#![expect(unsafe_code, reason = "the C++ shim and mapped files are here, so that nothing else needs it")]

use std::ffi::{CStr, c_char};
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::{Error, Result};

unsafe extern "C" {
    fn flexmix_free(message: *mut c_char);
    fn flexmix_sum(tensor: *const C_tensor, out: *mut f64) -> *mut c_char;
    fn flexmix_square_sum(tensors: *const *const C_tensor, n: i64, out: *mut f64) -> *mut c_char;
    fn flexmix_adamw(
        parameter: *mut C_tensor,
        gradient: *const C_tensor,
        first: *mut C_tensor,
        second: *mut C_tensor,
        settings: *const AdamW,
    ) -> *mut c_char;
    fn flexmix_rms_norm(x: *const C_tensor, weight: *const C_tensor, eps: f64, out: *mut *mut C_tensor) -> *mut c_char;
    fn flexmix_swiglu(gate: *const C_tensor, up: *const C_tensor, out: *mut *mut C_tensor) -> *mut c_char;
}

/// Settings of one AdamW step over one tensor; `scale` multiplies the gradient (clipping).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    /// Learning rate of this step.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Factor on the gradient.
    pub scale: f64,
    /// Steps taken, this one included (from 1).
    pub step: i64,
}

/// Turns the shim's answer into a result and frees the message.
fn answer(message: *mut c_char) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: the shim returns null or a NUL-terminated string from strdup that is ours to free, once.
    let text = unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        flexmix_free(message);
        text
    };
    Err(Error::Shim(text.lines().next().unwrap_or_default().to_owned()))
}

/// Sum of all elements in double precision, in one fixed order for any number of threads.
///
/// # Errors
/// When the tensor is not floating-point, contiguous and on the CPU.
pub fn sum(tensor: &Tensor) -> Result<f64> {
    let mut out = 0.0;
    // SAFETY: the pointer is a live at::Tensor, borrowed for the call; `out` is a valid double.
    answer(unsafe { flexmix_sum(tensor.as_ptr(), &raw mut out) })?;
    Ok(out)
}

/// Sum of squares over all tensors, in one fixed order for any number of threads.
///
/// # Errors
/// As [`sum`].
pub fn square_sum(tensors: &[Tensor]) -> Result<f64> {
    let pointers: Vec<*const C_tensor> = tensors.iter().map(Tensor::as_ptr).collect();
    let mut out = 0.0;
    // SAFETY: `pointers` holds as many live at::Tensor pointers as it says, borrowed for the call.
    answer(unsafe { flexmix_square_sum(pointers.as_ptr(), pointers.len() as i64, &raw mut out) })?;
    Ok(out)
}

/// One AdamW step in place over a parameter and its moments.
///
/// # Errors
/// When sizes, layouts or kinds differ.
pub fn adamw(
    parameter: &mut Tensor,
    gradient: &Tensor,
    first: &mut Tensor,
    second: &mut Tensor,
    settings: &AdamW,
) -> Result<()> {
    // SAFETY: four live at::Tensor pointers; the three that are written are borrowed mutably.
    answer(unsafe {
        flexmix_adamw(
            parameter.as_mut_ptr(),
            gradient.as_ptr(),
            first.as_mut_ptr(),
            second.as_mut_ptr(),
            std::ptr::from_ref(settings),
        )
    })
}

/// RMS norm over the last dimension with its own backward pass: `weight · x / rms(x)`.
///
/// # Errors
/// When the tensors are not floating-point and on the CPU.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    // SAFETY: two live at::Tensor pointers, borrowed; on success `out` is a new at::Tensor that is ours.
    unsafe {
        answer(flexmix_rms_norm(x.as_ptr(), weight.as_ptr(), eps, &raw mut out))?;
        Ok(Tensor::from_ptr(out))
    }
}

/// `silu(gate) · up` in one pass with its own backward pass; an element's bits depend on that element alone.
///
/// # Errors
/// When sizes differ, or the tensors are not floating-point on the CPU.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    // SAFETY: as in `rms_norm`.
    unsafe {
        answer(flexmix_swiglu(gate.as_ptr(), up.as_ptr(), &raw mut out))?;
        Ok(Tensor::from_ptr(out))
    }
}

/// A file mapped read-only: what is hashed and what is used are the same bytes of one descriptor.
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// When it cannot be opened or mapped.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io(path, source))?;
        // SAFETY: the map is private and read-only. Model files are published by rename and never written in
        // place; somebody who truncates one while it is mapped stops this process, and reaches nothing else.
        let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(&file) };
        Ok(Self(map.map_err(|source| Error::io(path, source))?))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
