//! Ends by numbers, for what hands numbers over instead of the ends.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::HashMap;

use super::channel::{Barrier, End, Receiver, Sender};
use super::process::Child;

thread_local! {
    /// Ends whose number somebody has instead of them.
    static GIVEN: RefCell<HashMap<u32, End>> = RefCell::default();
}

fn give(number: u32, end: End) -> u32 {
    GIVEN.with_borrow_mut(|given| given.insert(number, end));
    number
}

fn take(number: u32) -> End {
    let end = GIVEN.with_borrow_mut(|given| given.remove(&number));
    end.expect("the number of an end is given back once")
}

impl Sender {
    pub fn handle(&self) -> u32 {
        self.number()
    }

    pub fn take_handle(&self) -> u32 {
        give(self.number(), End::Sender(self.same()))
    }

    /// # Safety
    /// None here; the generated function has the same signature.
    pub unsafe fn from_handle(number: u32) -> Self {
        match take(number) {
            End::Sender(sender) => sender,
            _ => unreachable!("the number is a sender's"),
        }
    }
}

impl Receiver {
    pub fn handle(&self) -> u32 {
        self.number()
    }

    pub fn take_handle(&self) -> u32 {
        give(self.number(), End::Receiver(self.same()))
    }

    /// # Safety
    /// None here; the generated function has the same signature.
    pub unsafe fn from_handle(number: u32) -> Self {
        match take(number) {
            End::Receiver(receiver) => receiver,
            _ => unreachable!("the number is a receiver's"),
        }
    }
}

impl Barrier {
    pub fn handle(&self) -> u32 {
        self.number()
    }

    pub fn take_handle(&self) -> u32 {
        give(self.number(), End::Barrier(self.same()))
    }

    /// # Safety
    /// None here; the generated function has the same signature.
    pub unsafe fn from_handle(number: u32) -> Self {
        match take(number) {
            End::Barrier(barrier) => barrier,
            _ => unreachable!("the number is a barrier's"),
        }
    }
}

impl Child {
    pub fn handle(&self) -> u32 {
        unreachable!("only a host takes the numbers of children")
    }

    /// # Safety
    /// None here; the generated function has the same signature.
    pub unsafe fn from_handle(_number: u32) -> Self {
        unreachable!("only a host gives the numbers of children")
    }
}
