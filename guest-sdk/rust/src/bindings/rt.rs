//! What the generated code needs at run time: wit-bindgen's `rt`, as far as this contract uses it.
//!
//! `cabi_realloc`, which the host calls for memory, is std's on `wasm32-wasip2`.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{NonNull, null_mut};

/// A block of memory for a call to the host, freed when this is dropped.
#[derive(Debug)]
pub(super) struct Cleanup {
    block: NonNull<u8>,
    layout: Layout,
}

impl Cleanup {
    /// Allocates a block; none, and a null pointer, for no bytes.
    pub(super) fn new(layout: Layout) -> (*mut u8, Option<Cleanup>) {
        if layout.size() == 0 {
            return (null_mut(), None);
        }
        // SAFETY: the layout is of at least one byte.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        (block.as_ptr(), Some(Cleanup { block, layout }))
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout, and nothing else frees it.
        unsafe { dealloc(self.block.as_ptr(), self.layout) }
    }
}

/// Generated code calls this where other targets need help to link `cabi_realloc`.
pub(super) fn maybe_link_cabi_realloc() {}
