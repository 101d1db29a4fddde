//! The allocator of guests: small blocks lie beside the program's variables.
//!
//! std's allocator writes to both ends of the memory that it manages. That costs every process
//! two pages, though most of them hold less than a kilobyte. So blocks come from 2 KiB among
//! the variables while there is room, and everything else from std's.
//!
//! A bit for each piece of 32 bytes tells whether it is taken. Blocks have no headers, since
//! whoever frees one says how long it is, and adjacent free pieces need no joining.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;

/// The bytes of a piece; what needs a stricter alignment comes from std.
const PIECE: usize = 32;
/// How many pieces there are, one for each bit of a number.
const PIECES: usize = u64::BITS as usize;
/// A longer block comes from std: it would leave too little for others.
const LONGEST: usize = PIECE * PIECES / 2;

#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

/// Small blocks first, then std's allocator.
#[repr(C, align(32))]
struct Allocator {
    /// Which pieces are taken.
    taken: Cell<u64>,
    pieces: Pieces,
}

#[repr(C, align(32))]
struct Pieces(UnsafeCell<[MaybeUninit<u8>; PIECE * PIECES]>);

/// Pieces side by side, and the bits that stand for them.
#[derive(Clone, Copy)]
struct Run {
    first: usize,
    bits: u64,
}

impl Run {
    /// The pieces from `first` on that hold this many bytes: at least one, at most [`LONGEST`].
    fn new(first: usize, bytes: usize) -> Run {
        let pieces = bytes.div_ceil(PIECE).clamp(1, PIECES);
        Run {
            first,
            bits: (u64::MAX >> (PIECES - pieces)) << first,
        }
    }
}

impl Allocator {
    const fn new() -> Allocator {
        Allocator {
            taken: Cell::new(0),
            pieces: Pieces(UnsafeCell::new([MaybeUninit::uninit(); PIECE * PIECES])),
        }
    }

    /// Takes the first pieces that are free, if there are enough side by side.
    #[inline]
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        if layout.size() > LONGEST || layout.align() > PIECE {
            return None;
        }
        let pieces = layout.size().div_ceil(PIECE);
        // A bit stays where as many free pieces begin as `length` says.
        let mut begins = !self.taken.get();
        let mut length = 1;
        while length < pieces {
            let step = length.min(pieces - length);
            begins &= begins >> step;
            length += step;
        }
        if begins == 0 {
            return None;
        }
        let run = Run::new(begins.trailing_zeros() as usize, layout.size());
        self.taken.update(|taken| taken | run.bits);
        Some(self.start().wrapping_add(run.first * PIECE))
    }

    /// The pieces of a block that was taken here.
    #[inline]
    fn run(&self, block: *mut u8, layout: Layout) -> Option<Run> {
        let offset = block.addr().wrapping_sub(self.start().addr());
        (offset < PIECE * PIECES).then(|| Run::new(offset / PIECE, layout.size()))
    }

    #[inline]
    fn give_back(&self, run: Run) {
        self.taken.update(|taken| taken & !run.bits);
    }

    /// Makes a block longer or shorter where it lies, if it can.
    fn resize(&self, run: Run, size: usize) -> bool {
        if size > LONGEST || run.first + size.div_ceil(PIECE) > PIECES {
            return false;
        }
        let wanted = Run::new(run.first, size);
        let others = self.taken.get() & !run.bits;
        let free = others & wanted.bits == 0;
        if free {
            self.taken.set(others | wanted.bits);
        }
        free
    }

    fn start(&self) -> *mut u8 {
        self.pieces.0.get().cast()
    }
}

// SAFETY: without atomics a guest has one thread, and nothing here calls itself.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[allow(unsafe_code)]
unsafe impl Sync for Allocator {}

// SAFETY: a block is pieces that were free and stay taken until it is given back, or std's.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(block) => block,
            // SAFETY: the caller's promises are those that std asks for.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(block) => {
                // SAFETY: the block is that long and belongs to nobody else.
                unsafe { block.write_bytes(0, layout.size()) };
                block
            }
            // SAFETY: as in `alloc`.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.run(block, layout) {
            Some(run) => self.give_back(run),
            // SAFETY: what does not lie here is std's; the rest is the caller's promise.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(run) = self.run(block, layout) else {
            // SAFETY: as in `dealloc`.
            return unsafe { System.realloc(block, layout, size) };
        };
        if self.resize(run, size) {
            return block;
        }
        // SAFETY: the caller promises that the new size goes with this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: its size is not 0, as the caller promises.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both blocks are at least that long, and they are two.
            unsafe { moved.copy_from_nonoverlapping(block, layout.size().min(size)) };
            self.give_back(run);
        }
        moved
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;

    /// A block with its layout and the byte that it is full of.
    struct Block {
        at: *mut u8,
        layout: Layout,
        fill: u8,
    }

    impl Block {
        fn new(allocator: &Allocator, layout: Layout, fill: u8) -> Block {
            // SAFETY: no layout here is of size 0.
            let at = unsafe { allocator.alloc(layout) };
            assert!(!at.is_null() && at.addr().is_multiple_of(layout.align()));
            let block = Block { at, layout, fill };
            block.write();
            block
        }

        fn write(&self) {
            // SAFETY: the block is that long.
            unsafe { self.at.write_bytes(self.fill, self.layout.size()) };
        }

        fn check(&self, length: usize) {
            // SAFETY: it was written from the start to its end.
            let bytes = unsafe { std::slice::from_raw_parts(self.at, length) };
            assert!(bytes.iter().all(|byte| *byte == self.fill));
        }

        fn resize(&mut self, allocator: &Allocator, size: usize) {
            // SAFETY: it was allocated there with this layout.
            self.at = unsafe { allocator.realloc(self.at, self.layout, size) };
            self.check(size.min(self.layout.size()));
            self.layout = layout(size, self.layout.align());
            self.write();
        }

        fn free(self, allocator: &Allocator) {
            self.check(self.layout.size());
            // SAFETY: it was allocated there with this layout.
            unsafe { allocator.dealloc(self.at, self.layout) };
        }

        fn is_small(&self, allocator: &Allocator) -> bool {
            allocator.run(self.at, self.layout).is_some()
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a power of two")
    }

    /// Numbers that look random, the same in every run.
    fn next(state: &mut u64) -> usize {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as usize
    }

    #[test]
    fn blocks_keep_their_contents_and_all_is_given_back() {
        let allocator = Allocator::new();
        let mut state = 1;
        let mut blocks: Vec<Block> = Vec::new();
        let mut small = 0;
        for round in 0..20_000 {
            let size = 1 + next(&mut state) % if round % 7 == 0 { 3_000 } else { 100 };
            match next(&mut state) % 3 {
                0 if blocks.len() < 60 => {
                    let align = 1 << (next(&mut state) % 7);
                    let block = Block::new(&allocator, layout(size, align), round as u8);
                    small += usize::from(block.is_small(&allocator));
                    blocks.push(block);
                }
                1 if !blocks.is_empty() => {
                    let at = next(&mut state) % blocks.len();
                    blocks[at].resize(&allocator, size);
                }
                _ if !blocks.is_empty() => {
                    let at = next(&mut state) % blocks.len();
                    blocks.swap_remove(at).free(&allocator);
                }
                _ => {}
            }
        }
        assert!(small > 1_000, "{small} of the blocks were small");
        blocks.into_iter().for_each(|block| block.free(&allocator));
        assert_eq!(allocator.taken.get(), 0);
    }

    #[test]
    fn every_piece_can_be_had_and_then_std_helps() {
        let allocator = Allocator::new();
        let blocks: Vec<Block> = (0..PIECES + 3)
            .map(|fill| Block::new(&allocator, layout(PIECE, 8), fill as u8))
            .collect();
        assert_eq!(allocator.taken.get(), u64::MAX);
        let small = |block: &&Block| block.is_small(&allocator);
        assert_eq!(blocks.iter().filter(small).count(), PIECES);
        blocks.into_iter().for_each(|block| block.free(&allocator));
        assert_eq!(allocator.taken.get(), 0);
    }

    #[test]
    fn a_growing_block_stays_where_it_is_while_it_can() {
        let allocator = Allocator::new();
        let mut grows = Block::new(&allocator, layout(8, 4), 1);
        let first = grows.at;
        grows.resize(&allocator, LONGEST);
        assert_eq!(grows.at, first);
        grows.resize(&allocator, 40);
        let behind = Block::new(&allocator, layout(8, 4), 2);
        grows.resize(&allocator, 200);
        assert_ne!(grows.at, first);
        grows.resize(&allocator, LONGEST + 1);
        assert!(!grows.is_small(&allocator));
        grows.free(&allocator);
        behind.free(&allocator);
        assert_eq!(allocator.taken.get(), 0);
    }

    #[test]
    fn zeroed_blocks_are_zero_where_others_were_before() {
        let allocator = Allocator::new();
        Block::new(&allocator, layout(100, 8), 0xff).free(&allocator);
        let layout = layout(100, 8);
        // SAFETY: its size is not 0.
        let at = unsafe { allocator.alloc_zeroed(layout) };
        let fill = 0;
        let block = Block { at, layout, fill };
        assert!(block.is_small(&allocator));
        block.free(&allocator);
    }
}
